// SPDX-License-Identifier: Apache-2.0

package import Gate

extension Controls {
    private static let maxRules = 1000

    /// Changes the person's exclusions.
    ///
    /// - Parameter call: the change.
    /// - Throws: a ``Refusal`` when the call is invalid; the change is then not made.
    package mutating func exclude(_ call: ExcludeCall) throws(Refusal) {
        if let name = call.remove ?? call.restore {
            guard DefaultExclusion.all.contains(where: { $0.name == name }) else {
                throw Refusal(
                    "There is no default exclusion with that name.",
                    next: "mcictl exclude list"
                )
            }
            removedExclusions.removeAll { $0 == name }
            if call.remove != nil { removedExclusions.append(name) }
        }
        if let scope = call.add {
            guard scope != Scope() else {
                throw Refusal(
                    "An exclusion names an application, a title, a device, hours or an asker; to leave out everything, use an exemption.",
                    next: "mcictl exempt add --everything"
                )
            }
            _ = try scope.rule()
            guard exclusions.count < Self.maxRules else {
                throw Refusal("There are \(Self.maxRules) exclusions already.")
            }
            if !exclusions.contains(scope) { exclusions.append(scope) }
        }
        if let scope = call.drop {
            guard let index = exclusions.firstIndex(of: scope) else {
                throw Refusal("You have no such exclusion.", next: "mcictl exclude list")
            }
            exclusions.remove(at: index)
        }
        if let only = call.only {
            guard only.count <= Self.maxRules else {
                throw Refusal("A list has at most \(Self.maxRules) applications.")
            }
            _ = try Scope.allowlist(only)
            self.only = only.isEmpty ? nil : only
        }
    }

    /// Derives the restrictions from exemptions, exclusions and the allowlist.
    ///
    /// - Returns: the restrictions, without those of settings and policy.
    /// - Throws: a ``Refusal`` when a part of the controls is invalid; nothing may then be
    ///   recorded.
    package func restrictions() throws(Refusal) -> Restrictions {
        var result = Restrictions()
        for record in exemptions {
            let exemption = try record.exemption()
            if exemption.isInForce { result.exemptions.insert(exemption.rule) }
        }
        for exclusion in DefaultExclusion.all where !removedExclusions.contains(exclusion.name) {
            result.exclusions.formUnion(exclusion.rules)
        }
        for scope in exclusions { result.exclusions.insert(try scope.rule()) }
        if let only { result.allowlists = [try Scope.allowlist(only)] }
        return result
    }
}
