// SPDX-License-Identifier: Apache-2.0

import Events
import Person
import Synchronization

/// Bytes that the log may still take: a storm of errors must not fill the person's disk.
///
/// It fills up slowly and holds a quarter of a day's worth, so that no day sees more than a megabyte.
/// What is left out is counted and told with the next line.
package final class LogBudget: Sendable {
    /// What becomes of a line.
    package enum Verdict: Equatable {
        case leftOut
        /// It is written, after so many that were left out.
        case written(missing: Int)
    }

    private struct State {
        var bytes: Int64
        var filledAt: Int64
        var missing = 0
        /// Whether lines are left out until there is room for many again.
        var isDry = false
    }

    /// What tells of lines that are missing.
    package static let sentence = "Log lines were left out"
    /// The most bytes at once.
    private static let most: Int64 = 200_000
    /// Bytes kept back for what is urgent.
    private static let reserve: Int64 = 20_000
    /// Bytes that there must be again before a storm is told of once more.
    private static let enough: Int64 = 20_000
    /// Bytes of the line that tells of what is missing.
    private static let notice: Int64 = 100
    /// Milliseconds for one more byte: 720,000 bytes a day.
    private static let pace: Int64 = 120

    private let now: @Sendable () -> Int64
    // A log handler has to be sendable; here it has one thread all the same.
    private let state: Mutex<State>

    /// A full budget.
    ///
    /// - Parameter now: monotonic milliseconds.
    package init(
        now: @escaping @Sendable () -> Int64 = { SystemClock.now().monotonic.milliseconds }
    ) {
        self.now = now
        state = Mutex(State(bytes: Self.most, filledAt: now()))
    }

    /// Asks for a line's bytes.
    ///
    /// - Parameters:
    ///   - bytes: the length of the line.
    ///   - isUrgent: whether it may take what is kept back.
    /// - Returns: whether it may be written.
    package func spend(_ bytes: Int, isUrgent: Bool) -> Verdict {
        let now = now()
        return state.withLock { state in
            let gained = (now - state.filledAt) / Self.pace
            state.bytes = min(state.bytes + gained, Self.most)
            state.filledAt += gained * Self.pace
            let cost = Int64(bytes) + Self.notice
            let floor = isUrgent ? 0 : Self.reserve + (state.isDry ? Self.enough : 0)
            guard state.bytes - cost >= floor else {
                state.missing += 1
                state.isDry = true
                return .leftOut
            }
            if !isUrgent { state.isDry = false }
            state.bytes -= state.missing > 0 ? cost : Int64(bytes)
            defer { state.missing = 0 }
            return .written(missing: state.missing)
        }
    }
}
