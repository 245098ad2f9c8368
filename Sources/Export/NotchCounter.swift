// SPDX-License-Identifier: Apache-2.0

/// Makes whole notches of a wheel out of 1/120 ones, for formats that have no others.
struct NotchCounter {
    private var rest: Int32 = 0

    /// The notches that became whole; down and right are positive.
    mutating func take(_ part: Int32) -> Int32 {
        let (sum, overflows) = rest.addingReportingOverflow(part)
        let whole = (overflows ? part : sum) / 120
        rest = (overflows ? part : sum) % 120
        return whole
    }
}
