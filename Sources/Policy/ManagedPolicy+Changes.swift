// SPDX-License-Identifier: Apache-2.0

import Gate

extension ManagedPolicy {
    /// A difference between two policies in one field.
    package struct Change: Equatable, Encodable, Sendable {
        /// The effect on what may be recorded: `stricter` means less, `looser` more, `other`
        /// neither.
        package enum Direction: String, Encodable, Sendable {
            case stricter, looser, other
        }

        /// The field's key in the policy file.
        package let field: String
        /// Whether the change allows less or more.
        package let direction: Direction
        /// The old value as the file writes it; nil for none.
        package let from: String?
        /// The new value as the file writes it; nil for none.
        package let to: String?
    }

    /// Compares two policies field by field.
    ///
    /// - Parameters:
    ///   - old: the policy in force before; nil for none.
    ///   - new: the policy that replaces it.
    /// - Returns: the changes in the order of ``keys``; empty when both mean the same.
    package static func changes(from old: ManagedPolicy?, to new: ManagedPolicy) -> [Change] {
        var list = ChangeList()
        list.other("purpose", old?.purpose, new.purpose)
        list.other("controller", old?.controller, new.controller)
        list.other("contact", old?.contact, new.contact)
        list.other("lawfulBasis", old?.lawfulBasis?.rawValue, new.lawfulBasis?.rawValue)
        list.other("notice", old?.notice, new.notice)
        list.ceiling("keyDetail", old?.keyDetail, new.keyDetail, none: .full, \.rawValue)
        list.ceiling("retention", old?.retention, new.retention, none: .max, Quantity.duration)
        list.ceiling("ringSize", old?.ringSize, new.ringSize, none: .max, Quantity.size)
        list.permission("titles", old?.titles, new.titles)
        list.permission("syntheticKeys", old?.syntheticKeys, new.syntheticKeys)
        // A longer maximum pause means that less may be recorded.
        list.ceiling(
            "pauseCap",
            old?.pauseCap.map { -$0 },
            new.pauseCap.map { -$0 },
            none: .min,
            { Quantity.duration(-$0) }
        )
        list.demand("companion", old?.companion, new.companion)
        list.parts("exclude", old?.exclude ?? [], new.exclude, added: .stricter, \.words)
        list.applications(old?.only ?? [], new.only)
        list.stewards(old?.stewards ?? [], new.stewards)
        list.permission("releases", old?.releases, new.releases)
        list.purposes(old?.purposes ?? [], new.purposes)
        return list.changes
    }
}

/// Collects the changes.
private struct ChangeList {
    var changes: [ManagedPolicy.Change] = []

    mutating func other(_ field: String, _ old: String?, _ new: String?) {
        if old != new { add(field, .other, old, new) }
    }

    /// Compares maximum values: the smaller one is stricter.
    mutating func ceiling<Value: Comparable>(
        _ field: String,
        _ old: Value?,
        _ new: Value?,
        none: Value,
        _ words: (Value) -> String
    ) {
        let (before, after) = (old ?? none, new ?? none)
        guard before != after else { return }
        add(field, after < before ? .stricter : .looser, old.map(words), new.map(words))
    }

    /// Compares permissions: false is stricter, and no value means true.
    mutating func permission(_ field: String, _ old: Bool?, _ new: Bool?) {
        func rank(_ value: Bool?) -> Int? { value.map { $0 ? 1 : 0 } }
        ceiling(field, rank(old), rank(new), none: 1) { $0 == 0 ? "false" : "true" }
    }

    /// Compares demands: true is stricter, and no value means false.
    mutating func demand(_ field: String, _ old: Bool?, _ new: Bool?) {
        func rank(_ value: Bool?) -> Int? { value.map { $0 ? 0 : 1 } }
        ceiling(field, rank(old), rank(new), none: 1) { $0 == 0 ? "true" : "false" }
    }

    /// Compares sets, and reports each added or removed element.
    mutating func parts<Part: Hashable>(
        _ field: String,
        _ old: [Part],
        _ new: [Part],
        added: ManagedPolicy.Change.Direction,
        _ words: (Part) -> String
    ) {
        let (before, after) = (Set(old), Set(new))
        for part in old where !after.contains(part) {
            add(field, added.opposite, words(part), nil)
        }
        for part in new where !before.contains(part) { add(field, added, nil, words(part)) }
    }

    /// Compares allowlists: without one, all applications are recorded.
    mutating func applications(_ old: [Glob], _ new: [Glob]) {
        guard old.isEmpty || new.isEmpty else {
            return parts("only", old, new, added: .looser, \.pattern)
        }
        guard old.isEmpty != new.isEmpty else { return }
        func words(_ list: [Glob]) -> String? {
            list.isEmpty ? nil : list.map(\.pattern).joined(separator: ", ")
        }
        add("only", old.isEmpty ? .stricter : .looser, words(old), words(new))
    }

    /// Compares stewards: only with stewards can an exemption be denied.
    mutating func stewards(_ old: [Steward], _ new: [Steward]) {
        let isFirst = old.isEmpty || new.isEmpty
        parts("stewards", old, new, added: isFirst ? .looser : .other) { steward in
            "\(steward.name) (\(steward.key.text))"
        }
    }

    /// Compares signers: without any, the person may grant everybody's purposes.
    mutating func purposes(
        _ old: [ManagedPolicy.PurposeSigners],
        _ new: [ManagedPolicy.PurposeSigners]
    ) {
        func words(_ signers: ManagedPolicy.PurposeSigners) -> String {
            "\(signers.authority) and \(signers.steward)"
        }
        guard old.isEmpty || new.isEmpty else {
            return parts("purposes", old, new, added: .looser, words)
        }
        guard old.isEmpty != new.isEmpty else { return }
        func all(_ list: [ManagedPolicy.PurposeSigners]) -> String? {
            list.isEmpty ? nil : list.map(words).joined(separator: ", ")
        }
        add("purposes", old.isEmpty ? .stricter : .looser, all(old), all(new))
    }

    private mutating func add(
        _ field: String,
        _ direction: ManagedPolicy.Change.Direction,
        _ old: String?,
        _ new: String?
    ) {
        changes.append(ManagedPolicy.Change(field: field, direction: direction, from: old, to: new))
    }
}

extension ManagedPolicy.Change.Direction {
    fileprivate var opposite: ManagedPolicy.Change.Direction {
        switch self {
        case .stricter: .looser
        case .looser: .stricter
        case .other: .other
        }
    }
}
