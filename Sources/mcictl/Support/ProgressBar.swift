// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Person

/// A bar on standard error for work that takes more than a second, on a terminal only.
final class ProgressBar {
    private let label: String
    private let isShown = isatty(2) == 1
    private let start = SystemClock.now().monotonic.milliseconds
    private var drawn: Int64 = 0

    init(_ label: String) {
        self.label = label
    }

    /// Redraws the bar, at most ten times a second.
    func show(_ done: Int, of total: Int) {
        guard isShown, total > 0 else { return }
        let now = SystemClock.now().monotonic.milliseconds
        guard now - start > 1000, now - drawn > 100 else { return }
        drawn = now
        let share = Self.share(done, of: total)
        let filled = share * 30 / 100
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        Terminal.draw("\r\(label) \(bar) \(share) %")
    }

    /// The percentage, from 0 to 100 whatever the numbers are: a file may have grown since it was
    /// counted.
    static func share(_ done: Int, of total: Int) -> Int {
        guard total > 0 else { return 0 }
        return Int((100 * min(max(Double(done) / Double(total), 0), 1)).rounded(.down))
    }

    /// Removes the bar.
    func end() {
        if drawn > 0 { Terminal.draw("\r\u{1B}[K") }
    }
}
