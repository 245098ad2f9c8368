// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import System
import Testing

/// The companion with a real mcid, dbus-daemon, logind's double of python-dbusmock, and dbus-python.
@Suite(.serialized) struct CompanionTests {
    private let desktop: Desktop
    private let hand: Hand
    private let daemon: Daemon
    private let desk: Desk

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
        daemon = try Daemon(desktop)
        desk = try Desk()
        try daemon.record(hand)
    }

    /// Starts a companion and waits until it vouches.
    private func attended() throws -> CompanionRig {
        let rig = try CompanionRig(desk, for: daemon.folder)
        #expect(eventually { daemon.status?.session?.isAttended == true })
        #expect(eventually { (try? desk.ask("inhibitors")) as? Int == 1 })
        return rig
    }

    private var reason: String? { daemon.status?.reason }

    /// Waits until recording goes on.
    private func isOpen() -> Bool { eventually { daemon.status?.state == .recording } }

    /// Closes and opens, and types a key in between; returns how long closing took, in milliseconds.
    private func time(_ word: GapReason, _ close: () throws -> Void) throws -> Int64 {
        let begin = KernelClock.monotonic.milliseconds
        try close()
        #expect(eventually { reason == word.name }, "\(word.name): \(reason ?? "open")")
        return KernelClock.monotonic.milliseconds - begin
    }

    @Test func `locks, sleep and another session close, and open when they are over`() throws {
        let rig = try attended()
        let name = "org.example.ScreenSaver"
        let ways: [(GapReason, () throws -> Void, () throws -> Void)] = [
            (
                .sessionLocked, { try desk.ask("property", "LockedHint", true) },
                { try desk.ask("property", "LockedHint", false) }
            ),
            (
                .sessionLocked, { try desk.ask("signal", "Lock") },
                { try desk.ask("signal", "Unlock") }
            ),
            (
                .sessionLocked, { try desk.ask("saver", name, true) },
                { try desk.ask("saver", name, false) }
            ),
            (
                .away, { try desk.ask("property", "Active", false) },
                { try desk.ask("property", "Active", true) }
            ),
            (.asleep, { try desk.ask("sleep", true) }, { try desk.ask("sleep", false) }),
        ]
        var times: [Int64] = []
        var typed = 0
        let rounds = isProof ? 100 : 3
        for _ in 0..<rounds {
            for (word, close, open) in ways {
                try #require(isOpen())
                times.append(try time(word, close))
                for _ in 0..<2 {
                    hand.key("Delete", down: true)
                    hand.key("Delete", down: false)
                    typed += 1
                }
                hand.flush()
                #expect(reason == word.name)
                if word == .asleep {
                    #expect(eventually { (try? desk.ask("inhibitors")) as? Int == 0 })
                }
                try open()
                if word == .asleep {
                    #expect(eventually { (try? desk.ask("inhibitors")) as? Int == 1 })
                }
            }
        }
        #expect(isOpen())
        try daemon.settled()
        let stored = try daemon.export().count { $0["keysym"] as? String == "Delete" }
        print(
            "session: \(times.count) closings, at most \(times.max() ?? 0) ms; \(stored) of \(typed) keys stored"
        )
        #expect(stored == 0)
        #expect(rig.process.isRunning)
    }

    @Test func `a companion that is killed or stopped closes, until it is back`() throws {
        let rig = try attended()
        let took = try time(.unattended) { rig.kill() }
        print("killed: closed after \(took) ms")
        let other = try CompanionRig(desk, for: daemon.folder)
        #expect(isOpen())
        Foundation.kill(other.id, SIGSTOP)
        #expect(eventually { reason == GapReason.unattended.name })
        Foundation.kill(other.id, SIGCONT)
        #expect(isOpen())
        // It outlasts the end of mcid.
        other.kill()
        #expect(eventually { reason == GapReason.unattended.name })
        daemon.kill()
        try daemon.start()
        #expect(reason == GapReason.unattended.name)
        #expect(try daemon.command("resume").code == 0)
        #expect(isOpen())
    }

    @Test func `a locker that is gone has not opened`() throws {
        let rig = try attended()
        let name = "org.mate.ScreenSaver"
        try desk.ask("saver", name, true)
        #expect(eventually { reason == GapReason.sessionLocked.name })
        try desk.ask("end_saver", name)
        // The icon's next round trip comes after what the end of the locker caused.
        try desk.ask("menu", rig.item)
        #expect(reason == GapReason.sessionLocked.name)
        try desk.ask("saver", name, false)
        #expect(isOpen())
    }

    @Test func `only logind and the owner of a locker's name are believed`() throws {
        let rig = try attended()
        try desk.ask("property", "LockedHint", true)
        #expect(eventually { reason == GapReason.sessionLocked.name })
        for client in try #require(try desk.ask("clients") as? [String]) {
            try desk.ask("pretend_login", "Unlock", client)
            try desk.ask("pretend_login", "PropertiesChanged", client)
        }
        // Two round trips, for the buses are read in turns.
        try desk.ask("menu", rig.item)
        try desk.ask("menu", rig.item)
        #expect(reason == GapReason.sessionLocked.name)
        try desk.ask("property", "LockedHint", false)
        #expect(isOpen())
        try desk.ask("saver", "org.gnome.ScreenSaver", true)
        #expect(eventually { reason == GapReason.sessionLocked.name })
        try desk.ask("pretend", "org.gnome.ScreenSaver", false)
        try desk.ask("menu", rig.item)
        #expect(reason == GapReason.sessionLocked.name)
    }

    @Test func `the icon comes with each panel, and its menu does what it says`() throws {
        try desk.ask("start_notifications")
        let rig = try attended()
        for _ in 0..<(isProof ? 100 : 3) {
            try desk.ask("start_panel")
            #expect(eventually { (try? desk.ask("items")) as? [String] == [rig.item] })
            try desk.ask("end_panel")
        }
        let item = try #require(try desk.ask("item", rig.item) as? [String: Any])
        #expect(item["status"] as? String == "Active" && item["menu"] as? String == "/MenuBar")
        #expect(item["pixels"] as? Bool == true && item["middle"] as? String == "ffd92020")
        #expect((item["tip"] as? String)?.hasPrefix("Recording since ") == true)

        func numbers() throws -> [String: Int] {
            let menu = try #require(try desk.ask("menu", rig.item) as? [[Any]])
            return menu.reduce(into: [:]) { found, entry in
                if let label = entry[1] as? String { found[label] = entry[0] as? Int }
            }
        }
        func choose(_ label: String, inGroup: Bool = true) throws {
            let number = try #require(try numbers()[label], "\(label)")
            try desk.ask("click", rig.item, number, inGroup)
        }
        for (label, seconds) in [("15 minutes", 900), ("30 minutes", 1800), ("1 hour", 3600)] {
            try choose(label, inGroup: seconds != 900)
            #expect(eventually { daemon.status?.state == .paused })
            let until = try #require(daemon.status?.until.flatMap { WallTime($0) })
            let left = until.milliseconds - KernelClock.realtime.milliseconds
            #expect((Int64(seconds - 30) * 1000...Int64(seconds) * 1000).contains(left))
            #expect(try numbers().keys.contains { $0.hasPrefix("Paused until ") })
            try choose("Resume")
            #expect(isOpen())
        }
        try choose("Until tomorrow, 06:00")
        #expect(eventually { daemon.status?.state == .paused })
        try choose("Resume")
        #expect(isOpen())
        try choose("The last 5 minutes")
        #expect(
            eventually {
                (try? shown())?.contains { $0.hasSuffix(" batches were erased.") } == true
            }
        )
        try choose("Exempt the application in front")
        #expect(eventually { daemon.status?.exemptions == 1 })
        try choose("Go on without this icon")
        rig.process.waitUntilExit()
        #expect(rig.process.terminationStatus == 77)
        #expect(daemon.status?.session == Status.Session())
    }

    /// The texts of the notifications.
    private func shown() throws -> [String] {
        (try desk.ask("notifications") as? [[Any]])?.compactMap { $0[1] as? String } ?? []
    }

    @Test func `what the person should know is shown once`() throws {
        try desk.ask("start_notifications")
        let rig = try attended()
        #expect(try daemon.command("pause", "2s").code == 0)
        #expect(eventually { (try? titles())?.contains("The pause is over") == true })
        #expect(try daemon.command("set", "key-detail", "full", "--yes").code == 0)
        #expect(eventually { (try? titles())?.contains("mci records what you type") == true })
        #expect(try daemon.command("exempt", "add", "--app", "Other", "--for", "5m").code == 0)
        #expect(eventually { (try? titles())?.contains("An exemption ends") == true })
        let openings = Openings(count: 2, person: "R. Reader", team: "research", job: "train")
        try openings.write(daemon.folder.paths.openings)
        #expect(eventually { (try? titles())?.contains("mci: a release was opened") == true })
        let menu = try #require(try desk.ask("menu", rig.item) as? [[Any]])
        #expect(
            menu.contains {
                $0[1] as? String == "Released: 2 openings, the last by R. Reader (research, train)"
            }
        )
        _ = try daemon.call(.flush)
        #expect(Set(try titles()).count == (try titles()).count)
        #expect(try shown().allSatisfy { !$0.contains("Other") })
        #expect(rig.process.isRunning)
    }

    private func titles() throws -> [String] {
        (try desk.ask("notifications") as? [[Any]])?.compactMap { $0[0] as? String } ?? []
    }

    @Test func `it holds nothing, and only the beat wakes it`() throws {
        let rig = try attended()
        let before = rig.descriptors
        for _ in 0..<(isProof ? 1000 : 20) {
            try desk.ask("sleep", true)
            #expect(eventually { (try? desk.ask("inhibitors")) as? Int == 0 })
            try desk.ask("sleep", false)
            #expect(eventually { (try? desk.ask("inhibitors")) as? Int == 1 })
        }
        #expect(eventually { rig.descriptors == before })
        // At rest: a report every two seconds, and mcid's answer to it.
        let (waits, begin) = (rig.waits, KernelClock.monotonic.milliseconds)
        usleep(6_000_000)
        let beats = Int(KernelClock.monotonic.milliseconds - begin) / 2000 + 1
        print("at rest: \(rig.waits - waits) waits in \(beats) beats")
        #expect(rig.waits - waits <= 3 * beats)
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(rig.id)/fd")
        let open = files.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(rig.id)/fd/\($0)")
        }
        #expect(open.allSatisfy { !$0.contains("ring") && !$0.contains("identity") })
        let maps = try String(contentsOfFile: "/proc/\(rig.id)/maps", encoding: .utf8)
        #expect(!maps.contains("libX11") && !maps.contains("libsqlite3"))
    }

    @Test func `without a bus it says so and ends`() throws {
        let result = try Program.run(
            "mci-companion",
            [],
            environment: daemon.folder.environment.merging([
                "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
                "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere",
            ]) { _, own in own }
        )
        #expect(result.code == 69 && result.errors.contains("no message bus"))
        #expect(daemon.status?.session == Status.Session())
    }
}
