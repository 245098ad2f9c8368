// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Person
import Storage
import System

/// Erases through the daemon, or without it if it is down.
struct Eraser {
    /// The batches to erase.
    enum Scope {
        /// The batches that touch a span of wall time.
        case stretch(ClosedRange<Int64>)
        /// Batches by their numbers.
        case batches([UInt64])
    }

    private let installation: Installation
    /// How many numbers fit into a message to the daemon.
    private static let maxNumbers = 4000

    init(_ installation: Installation) {
        self.installation = installation
    }

    /// Erases, or only counts, the batches of a scope.
    ///
    /// - Returns: how many, and whether traces remain until a reader ends.
    func erase(_ scope: Scope, dryRun: Bool) throws -> (batches: Int, pending: Bool) {
        defer { if !dryRun { installation.paths.removeReport() } }
        var total = (batches: 0, pending: false)
        for call in Self.calls(scope, dryRun: dryRun) {
            guard let reply = try installation.call(.forget(call)) else {
                return (try withoutDaemon(scope, dryRun: dryRun), false)
            }
            total.batches += reply.batches ?? 0
            total.pending = total.pending || reply.pending ?? false
        }
        return total
    }

    private static func calls(_ scope: Scope, dryRun: Bool) -> [ControlCall.ForgetCall] {
        switch scope {
        case .stretch(let range):
            let since = range.lowerBound > 0 ? WallTime(range.lowerBound).text : nil
            let isOpen = range.upperBound >= Int64.max / 4
            let until = isOpen ? nil : WallTime(range.upperBound).text
            return [.init(since: since, until: until, dryRun: dryRun)]
        case .batches(let numbers):
            return stride(from: 0, to: numbers.count, by: maxNumbers).map { start in
                let part = numbers[start...].prefix(maxNumbers).map { Int64($0) }
                return .init(batches: part, dryRun: dryRun)
            }
        }
    }

    /// Does the same on the ring itself, under the lock that keeps a daemon from starting.
    private func withoutDaemon(_ scope: Scope, dryRun: Bool) throws -> Int {
        guard Disk.exists(installation.paths.ring) else { return 0 }
        guard let lock = try FileLock.take(installation.paths.daemonLock, waits: false) else {
            throw Failure(
                "mcid holds the ring but does not answer. Nothing was changed.",
                next: "systemctl --user restart mcid",
                code: Failure.unavailable
            )
        }
        let ring = try installation.ring()
        try ring.rebuildToEnd()
        let targets =
            switch scope {
            case .stretch(let range): try ring.targets(touching: range)
            case .batches(let numbers): try ring.targets(numbers)
            }
        if !dryRun {
            if !targets.isEmpty { try ring.erase(targets) }
            _ = Ring.eraseSetAside(installation.paths.ring)
        }
        _ = consume lock
        return targets.count
    }
}
