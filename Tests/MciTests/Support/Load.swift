// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Moves the pointer a thousand times a second until it is stopped.
final class Load: Sendable {
    private let isStopped = Mutex(false)
    private let count = Mutex(0)
    private let ended = DispatchSemaphore(value: 0)

    /// Moves the pointer until it is stopped.
    ///
    /// - Parameters:
    ///   - desktop: whose pointer.
    ///   - pause: microseconds between two movements.
    ///   - together: movements without a pause.
    /// - Throws: where the display cannot be opened.
    init(_ desktop: Desktop, pause: UInt32 = 900, together: Int = 1) throws {
        nonisolated(unsafe) let hand = try Hand(desktop)
        let thread = Thread { [self] in
            var step: Int32 = 0
            while !isStopped.withLock({ $0 }) {
                for _ in 0..<together {
                    step += 1
                    hand.move(dx: step % 3 - 1, dy: 1)
                }
                count.withLock { $0 += together }
                usleep(pause)
            }
            ended.signal()
        }
        thread.start()
    }

    /// The movements made so far.
    var moved: Int { count.withLock { $0 } }

    func stop() {
        isStopped.withLock { $0 = true }
        ended.wait()
    }
}
