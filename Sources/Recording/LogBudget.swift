// SPDX-License-Identifier: Apache-2.0

import Events
import Person
import Synchronization

/// A limit on the bytes of the log: a storm of errors must not fill the person's disk.
///
/// It refills slowly and holds about a quarter of a day's worth, so no day gets more than a
/// megabyte. Omitted lines are counted, and the next written line reports them.
package final class LogBudget: Sendable {
    /// Whether a line is written.
    package enum Verdict: Equatable {
        /// The line is omitted.
        case leftOut
        /// The line is written; `missing` is the number of lines omitted before it.
        case written(missing: Int)
    }

    private struct State {
        var bytes: Int64
        var filledAt: Int64
        var missing = 0
        /// Whether lines are omitted until there is room for many again.
        var isDry = false
    }

    /// The message that reports omitted lines.
    package static let sentence = "Log lines were left out"
    /// Maximum number of bytes at once.
    private static let capacity: Int64 = 200_000
    /// Bytes reserved for urgent lines.
    private static let reserve: Int64 = 20_000
    /// Bytes that must be free again before a storm is reported again.
    private static let enough: Int64 = 20_000
    /// Bytes of the line that reports omitted lines.
    private static let notice: Int64 = 100
    /// Milliseconds until another byte is available: 720,000 bytes a day.
    private static let pace: Int64 = 120

    private let now: @Sendable () -> Int64
    // A log handler must be sendable, although only one thread uses this one.
    private let state: Mutex<State>

    /// Makes a full budget.
    ///
    /// - Parameter now: returns monotonic milliseconds.
    package init(
        now: @escaping @Sendable () -> Int64 = { SystemClock.now().monotonic.milliseconds }
    ) {
        self.now = now
        state = Mutex(State(bytes: Self.capacity, filledAt: now()))
    }

    /// Requests the bytes of a line.
    ///
    /// - Parameters:
    ///   - bytes: the length of the line.
    ///   - isUrgent: whether it may use the reserve.
    /// - Returns: whether to write the line.
    package func spend(_ bytes: Int, isUrgent: Bool) -> Verdict {
        let now = now()
        return state.withLock { state in
            let gained = (now - state.filledAt) / Self.pace
            state.bytes = min(state.bytes + gained, Self.capacity)
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
