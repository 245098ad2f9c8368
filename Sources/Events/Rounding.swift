// SPDX-License-Identifier: Apache-2.0

extension Int64 {
    /// Divides, and rounds towards minus infinity.
    ///
    /// - Parameter divisor: 1 or more.
    /// - Returns: the greatest integer that is not above the exact quotient.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    /// Rounds down to a multiple of a step.
    ///
    /// - Parameter step: 1 or more.
    /// - Returns: the greatest multiple that is not above the number; within a step of the smallest
    ///   number it wraps around.
    package func roundedDown(to step: Int64) -> Int64 {
        flooredQuotient(step) &* step
    }
}
