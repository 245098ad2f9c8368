// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// Random restrictions, and random windows that they are about often enough.
struct RandomRestrictions {
    var random: SplitMix

    static let apps = ["Firefox", "firefox-esr", "KeePassXC", "XTerm", "Éditeur", ""]
    static let titles = ["Bank — Firefox", "Private Browsing", "notes.txt", "bank", ""]
    static let devices = ["AT Keyboard", "Bar Code Scanner", "Wacom Pen"]
    private static let patterns = [
        "firefox*", "*", "?Term", "keepass??", "*bank*", "*ed*", "*scanner", "éditeur", "?",
        "notes.*",
        "*a*a*", "xterm",
    ]
    private static let hours = [
        "Mon-Fri", "Sat,Sun", "12:00-13:00", "22:00-06:00", "Fri-Mon 18:30-24:00",
        "Sun 23:00-01:00",
    ]

    mutating func restrictions() -> Restrictions {
        var result = Restrictions()
        result.keyDetail = KeyDetail.allCases.randomElement(using: &random) ?? .off
        result.exclusions = Set((0..<count(0...3)).map { _ in rule() })
        result.exemptions = Set((0..<count(0...2)).map { _ in rule() })
        result.allowlists = Set(
            (0..<count(0...2)).map { _ in Set((0..<count(1...3)).compactMap { _ in glob() }) }
        )
        result.storesTitles = chance(2)
        result.recordsSyntheticKeys = chance(2)
        result.retention = chance(3) ? nil : count(60...1000)
        result.ringSize = chance(3) ? nil : count(1...1000) << 20
        return result
    }

    mutating func window() -> WindowFacts {
        WindowFacts(
            app: pick(Self.apps),
            instance: chance(2) ? "" : pick(Self.apps),
            title: chance(4) ? nil : pick(Self.titles),
            mayAskForSecret: chance(3)
        )
    }

    /// nil for a device without a name.
    mutating func device() -> String? { chance(5) ? nil : pick(Self.devices) }

    mutating func minute() -> WeekMinute {
        WeekMinute(day: count(0...6), minuteOfDay: count(0...1439))
    }

    mutating func rule() -> Rule {
        Rule(
            app: chance(2) ? glob() : nil,
            title: chance(3) ? glob() : nil,
            device: chance(4) ? glob() : nil,
            during: chance(3) ? WeekHours(pick(Self.hours)) : nil,
            atSecretPrompts: chance(6),
            asker: chance(8) ? SecretAsker("login") : nil
        )
    }

    mutating func glob() -> Glob? { Glob(pick(Self.patterns)) }

    private mutating func pick(_ list: [String]) -> String {
        list[Int.random(in: list.indices, using: &random)]
    }

    private mutating func count(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    /// Yes once in so many times.
    private mutating func chance(_ times: Int) -> Bool {
        Int.random(in: 0..<times, using: &random) == 0
    }
}
