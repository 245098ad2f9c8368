// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate
package import Policy

extension Explanation {
    /// Evaluates the rules for a window in the same order as the gate.
    ///
    /// - Parameters:
    ///   - controls: the person's rules; an invalid one excludes everything.
    ///   - policy: the policy in force; nil for none.
    ///   - window: its attributes, and those of the windows around it.
    ///   - device: the name of the input device; nil for one that no rule names.
    ///   - minute: the minute of the week in local time.
    ///   - program: the name of the program that may be asking for a secret there; nil when
    ///     unknown.
    package init(
        _ controls: Controls,
        _ policy: ManagedPolicy?,
        on window: WindowFacts,
        from device: String?,
        at minute: WeekMinute,
        asking program: String? = nil
    ) {
        let all = ([window] + window.around).lazy.map {
            Explanation(controls, policy, onAlone: $0, from: device, at: minute, asking: program)
        }
        self = all.first { !$0.isRecorded } ?? Explanation(isRecorded: true)
    }

    /// Evaluates the rules for one window, regardless of the windows around it.
    private init(
        _ controls: Controls,
        _ policy: ManagedPolicy?,
        onAlone window: WindowFacts,
        from device: String?,
        at minute: WeekMinute,
        asking program: String?
    ) {
        let knowsPrompts = !controls.removedExclusions.contains(DefaultExclusion.terminalPrompts)
        func left(_ reason: GapReason, _ by: String, _ rule: Scope? = nil) -> Explanation {
            Explanation(isRecorded: false, reason: reason.name, by: by, rule: rule)
        }
        func excludes(_ rule: Rule) -> Bool {
            guard rule.excludes(window, from: device, at: minute) else { return false }
            // The default exclusion covers a prompt of another program.
            guard knowsPrompts, let asker = rule.asker, let program else { return true }
            return asker.matches(program)
        }
        for record in controls.exemptions {
            guard let exemption = try? record.exemption() else {
                self = left(.fault, "exemption \(record.id)")
                return
            }
            if exemption.isInForce, excludes(exemption.rule) {
                self = left(.exempt, "exemption \(record.id)", record.scope)
                return
            }
        }
        for scope in controls.exclusions {
            if (try? scope.rule()).map(excludes) ?? true {
                self = left(.excluded, "your exclusions", scope)
                return
            }
        }
        for exclusion in DefaultExclusion.all
        where !controls.removedExclusions.contains(exclusion.name) {
            if exclusion.rules.contains(where: excludes) {
                self = left(.excluded, exclusion.name)
                return
            }
        }
        let rules = policy?.exclude ?? []
        if let index = rules.firstIndex(where: excludes) {
            self = left(.excluded, "rule \(index + 1) of the policy", Scope(rules[index]))
            return
        }
        func isNamed(by list: [Glob]) -> Bool {
            list.contains { Rule(app: $0).excludes(window, from: nil, at: minute) }
        }
        if let only = controls.only, !isNamed(by: only.compactMap { Glob($0) }) {
            self = left(.notAllowed, "your list of applications")
        } else if let only = policy?.only, !only.isEmpty, !isNamed(by: only) {
            self = left(.notAllowed, "the policy's list of applications")
        } else {
            self = Explanation(isRecorded: true)
        }
    }
}

extension Scope {
    /// Writes the conditions of a rule as text.
    ///
    /// - Parameter rule: of the person or of a policy.
    package init(_ rule: Rule) {
        self.init(
            app: rule.app?.pattern,
            title: rule.title?.pattern,
            device: rule.device?.pattern,
            during: rule.during?.text,
            asker: rule.asker?.pattern
        )
    }
}
