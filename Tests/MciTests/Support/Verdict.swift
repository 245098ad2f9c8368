// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation

/// How a recording differs from what was injected.
struct Verdict: CustomStringConvertible {
    var injected: Int
    var recorded: Int
    var lost = 0
    /// Recorded more often than injected, or with a value that was not.
    var extra = 0
    var misplaced = 0
    /// Outside the time in which the event happened.
    var mistimed = 0
    var examples: [String] = []

    var isExact: Bool { lost == 0 && extra == 0 && misplaced == 0 && mistimed == 0 }

    /// - Parameters:
    ///   - truths: what was injected, in its order.
    ///   - recorded: the lines of the export.
    ///   - injected: how many events were injected.
    init(
        _ truths: [Oracle.Truth],
        _ recorded: [(text: String, isKey: Bool, time: Int64)],
        injected: Int
    ) {
        self.injected = injected
        self.recorded = recorded.count
        var times = [Int64](repeating: 0, count: truths.count)
        for isKey in [true, false] {
            let wanted = truths.indices.filter { truths[$0].isKey == isKey }
            let found = recorded.filter { $0.isKey == isKey }
            guard wanted.map({ truths[$0].text }) == found.map(\.text) else {
                compare(wanted.map { truths[$0].text }, found.map(\.text))
                continue
            }
            for (index, event) in zip(wanted, found) { times[index] = event.time }
        }
        guard lost == 0, extra == 0, misplaced == 0 else { return }
        // Both streams' events are in the order of the server's milliseconds.
        for (first, second) in zip(recorded, recorded.dropFirst()) where first.time > second.time {
            misplaced += 1
            note("\(second.text) at \(second.time) after \(first.text) at \(first.time)")
        }
        misplaced += zip(times, times.dropFirst()).filter { $0 > $1 }.count
        for (truth, time) in zip(truths, times)
        where time < truth.sent - 2 || time > truth.handled + 2 {
            mistimed += 1
            note("\(truth.text) at \(time), injected from \(truth.sent) to \(truth.handled)")
        }
    }

    private mutating func compare(_ wanted: [String], _ found: [String]) {
        var count: [String: Int] = [:]
        for text in wanted { count[text, default: 0] += 1 }
        for text in found { count[text, default: 0] -= 1 }
        lost += count.values.filter { $0 > 0 }.reduce(0, +)
        extra -= count.values.filter { $0 < 0 }.reduce(0, +)
        misplaced += zip(wanted, found).filter { $0 != $1 }.count
        if let first = zip(wanted, found).enumerated().first(where: { $0.1.0 != $0.1.1 })?.offset {
            note("injected: \(wanted[first..<min(first + 8, wanted.count)])")
            note("recorded: \(found[first..<min(first + 8, found.count)])")
        }
    }

    private mutating func note(_ text: String) {
        if examples.count < 4 { examples.append(text) }
    }

    var description: String {
        let total = injected.formatted(.number.locale(Locale(identifier: "en_US")))
        guard !isExact else {
            return "\(total) injected: 0 lost, 0 doubled, order kept, values and times exact"
        }
        return """
            \(total) injected: \(lost) lost, \(extra) doubled or changed, \(misplaced) out of order, \
            \(mistimed) at another time; \(examples.joined(separator: "; "))
            """
    }
}
