// SPDX-License-Identifier: Apache-2.0

/// Values that a field does not take.
extension PolicyMutations {
    mutating func changeValues() {
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
            (11, durations, ["29m", "1799s", "0h", "1s", "367d", "29m59s"]),
        ]
        for (key, wrong, outside) in amounts {
            for text in wrong { add(.amount, base.changing([key]) { _ in .text(text) }) }
            for text in outside {
                add(.amount, base.changing([key]) { _ in .text(text) }, structural: false)
            }
        }
        for key in [4, 6] {
            for text in [
                "Activity", "activity ", "timing", "everything", "fulll", "0", "consents", "none",
            ] {
                add(.value, base.changing([key]) { _ in .text(text) })
            }
        }
        for text in [
            "Mon-Fry", "Mon-", "Mon/Fri", "12:00", "25:00-26:00", "12:60-13:00", "Mon 12:00",
            "Mon 12:00-13:00 x", "12:00-13:00 Mon", "Mon,,Tue", "Montag", "24:00-01:00",
            "Mon\\tTue",
        ] {
            add(.value, base.changing([12, 0, 3]) { _ in .text(text) })
        }
        // A schema cannot compare two hours.
        let never = base.changing([12, 0, 3]) { _ in .text("12:00-12:00") }
        add(.value, never, structural: false)
        changeAsker()
        changeSteward()
        let control = ["a\\u0000b", "a\\u001bb", "a\\u007fb", "a\\tb"]
        for path in [[1], [2], [3], [12, 0, 0], [12, 3, 0], [13, 0], [14, 0, 0]] {
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

    private mutating func changeAsker() {
        for text in [
            "*", "**", "/opt/tools/login", "login/", "log*in", "*login", "log?n",
            String(repeating: "x", count: 257),
        ] {
            add(.value, base.changing([12, 3, 0]) { _ in .text(text) })
        }
        // A schema counts characters and not bytes.
        let long = base.changing([12, 3, 0]) { _ in .text(String(repeating: "é", count: 128)) }
        add(.value, long, structural: false)
        for other in ["app", "title", "device"] {
            let two = base.changingMembers([12, 3]) { $0.append((other, .text("x"))) }
            add(.value, two)
            all[all.count - 1].lines = line(of: [12, 3, 0])...line(of: [12, 3, 0])
        }
    }

    private mutating func changeSteward() {
        guard case .leaf(let quoted) = base[[14, 0, 1]] else { return }
        let key = String(quoted.dropFirst().dropLast())
        for text in [
            String(key.dropFirst()), key + "0", "g" + String(key.dropFirst()),
            String(key.dropFirst(2)) + "--", " " + key, String(key.dropFirst(2)), "0x" + key,
            "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw",
            "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw=", "AAAA",
        ] {
            add(.value, base.changing([14, 0, 1]) { _ in .text(text) })
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
            add(.value, base.changing([14, 0, 1]) { _ in .text(text) }, structural: false)
        }
    }
}
