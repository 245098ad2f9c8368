// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import Signing
import System
import Testing

extension DaemonTests {
    @Test func `a controls file put back under a running mcid, or before it starts, closes it`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let copy = try Disk.read(daemon.folder.paths.controls)
        #expect(try daemon.command("exempt", "add", "--app", "signal").code == 0)
        // What mcid wrote has reached the second copy of the marks, too.
        let key = try #require(DeviceKeyFile.read(daemon.folder.paths.deviceKey))
        #expect(daemon.folder.paths.highWater.read(key.verifier).behind.isEmpty)
        let before = try #require(daemon.status?.events.admitted)
        try Disk.write(copy, to: daemon.folder.paths.controls)
        hand.type(["a", "b", "c"])
        #expect(eventually { daemon.status?.state == .closed })
        #expect(daemon.status?.reason?.contains("put back to an older state") == true)
        #expect(daemon.status?.events.admitted == before)
        let said = try daemon.command("status").output
        #expect(said.contains("Read the notice and decide: mcictl consent"))
        let list = try daemon.command("exempt", "list")
        #expect(list.output.contains("signal") && list.errors.contains("put back to an older"))
        #expect(daemon.log_.contains("Controls were put back"))
        #expect(!daemon.log_.contains("signal"))
        daemon.stop()
        // And again while it is stopped: of the older file nothing comes to life either.
        try Disk.write(copy, to: daemon.folder.paths.controls)
        try daemon.start()
        #expect(daemon.status?.state == .closed)
        #expect(daemon.status?.reason?.contains("put back to an older state") == true)
        #expect(try daemon.command("consent", "--accept").code == 0)
        #expect(eventually { daemon.status?.state == .recording })
        #expect(try daemon.command("doctor").output.contains("[ok]    consent    given"))
    }
}
