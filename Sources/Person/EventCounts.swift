// SPDX-License-Identifier: Apache-2.0

/// EventCounters: seen = admitted + suppressed + lost at every moment.
package struct EventCounts: Codable, Equatable, Sendable {
    package var seen = 0
    package var admitted = 0
    package var suppressed = 0
    package var lost = 0

    package init() {}

    /// Whether what was seen is what became of it, and no count is absurd.
    package var addsUp: Bool {
        var rest = seen
        for part in [admitted, suppressed, lost] {
            // Below zero, or more than was seen: a sum that does not fit is neither.
            guard part >= 0, rest >= part else { return false }
            rest -= part
        }
        return rest == 0
    }

    /// The sum of two accounts; a count that does not fit stays at the most that does.
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
