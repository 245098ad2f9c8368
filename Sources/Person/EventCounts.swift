// SPDX-License-Identifier: Apache-2.0

/// Counts of input events: seen = admitted + suppressed + lost at every moment.
package struct EventCounts: Codable, Equatable, Sendable {
    /// Events that the recorder saw.
    package var seen = 0
    /// Events that the gate admitted and that are not lost.
    package var admitted = 0
    /// Events that the gate rejected.
    package var suppressed = 0
    /// Events that were admitted and could not be stored.
    package var lost = 0

    /// Makes counts of zero.
    package init() {}

    /// Whether the parts add up to ``seen``, and none is negative.
    package var addsUp: Bool {
        var rest = seen
        for part in [admitted, suppressed, lost] {
            // Subtracting the parts from `seen` cannot overflow, unlike adding them.
            guard part >= 0, rest >= part else { return false }
            rest -= part
        }
        return rest == 0
    }

    /// Adds counts; a sum that overflows is clamped.
    package static func + (left: EventCounts, right: EventCounts) -> EventCounts {
        func sum(_ count: KeyPath<EventCounts, Int>) -> Int {
            let (left, right) = (left[keyPath: count], right[keyPath: count])
            let (sum, isTooMuch) = left.addingReportingOverflow(right)
            guard isTooMuch else { return sum }
            return left < 0 ? .min : .max
        }
        var total = EventCounts()
        total.seen = sum(\.seen)
        total.admitted = sum(\.admitted)
        total.suppressed = sum(\.suppressed)
        total.lost = sum(\.lost)
        return total
    }
}
