// SPDX-License-Identifier: Apache-2.0

import Gate

extension ManagedPolicy {
    /// What another policy changes in one field.
    package struct Change: Equatable, Encodable, Sendable {
        /// Stricter means that less may be recorded.
        package enum Direction: String, Encodable, Sendable {
            case stricter, looser, other
        }

        package let field: String
        package let direction: Direction
        /// In the words of the file; nil for nothing.
        package let from: String?
        package let to: String?
    }

    /// What changes when a policy takes the place of another, field by field.
    ///
    /// - Parameters:
    ///   - old: nil for no policy.
    ///   - new: the other one.
    /// - Returns: nothing for two that mean the same.
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
        // The longer a pause may be, the less is recorded.
        list.ceiling(
            "pauseCap",
            old?.pauseCap.map { -$0 },
            new.pauseCap.map { -$0 },
            none: .min,
            { Quantity.duration(-$0) }
        )
        list.parts("exclude", old?.exclude ?? [], new.exclude, added: .stricter, \.words)
        list.applications(old?.only ?? [], new.only)
        list.stewards(old?.stewards ?? [], new.stewards)
        return list.changes
    }
}

/// Changes as they are found.
private struct ChangeList {
    var changes: [ManagedPolicy.Change] = []

    mutating func other(_ field: String, _ old: String?, _ new: String?) {
        if old != new { add(field, .other, old, new) }
    }

    /// A value of which the smaller one is stricter.
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

    /// A yes or no of which no is stricter; nothing means yes.
    mutating func permission(_ field: String, _ old: Bool?, _ new: Bool?) {
        func rank(_ value: Bool?) -> Int? { value.map { $0 ? 1 : 0 } }
        ceiling(field, rank(old), rank(new), none: 1) { $0 == 0 ? "false" : "true" }
    }

    /// A set of which the parts are named one by one.
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

    /// The allow-list: with none everything is recorded.
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

    /// Where there are stewards, an exemption may be denied.
    mutating func stewards(_ old: [Steward], _ new: [Steward]) {
        let isFirst = old.isEmpty || new.isEmpty
        parts("stewards", old, new, added: isFirst ? .looser : .other) { steward in
            "\(steward.name) (\(steward.key.text))"
        }
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
