// SPDX-License-Identifier: Apache-2.0

/// A policy with one defect or one change.
struct PolicyMutation {
    enum Kind: String, CaseIterable {
        case removed, renamed, doubled, type, empty, value, amount, list, truncated, byte
    }

    let kind: Kind
    let text: [UInt8]
    /// In which lines a defect has to be found; of a missing bracket it may be far below.
    var lines: ClosedRange<Int>
    /// Whether nobody may accept it, be it read by a JSON Schema or by us.
    var isStructural = false
    /// Whether we have to refuse it, for a reason that a JSON Schema cannot tell.
    var isRefused = false
}

/// Every single defect of ``Draft/policy`` that somebody thought of, and random ones of its bytes.
struct PolicyMutations {
    let base = Draft.policy
    private let baseText = Draft.policy.written()
    var all: [PolicyMutation] = []

    init() {
        for path in base.paths {
            changeKeys(path)
            changeType(path)
        }
        changeValues()
        changeLists()
        changeBytes()
    }

    /// Takes a mutation; its defect is where its text first differs.
    mutating func add(
        _ kind: PolicyMutation.Kind,
        _ draft: Draft,
        line: Int? = nil,
        structural: Bool = true,
        refused: Bool = true
    ) {
        let text = draft.written()
        let line = line ?? firstDifference(text)
        all.append(
            PolicyMutation(
                kind: kind,
                text: Array(text.utf8),
                lines: line...line,
                isStructural: structural && refused,
                isRefused: refused
            )
        )
    }

    private func firstDifference(_ text: String) -> Int {
        let lines = zip(lines(baseText), lines(text))
        return (lines.enumerated().first { $1.0 != $1.1 }?.offset ?? 0) + 1
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    // MARK: Keys

    private mutating func changeKeys(_ path: [Int]) {
        guard case .object(let members) = base[path] else { return }
        let optional: Set = ["app", "title", "device", "during", "asker"]
        let required: Set = ["schema", "purpose", "controller", "contact", "name", "key"]
        for (number, member) in members.enumerated() {
            func change(_ change: (inout [(key: String, value: Draft)]) -> Void) -> Draft {
                base.changingMembers(path, change)
            }
            let without = change { $0.remove(at: number) }
            if required.contains(member.key) {
                add(.removed, without, line: line(of: path))
            } else {
                // The last criterion of a rule: an empty one is left.
                let isEmpty = optional.contains(member.key) && members.count == 1
                add(.removed, without, line: line(of: path), refused: isEmpty)
            }
            for name in [
                member.key + "x", String(member.key.dropLast()), member.key.uppercased(), "",
                " " + member.key, "_" + member.key, String(member.key.reversed()),
            ] {
                add(.renamed, change { $0[number].key = name })
            }
            add(.doubled, change { $0.insert(member, at: number) }, structural: false)
            all[all.count - 1].lines = lineAfter(path + [number])...lineAfter(path + [number])
            add(.doubled, change { $0.append(member) }, structural: false)
            all[all.count - 1].lines = 1...lines(baseText).count * 2
            add(.renamed, change { $0.insert(("comment", .text("why")), at: number) })
        }
    }

    /// The line in which a part begins.
    func line(of path: [Int]) -> Int {
        firstDifference(base.changing(path) { _ in .leaf("?") }.written())
    }

    /// The line after the end of a part.
    private func lineAfter(_ path: [Int]) -> Int {
        line(of: path) + lines(base[path].written()).count
    }

    // MARK: Types

    private mutating func changeType(_ path: [Int]) {
        let others: [(String, Set<String>)] = [
            ("null", []), ("true", ["titles", "syntheticKeys", "companion"]), ("7", []), ("-1", []),
            ("1.5", []),
            ("1e999", []),
            ("[]", []), ("{}", []), ("[[]]", []), ("{\"a\": 1}", []), ("[\"7d\"]", ["only"]),
            ("\"\"", []), ("\"   \"", []), ("9223372036854775808", []),
        ]
        for (other, fitting) in others {
            var key = ""
            if path.count == 1, case .object(let members) = base { key = members[path[0]].key }
            if fitting.contains(key) { continue }
            let isEmpty = ["[]", "{}", "\"\"", "\"   \""].contains(other)
            add(isEmpty ? .empty : .type, base.changing(path) { _ in .leaf(other) })
        }
    }

    // MARK: Lists

    private mutating func changeLists() {
        for (key, most) in [(12, 1000), (13, 1000), (14, 16)] {
            guard case .list(let parts) = base[[key]] else { continue }
            add(
                .list,
                base.changing([key]) { _ in
                    .list((0...most).map { parts[$0 % parts.count] })
                },
                line: line(of: [key])
            )
            all[all.count - 1].lines = line(of: [key])...Int.max / 2
            add(.list, base.changing([key]) { .list([$0]) })
            for number in parts.indices {
                var fewer = parts
                fewer.remove(at: number)
                add(.list, base.changing([key]) { _ in .list(fewer) }, refused: false)
                var more = parts
                more.append(parts[number])
                add(
                    .list,
                    base.changing([key]) { _ in .list(more) },
                    structural: false,
                    refused: key == 14
                )
                if key == 14 { all[all.count - 1].lines = 1...lines(baseText).count + 4 }
            }
        }
        for name in ["Council", "Officer"] {
            let number = name == "Council" ? 0 : 1
            let twin = base.changing([14, number, 0]) { _ in .text(name) }
            add(.list, twin, line: line(of: [14, 1, 0]), structural: false)
        }
    }

    // MARK: Bytes

    private mutating func changeBytes() {
        let bytes = Array(baseText.utf8)
        for place in stride(from: 0, to: bytes.count, by: 7) {
            addBytes(.truncated, Array(bytes[..<place]), place)
        }
        let structure = Array("{}[]\":,".utf8)
        for place in bytes.indices where structure.contains(bytes[place]) {
            var text = bytes
            text.remove(at: place)
            addBytes(.byte, text, place)
        }
        var random = SplitMix(seed: 46)
        for number in 0..<900 {
            var text = bytes
            let place = Int.random(in: text.indices, using: &random)
            switch number % 3 {
            case 0: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: text.remove(at: place)
            default:
                let inserted = structure.randomElement(using: &random) ?? 0
                text.insert(
                    number % 2 == 0 ? inserted : .random(in: 0...255, using: &random),
                    at: place
                )
            }
            addBytes(.byte, text, place)
        }
    }

    private mutating func addBytes(_ kind: PolicyMutation.Kind, _ text: [UInt8], _ place: Int) {
        let line = baseText.utf8.prefix(place).count { $0 == 0x0A } + 1
        all.append(
            PolicyMutation(
                kind: kind,
                text: text,
                lines: max(1, line - 2)...line + 20,
                isRefused: kind == .truncated
            )
        )
    }
}
