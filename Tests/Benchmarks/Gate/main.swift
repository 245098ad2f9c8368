// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// What the gate costs an event with few rules and with a thousand, and what a new window costs.
/// Prints medians of nine runs each.

private struct Counter: GateSink {
    var outputs = 0
    mutating func take(_ output: GateOutput) { outputs += 1 }
}

private func openGate(rules: Int) -> Gate {
    var restrictions = Restrictions()
    for exclusion in DefaultExclusion.all { restrictions.exclusions.formUnion(exclusion.rules) }
    for number in 0..<rules {
        let rule = Rule(app: Glob("*program-\(number)*"), title: Glob("*secret \(number)*"))
        restrictions.exemptions.insert(rule)
    }
    var conditions = Gate.Conditions()
    (conditions.hasConsent, conditions.isSound) = (true, true)
    (conditions.hasSpace, conditions.isConnected) = (true, true)
    (conditions.isAwake, conditions.isMarked) = (true, true)
    var gate = Gate(stopped: EventTime(0))
    var sink = Counter()
    let minute = WeekMinute(day: 0, minuteOfDay: 0)
    gate.use(restrictions, at: minute, from: EventTime(0), into: &sink)
    gate.set(conditions, at: EventTime(0), into: &sink)
    return gate
}

private func window(_ number: Int) -> CaptureEvent {
    let window = WindowFacts(app: "Editor", instance: "editor", title: "Letter \(number)")
    return .context(.window(window), stream: .pointer, at: EventTime(0))
}

/// Nanoseconds of one of many.
private func nanoseconds(_ count: Int, _ body: () -> Void) -> Double {
    var times: [Double] = []
    for _ in 0..<9 {
        let clock = ContinuousClock()
        let time = clock.measure(body)
        let (seconds, attoseconds) = time.components
        times.append((Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(count))
    }
    return times.sorted()[4]
}

private func round(_ value: Double) -> String {
    value < 100 ? "\((value * 10).rounded() / 10)" : "\(Int(value))"
}

for rules in [0, 1000] {
    var gate = openGate(rules: rules)
    var sink = Counter()
    _ = gate.take(window(0), into: &sink)
    let events = 1_000_000
    let each = nanoseconds(events) {
        for number in 0..<events {
            let raw = RawEvent(
                time: EventTime(Int64(number)),
                device: 4,
                payload: .motion(dx: 1, dy: 1)
            )
            _ = gate.take(.input(raw, stream: .pointer), into: &sink)
        }
    }
    precondition(sink.outputs == 9 * events, "Every movement is admitted.")
    let windows = 200
    let change = nanoseconds(windows) {
        for number in 0..<windows { _ = gate.take(window(number), into: &sink) }
    }
    print(
        "gate, \(rules) exemptions: \(round(each)) ns an event, \(round(change / 1000)) µs a new window"
    )
}

/// Titles as long as they are read, against patterns that were made to take long.
private func titles() {
    let letters = [
        ("ASCII", "a"), ("Cyrillic", "Ж"), ("Hindi", "क"), ("accents", "é"),
        ("accents apart", "e\u{301}"), ("marks without order", "\u{301}\u{323}"),
    ]
    let hostile = (0..<50).compactMap { number in
        Glob(String(repeating: "*a", count: number + 1) + String(repeating: "a", count: 100) + "*b")
    }
    let loose = (0..<50).compactMap { Glob("*a?" + String(repeating: "a?", count: $0) + "*b") }
    for (name, letter) in letters {
        // All that the patterns name is in it, and not where they want it.
        let title = "ab" + String(repeating: letter, count: 16_384 / letter.utf8.count)
        let fold = nanoseconds(10) { for _ in 0..<10 { _ = Glob.Text(title) } }
        let text = Glob.Text(title)
        // Of the letters of the title, so that each beginning matches for long.
        let own = (0..<50).compactMap { number in
            Glob("*" + String(repeating: "\(letter)?", count: number + 1) + "b\(letter)*")
        }
        let times = [hostile, loose, own].map { globs in
            nanoseconds(1) { precondition(!globs.contains { $0.matches(text) }) } / 1e6
        }
        let first = nanoseconds(1) { _ = own[0].matches(Glob.Text(title)) } / 1e6
        print(
            "titles of 16 KB, \(name): \(round(fold / 1000)) µs to fold, \(round(times[0])) ms for 50"
                + " hostile patterns, \(round(times[1])) ms with ? in them, \(round(times[2])) ms with its own"
                + " letters too; \(round(first)) ms from the title to the first of these"
        )
    }
}

titles()
