// SPDX-License-Identifier: Apache-2.0

package import Events

/// What somebody allows to be recorded at the most: the person, or the policy of who deploys.
///
/// What holds is the stricter of all, field by field (``stricter(_:)``), so it does not matter who
/// asks first, and to ask twice changes nothing.
package struct Restrictions: Equatable, Sendable {
    /// The most that is told of a key.
    package var keyDetail = KeyDetail.full
    /// What is not recorded.
    package var exclusions: Set<Rule> = []
    /// What is not recorded because the person asked.
    package var exemptions: Set<Rule> = []
    /// Lists of applications; when there are any, only what every list names is recorded.
    package var allowlists: Set<Set<Glob>> = []
    /// Whether the titles of windows may be stored.
    package var storesTitles = true
    /// Whether keys of injected devices are told as those of others; at most as `activity` where not.
    package var recordsSyntheticKeys = true
    /// Seconds after which what was recorded is erased; nil for no limit.
    package var retention: Int?
    /// Bytes that all files of the ring may take; nil for no limit.
    package var ringSize: Int?

    /// No restriction at all.
    package init() {}

    /// The stricter of two, field by field.
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

    /// Why all input is left out at a minute of the week, whatever its window; nil where it is not.
    package func leavesOutAll(at minute: WeekMinute) -> GapReason? {
        func isInForce(_ rule: Rule) -> Bool { rule.isForEverything && rule.isInForce(at: minute) }
        if exemptions.contains(where: isInForce) { return .exempt }
        return exclusions.contains(where: isInForce) ? .excluded : nil
    }

    /// Whether there is a rule that looks at the hour.
    package var dependOnTime: Bool {
        exemptions.contains { $0.during != nil } || exclusions.contains { $0.during != nil }
    }

    /// Whether the title of a window has to be known, to decide on it or to store it.
    package func needsTitle(of window: WindowFacts) -> Bool {
        storesTitles || exemptions.contains { $0.needsTitle(of: window) }
            || exclusions.contains { $0.needsTitle(of: window) }
    }

    /// What counts as asking for a secret on a terminal: what either of the person and the policy names.
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
