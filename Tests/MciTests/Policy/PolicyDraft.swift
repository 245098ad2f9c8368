// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a tree that keeps the order of its keys, to make defects in it.
indirect enum Draft {
    /// As it is written, with its quotation marks.
    case leaf(String)
    case list([Draft])
    case object([(key: String, value: Draft)])

    static func text(_ text: String) -> Draft { .leaf("\"\(text)\"") }

    /// Every part in a line of its own.
    func written(indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .leaf(let text): return text
        case .list(let parts):
            if parts.isEmpty { return "[]" }
            let lines = parts.map { inner + $0.written(indent: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(inner)\"\($0.key)\": \($0.value.written(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    /// The paths of all parts, this one first.
    var paths: [[Int]] {
        let parts: [Draft] =
            switch self {
            case .leaf: []
            case .list(let parts): parts
            case .object(let members): members.map(\.value)
            }
        return [[]]
            + parts.enumerated().flatMap { number, part in part.paths.map { [number] + $0 } }
    }

    subscript(path: some Collection<Int>) -> Draft {
        guard let first = path.first else { return self }
        switch self {
        case .leaf: return self
        case .list(let parts): return parts[first][path.dropFirst()]
        case .object(let members): return members[first].value[path.dropFirst()]
        }
    }

    /// The draft with one part changed.
    func changing(_ path: some Collection<Int>, _ change: (Draft) -> Draft) -> Draft {
        guard let first = path.first else { return change(self) }
        switch self {
        case .leaf: return self
        case .list(var parts):
            parts[first] = parts[first].changing(path.dropFirst(), change)
            return .list(parts)
        case .object(var members):
            members[first].value = members[first].value.changing(path.dropFirst(), change)
            return .object(members)
        }
    }

    /// The draft with the members of one object changed.
    func changingMembers(
        _ path: some Collection<Int>,
        _ change: (inout [(key: String, value: Draft)]) -> Void
    ) -> Draft {
        changing(path) { part in
            guard case .object(var members) = part else { return part }
            change(&members)
            return .object(members)
        }
    }

    /// A policy with every key that there is.
    static let policy = Draft.object([
        ("schema", .leaf("1")),
        ("purpose", .text("Training data for a model that helps with spreadsheets")),
        ("controller", .text("Example GmbH")),
        ("contact", .text("privacy@example.org")),
        ("lawfulBasis", .text("consent")),
        ("notice", .text("It ends on 31 March.\\nTaking part is up to you.")),
        ("keyDetail", .text("activity")),
        ("retention", .text("7d")),
        ("ringSize", .text("64M")),
        ("titles", .leaf("false")),
        ("syntheticKeys", .leaf("false")),
        ("pauseCap", .text("8h")),
        (
            "exclude",
            .list([
                .object([
                    ("app", .text("firefox*")), ("title", .text("*Bank*")),
                    ("device", .text("AT *")), ("during", .text("Mon-Fri 12:00-13:00")),
                ]),
                .object([("title", .text("*Works Council*"))]),
                .object([("during", .text("Sat,Sun"))]),
                .object([("asker", .text("example-login*"))]),
            ])
        ),
        ("only", .list([.text("firefox*"), .text("libreoffice*")])),
        (
            "stewards",
            .list([
                .object([
                    ("name", .text("Officer")),
                    (
                        "key",
                        .text("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
                    ),
                ]),
                .object([
                    ("name", .text("Council")),
                    ("key", .text("PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=")),
                ]),
            ])
        ),
        ("companion", .leaf("true")),
    ])
}
