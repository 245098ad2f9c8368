// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import System
import Testing
import Timeline

/// The person's keys beside a running mcid.
extension DaemonTests {
    @Test func `recording goes on over a protected identity and a new key, and all of it is read`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(["F1"])
        try daemon.settled()
        let identity = daemon.folder.paths.identity
        let old = try Disk.read(identity)
        try Disk.write(try passphrase("word").seal(old, workFactor: 4), to: identity)
        hand.type(["F2"])
        try daemon.settled()
        let word = "\(daemon.folder.path)/word"
        try Disk.write(Array("word".utf8), to: word)
        // Locked out without the passphrase, recording nevertheless.
        #expect(try daemon.command("export").code == 77)
        #expect(daemon.status?.state == .recording)
        daemon.environment["MCI_PASSPHRASE_FILE"] = word
        #expect(try daemon.command("key", "unprotect").code == 0)
        let rotated = try daemon.command("key", "rotate", "--yes")
        #expect(rotated.code == 0, "\(rotated.errors)")
        #expect(daemon.status?.state == .recording)
        hand.type(["F3"])
        try daemon.settled()
        #expect(try functionKeys(daemon) == ["F1", "F2", "F3"])
        // The old key reads what was, and not what is.
        let both = try Disk.read(identity)
        try Disk.write(old, to: identity)
        #expect(try functionKeys(daemon) == ["F1", "F2"])
        #expect(try daemon.command("log").errors.contains("sealed to another key"))
        #expect(try daemon.command("key", "show").errors.contains("cannot be read with this"))
        try Disk.write(both, to: identity)
        #expect(daemon.stop() == 0)
        #expect(try functionKeys(daemon) == ["F1", "F2", "F3"])
        let shown = try daemon.command("key", "show", "--json").json
        #expect(shown["newestBatchReaders"] as? Int == 1)
        #expect((shown["keys"] as? [String])?.count == 2)
    }

    /// The function keys that were pressed, but for the one that settles the focus.
    private func functionKeys(_ daemon: Daemon) throws -> [String] {
        try daemon.export().filter { $0["state"] as? String == "down" }
            .compactMap { $0["keysym"] as? String }
            .filter { $0.hasPrefix("F") && $0 != "F12" }
    }
}
