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
    private let base = Draft.policy
    private let baseText = Draft.policy.written()
    private(set) var all: [PolicyMutation] = []

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
    private mutating func add(
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
        let optional: Set = ["app", "title", "device", "during"]
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
    private func line(of path: [Int]) -> Int {
        firstDifference(base.changing(path) { _ in .leaf("?") }.written())
    }

    /// The line after the end of a part.
    private func lineAfter(_ path: [Int]) -> Int {
        line(of: path) + lines(base[path].written()).count
    }

    // MARK: Types

    private mutating func changeType(_ path: [Int]) {
        let others: [(String, Set<String>)] = [
            ("null", []), ("true", ["titles"]), ("7", []), ("-1", []), ("1.5", []), ("1e999", []),
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

    // MARK: Values

    private mutating func changeValues() {
        let durations = [
            "7", "7 d", "7w", "7D", "-7d", "7d ", " 7d", "d", "7.5d", "7dd", "1h30", "٧d", "7d,",
            "inf",
            "1234567d",
        ]
        let sizes = [
            "64", "64X", "64MB", "-64M", "64.5M", " 64M", "64 M", "M", "1234567890M", "64Mi",
        ]
        let amounts: [(Int, wrong: [String], outside: [String])] = [
            (7, durations, ["59s", "0d", "3654d", "999999d", "7d\\n"]),
            (8, sizes, ["2M", "65G", "0M", "1K"]),
            (10, durations, ["29m", "1799s", "0h", "1s", "367d", "29m59s"]),
        ]
        for (key, wrong, outside) in amounts {
            for text in wrong { add(.amount, base.changing([key]) { _ in .text(text) }) }
            for text in outside {
                add(.amount, base.changing([key]) { _ in .text(text) }, structural: false)
            }
        }
        for key in [4, 6] {
            for text in ["Timing", "timing ", "everything", "fulll", "0", "consents", "none"] {
                add(.value, base.changing([key]) { _ in .text(text) })
            }
        }
        for text in [
            "Mon-Fry", "Mon-", "Mon/Fri", "12:00", "25:00-26:00", "12:60-13:00", "Mon 12:00",
            "Mon 12:00-13:00 x", "12:00-13:00 Mon", "Mon,,Tue", "Montag", "24:00-01:00",
            "Mon\\tTue",
        ] {
            add(.value, base.changing([11, 0, 3]) { _ in .text(text) })
        }
        // A schema cannot compare two hours.
        let never = base.changing([11, 0, 3]) { _ in .text("12:00-12:00") }
        add(.value, never, structural: false)
        changeSteward()
        let control = ["a\\u0000b", "a\\u001bb", "a\\u007fb", "a\\tb"]
        for path in [[1], [2], [3], [11, 0, 0], [12, 0], [13, 0, 0]] {
            for text in control { add(.value, base.changing(path) { _ in .text(text) }) }
            let long = String(repeating: "x", count: 1001)
            add(.value, base.changing(path) { _ in .text(long) })
            for text in ["a\\u202eb", "a\\u2028b", "\\ud83d", "\\x"] {
                add(.value, base.changing(path) { _ in .text(text) }, structural: false)
            }
        }
        for text in ["0", "2", "01", "\"1\"", "1.5"] {
            add(.value, base.changing([0]) { _ in .leaf(text) }, structural: text != "01")
        }
    }

    private mutating func changeSteward() {
        guard case .leaf(let quoted) = base[[13, 0, 1]] else { return }
        let key = String(quoted.dropFirst().dropLast())
        for text in [
            String(key.dropFirst()), key + "0", "g" + String(key.dropFirst()),
            String(key.dropFirst(2)) + "--", " " + key, String(key.dropFirst(2)), "0x" + key,
            "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw",
            "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw=", "AAAA",
        ] {
            add(.value, base.changing([13, 0, 1]) { _ in .text(text) })
        }
        let zeros = String(repeating: "00", count: 31)
        let ones = String(repeating: "ff", count: 30)
        for text in [
            // Of small order, or not the only way to write a point.
            zeros + "00", zeros + "80", "01" + zeros, "ec" + ones + "7f", "ed" + ones + "7f",
            "ee" + ones + "7f", "ff" + ones + "ff",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC03FA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgx=",
        ] {
            add(.value, base.changing([13, 0, 1]) { _ in .text(text) }, structural: false)
        }
    }

    // MARK: Lists

    private mutating func changeLists() {
        for (key, most) in [(11, 1000), (12, 1000), (13, 16)] {
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
                    refused: key == 13
                )
                if key == 13 { all[all.count - 1].lines = 1...lines(baseText).count + 4 }
            }
        }
        for name in ["Council", "Officer"] {
            let number = name == "Council" ? 0 : 1
            let twin = base.changing([13, number, 0]) { _ in .text(name) }
            add(.list, twin, line: line(of: [13, 1, 0]), structural: false)
        }
    }

    // MARK: Bytes

    private mutating func changeBytes() {
        let bytes = Array(baseText.utf8)
        for place in stride(from: 0, to: bytes.count, by: 7) {
            addBytes(.truncated, Array(bytes[..<place]), place)
        }
        let structure = Set("{}[]\":,".utf8)
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
