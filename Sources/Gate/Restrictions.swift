// SPDX-License-Identifier: Apache-2.0

package import Events

/// Limits on what may be recorded, set by the person or by the administrator's policy.
///
/// The stricter limit of each field applies (``stricter(_:)``). So the order does not matter, and
/// applying the same restrictions twice changes nothing.
package struct Restrictions: Equatable, Sendable {
    /// The maximum key detail.
    package var keyDetail = KeyDetail.full
    /// Rules for input that is not recorded.
    package var exclusions: Set<Rule> = []
    /// Rules for input that is not recorded because the person requested it.
    package var exemptions: Set<Rule> = []
    /// Allowlists of applications; if there are any, only applications in every list are recorded.
    package var allowlists: Set<Set<Glob>> = []
    /// Whether window titles may be stored.
    package var storesTitles = true
    /// Whether keys of injected devices are recorded like others; otherwise at most as `activity`.
    package var recordsSyntheticKeys = true
    /// Seconds after which recorded data is erased; nil for no limit.
    package var retention: Int?
    /// Maximum bytes of all files of the ring together; nil for no limit.
    package var ringSize: Int?

    /// Creates restrictions that restrict nothing.
    package init() {}

    /// The stricter of two restrictions, field by field.
    package func stricter(_ other: Restrictions) -> Restrictions {
        var result = self
        result.keyDetail = min(keyDetail, other.keyDetail)
        result.exclusions.formUnion(other.exclusions)
        result.exemptions.formUnion(other.exemptions)
        result.allowlists.formUnion(other.allowlists)
        result.storesTitles = storesTitles && other.storesTitles
        result.recordsSyntheticKeys = recordsSyntheticKeys && other.recordsSyntheticKeys
        result.retention = Self.smaller(retention, other.retention)
        result.ringSize = Self.smaller(ringSize, other.ringSize)
        return result
    }

    /// The reason for excluding all input at a minute of the week, whatever its window; nil if
    /// there is none.
    package func leavesOutAll(at minute: WeekMinute) -> GapReason? {
        func isInForce(_ rule: Rule) -> Bool { rule.isForEverything && rule.isInForce(at: minute) }
        if exemptions.contains(where: isInForce) { return .exempt }
        return exclusions.contains(where: isInForce) ? .excluded : nil
    }

    /// Whether any rule depends on the time of the week.
    package var dependOnTime: Bool {
        exemptions.contains { $0.during != nil } || exclusions.contains { $0.during != nil }
    }

    /// Whether a window's title is needed, to evaluate rules or to store it.
    package func needsTitle(of window: WindowFacts) -> Bool {
        storesTitles || exemptions.contains { $0.needsTitle(of: window) }
            || exclusions.contains { $0.needsTitle(of: window) }
    }

    /// The programs treated as asking for a secret on a terminal: those of the person and of the
    /// policy together.
    package var askers: SecretAskers {
        let rules = exclusions.union(exemptions)
        var askers = SecretAskers()
        askers.includesDefaults = rules.contains(where: \.atSecretPrompts)
        askers.own = Set(rules.compactMap(\.asker))
        return askers
    }

    private static func smaller(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}
