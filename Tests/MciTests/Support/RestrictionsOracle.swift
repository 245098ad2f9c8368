// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// Says what restrictions allow, as simply as it can be said, for comparison with the gate.
///
/// It shares no code with the gate: patterns are matched by recursion, hours minute by minute.
struct RestrictionsOracle {
    let restrictions: Restrictions

    /// Whether anything that goes to a window may be recorded.
    ///
    /// - Parameters:
    ///   - window: as capture describes it.
    ///   - device: the device's name; nil where it is not known.
    ///   - minute: of the week.
    /// - Returns: whether no rule is for it, and every list of applications names it.
    func allows(_ window: WindowFacts, device: String?, at minute: WeekMinute) -> Bool {
        for rule in restrictions.exclusions where matches(rule, window, device, minute) {
            return false
        }
        for rule in restrictions.exemptions where matches(rule, window, device, minute) {
            return false
        }
        for list in restrictions.allowlists where !list.contains(where: { isOf(window, $0) }) {
            return false
        }
        return true
    }

    /// Whether a key may be recorded at all.
    var allowsKeys: Bool { restrictions.keyDetail != .off }

    private func matches(
        _ rule: Rule,
        _ window: WindowFacts,
        _ device: String?,
        _ minute: WeekMinute
    ) -> Bool {
        if let hours = rule.during, !Self.lies(minute, in: hours.text) { return false }
        if rule.atSecretPrompts || rule.asker != nil, !window.mayAskForSecret { return false }
        if let app = rule.app, !isOf(window, app) { return false }
        // What nobody knows counts as matching.
        if let title = rule.title, let text = window.title, !Self.matches(title.pattern, text) {
            return false
        }
        if let name = rule.device, let text = device, !Self.matches(name.pattern, text) {
            return false
        }
        return true
    }

    private func isOf(_ window: WindowFacts, _ app: Glob) -> Bool {
        Self.matches(app.pattern, window.app)
            || (window.instance != "" && Self.matches(app.pattern, window.instance))
    }

    /// Whether a whole text matches a pattern.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Substring(pattern.lowercased()), Substring(text.lowercased()))
    }

    private static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let sign = pattern.first else { return text.isEmpty }
        if sign == "*" {
            if matches(pattern.dropFirst(), text) { return true }
            return !text.isEmpty && matches(pattern, text.dropFirst())
        }
        guard let letter = text.first, sign == "?" || sign == letter else { return false }
        return matches(pattern.dropFirst(), text.dropFirst())
    }

    /// Whether a minute lies in hours that are written as `Mon-Tue,Fri 12:00-13:00`.
    static func lies(_ minute: WeekMinute, in text: String) -> Bool {
        let words = text.split(separator: " ").map(String.init)
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        let dayWord = words.first { !$0.contains(":") } ?? "mon-sun"
        var days: Set<Int> = []
        for part in dayWord.lowercased().split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { names.firstIndex(of: String($0)) }
            guard let first = ends.first, let last = ends.last else { continue }
            var day = first
            days.insert(day)
            while day != last {
                day = (day + 1) % 7
                days.insert(day)
            }
        }
        let clocks = (words.first { $0.contains(":") } ?? "00:00-24:00").split(separator: "-").map {
            clock in
            let parts = clock.split(separator: ":").compactMap { Int($0) }
            return parts[0] * 60 + parts[1]
        }
        let length = clocks[1] > clocks[0] ? clocks[1] - clocks[0] : clocks[1] + 1440 - clocks[0]
        // All minutes the hours cover, from every day they begin on.
        return days.contains { day in
            let begin = day * 1440 + clocks[0]
            let now = minute.day * 1440 + minute.minuteOfDay
            return (now - begin + 10_080) % 10_080 < length
        }
    }
}
