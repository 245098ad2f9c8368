// SPDX-License-Identifier: Apache-2.0

import Events
import System

/// A whole file, read before anything of it is played, and then played in its time.
package struct ReplayFile {
    /// What a file holds.
    package struct Summary: Equatable, Sendable {
        package var events = 0
        package var keys: Set<WantedKey> = []
    }

    /// How often it is found out whether somebody began to record the target.
    private static let checkInterval: Int64 = 250_000_000
    /// Longer stretches in which nothing was recorded are cut to this.
    private static let maxGap: Int64 = 1000

    private let path: String
    /// What the file holds.
    package let survey: Summary

    /// Reads a file through.
    ///
    /// - Parameter path: a JSON Lines export.
    /// - Throws: ``ReplayError`` `badFile`, which names the first line that is not an event.
    package init(_ path: String) throws(ReplayError) {
        self.path = path
        var survey = Summary()
        try Self.forEach(path) { line throws(ReplayError) in
            survey.events += 1
            if line.kind == .key, let wanted = line.wanted { survey.keys.insert(wanted) }
            return true
        }
        guard survey.events > 0 else { throw ReplayError(.badFile, "\(path) holds no events.") }
        self.survey = survey
    }

    /// Plays the file.
    ///
    /// - Parameters:
    ///   - target: what to play into.
    ///   - speed: how many times as fast as it was recorded; nil is as fast as the target takes it.
    ///   - player: made for the target.
    ///   - interruption: ends it early.
    ///   - progress: told how many of all lines were played.
    /// - Throws: ``ReplayError``; keys and buttons were then let go where the server is still there.
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
                // What is due together is sent together.
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

    /// XTestDevice out the lines until the body returns false.
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

    /// When each line is due.
    struct Clock {
        let speed: Double?
        private let start = SignalWaiter.now
        /// The time of the line before, and how long after the first it was due, in milliseconds.
        private var last: Int64?
        private var elapsed: Int64 = 0
        private var isAfterGap = false
        /// A century, in nanoseconds.
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
            // Ten thousand years at a hundredth of the speed are more nanoseconds than there are.
            let wait = min(Double(elapsed) * 1e6 / speed, Self.maxWait)
            return start + Int64(wait)
        }
    }
}
