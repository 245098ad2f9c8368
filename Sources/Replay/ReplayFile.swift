// SPDX-License-Identifier: Apache-2.0

import Events
import System

/// An export file that is read completely before any of it is played, and then played in time.
package struct ReplayFile {
    /// A summary of a file.
    package struct Summary: Equatable, Sendable {
        /// The number of lines.
        package var events = 0
        /// The keys that the file needs.
        package var keys: Set<WantedKey> = []
    }

    /// Nanoseconds between two checks whether a recorder has connected to the target.
    private static let checkInterval: Int64 = 250_000_000
    /// Maximum duration of a gap in milliseconds; longer gaps are cut to it.
    private static let maxGap: Int64 = 1000

    private let path: String
    /// The summary of the file.
    package let summary: Summary

    /// Reads and checks a whole file.
    ///
    /// - Parameter path: a JSON Lines export.
    /// - Throws: ``ReplayError`` `badFile`, which names the first line that is not an event.
    package init(_ path: String) throws(ReplayError) {
        self.path = path
        var summary = Summary()
        try Self.forEach(path) { line throws(ReplayError) in
            summary.events += 1
            if line.kind == .key, let wanted = line.wanted { summary.keys.insert(wanted) }
            return true
        }
        guard summary.events > 0 else { throw ReplayError(.badFile, "\(path) contains no events.") }
        self.summary = summary
    }

    /// Plays the file.
    ///
    /// - Parameters:
    ///   - target: the display to play into.
    ///   - speed: a factor relative to the recording; nil plays as fast as the target allows.
    ///   - player: made for the target.
    ///   - interruption: ends the playing early.
    ///   - progress: receives how many lines were played.
    /// - Throws: ``ReplayError``; keys and buttons are then released if the server is still there.
    package func play(
        into target: Target,
        speed: Double?,
        with player: inout Player,
        until interruption: SignalWaiter,
        progress: (Int) -> Void
    ) throws(ReplayError) {
        var clock = Clock(speed: speed)
        var done = 0
        var nextCheck = SignalWaiter.now + Self.checkInterval
        do throws(ReplayError) {
            try Self.forEach(path) { line throws(ReplayError) in
                let due = clock.moment(of: line)
                // Lines that are due together are sent together.
                var now = SignalWaiter.now
                if due > now { try player.flush() }
                while due > nextCheck || now > nextCheck {
                    guard interruption.wait(until: min(due, nextCheck)) else { return false }
                    try target.checkRecorders()
                    now = SignalWaiter.now
                    nextCheck = now + Self.checkInterval
                }
                guard interruption.wait(until: due) else { return false }
                try player.play(line)
                done += 1
                if done % 256 == 0 { try player.synchronize() }
                progress(done)
                return true
            }
        } catch {
            try? player.letGo()
            throw error
        }
        try player.letGo()
    }

    /// Passes on the lines until `body` returns false.
    private static func forEach(
        _ path: String,
        _ body: (ExportLine) throws(ReplayError) -> Bool
    ) throws(ReplayError) {
        do {
            var file = try LineFile(path)
            var number = 0
            while let bytes = try file.next() {
                number += 1
                if bytes.isEmpty { continue }
                guard try body(ExportLine.read(bytes, number: number)) else { return }
            }
        } catch let error as ReplayError {
            throw error
        } catch {
            throw ReplayError(.badFile, "\(path) cannot be read (\(error)).")
        }
    }

    /// Computes when each line is due.
    struct Clock {
        let speed: Double?
        private let start = SignalWaiter.now
        /// Time of the previous line, in milliseconds since 1970.
        private var last: Int64?
        /// Milliseconds from the first line to the previous one.
        private var elapsed: Int64 = 0
        private var isAfterGap = false
        /// About a century, in nanoseconds.
        private static let maxWait = 3.2e18

        init(speed: Double?) {
            self.speed = speed
        }

        mutating func moment(of line: ExportLine) -> Int64 {
            guard let speed else { return 0 }
            let isGap = line.kind == .gap
            var step = max(0, line.time - (last ?? line.time))
            if isAfterGap { step = min(step, ReplayFile.maxGap) }
            isAfterGap = isGap
            last = max(last ?? line.time, line.time)
            elapsed += step
            // Ten thousand years at a hundredth of the speed overflow a count of nanoseconds.
            let wait = min(Double(elapsed) * 1e6 / speed, Self.maxWait)
            return start + Int64(wait)
        }
    }
}
