// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Recording
import Testing

/// What signals do to a real mcid.
extension DaemonTests {
    /// A daemon that has no signal blocked.
    private func unblockedDaemon() throws -> Daemon {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        daemon.wrapper = Program.unblocking
        return daemon
    }

    @Test func `no signal that can be caught costs an event`() throws {
        let daemon = try unblockedDaemon()
        try daemon.record(hand)
        var typed = 0
        for signal in SignalPlan.all {
            let action = SignalPlan.action(for: signal)
            if action == .leave { continue }
            if !daemon.process.isRunning { try daemon.record(hand) }
            hand.type(["F1"])
            typed += 1
            try daemon.settled()
            #expect(Foundation.kill(daemon.process.processIdentifier, signal) == 0)
            if action == .stop {
                try #require(eventually { !daemon.process.isRunning }, "signal \(signal)")
                #expect(daemon.process.terminationReason == .exit, "signal \(signal)")
                #expect(daemon.process.terminationStatus == 0, "signal \(signal)")
            } else {
                #expect(eventually { daemon.status?.state == .recording }, "signal \(signal)")
                try #require(daemon.process.isRunning, "signal \(signal)")
            }
        }
        #expect(daemon.stop() == 0)
        #expect(
            typed == 64 - 16,
            "all but those that cannot be caught, crashes and what does no harm"
        )
        let stored = try daemon.export().count {
            $0["keysym"] as? String == "F1" && $0["state"] as? String == "down"
        }
        #expect(stored == typed)
    }

    @Test func `a limit on the size of files stops the storing and not mcid`() throws {
        let daemon = try unblockedDaemon()
        try daemon.record(hand)
        // The kernel answers a write beyond it with SIGXFSZ.
        func limit(_ size: String) throws {
            let process = "\(daemon.process.processIdentifier)"
            #expect(try Program.run("prlimit", ["--pid", process, "--fsize=\(size)"]).code == 0)
        }
        // Enough for the log, and not for the ring.
        try limit("4000:unlimited")
        hand.type(["F1"])
        _ = try? daemon.call(.flush)
        #expect(eventually { daemon.log_.contains("could not be stored yet") }, "\(daemon.log_)")
        #expect(daemon.process.isRunning)
        try limit("unlimited:unlimited")
        hand.type(["F2"])
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let stored = try daemon.export().filter { $0["state"] as? String == "down" }
            .compactMap { $0["keysym"] as? String }.filter { $0 != "F12" }
        #expect(stored == ["F1", "F2"])
    }
}
