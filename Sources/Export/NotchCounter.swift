// SPDX-License-Identifier: Apache-2.0

/// Turns 1/120 notches of a wheel into whole ones, for formats that have no others.
struct NotchCounter {
    private var rest: Int32 = 0

    /// Adds a part in 1/120 of a notch, and returns the whole notches; down and right are positive.
    mutating func take(_ part: Int32) -> Int32 {
        let (sum, overflows) = rest.addingReportingOverflow(part)
        let whole = (overflows ? part : sum) / 120
        rest = (overflows ? part : sum) % 120
        return whole
    }
}
