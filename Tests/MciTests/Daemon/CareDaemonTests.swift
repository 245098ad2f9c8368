// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Packing
import Person
import Storage
import System
import Testing
import Timeline

/// What the person does with the recording while mcid runs.
extension DaemonTests {
    @Test func `what an application saw is forgotten by its name, with and without mcid`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, app: "Editor")
        hand.type(["F1"])
        try daemon.settled()
        // A forgetting of nothing ends the open batch.
        _ = try daemon.call(.forget(.init(batches: [])))
        for app in ["Diary", "Editor"] {
            hand.openWindow(app: app)
            try daemon.settle(hand)
            _ = try daemon.call(.forget(.init(batches: [])))
        }
        let before = try daemon.export().compactMap { $0["app"] as? String }
        #expect(before.contains("Diary") && before.contains("Editor"))
        let dry = try daemon.command("forget", "--app", "diary", "--dry-run")
        #expect(dry.code == 0 && dry.output.contains("Would erase"), "\(dry.errors)")
        #expect(try daemon.command("forget", "--app", "diary", "--yes").code == 0)
        let after = try daemon.export()
        #expect(!after.contains { $0["app"] as? String == "Diary" })
        #expect(after.contains { $0["app"] as? String == "Editor" })
        #expect(try daemon.command("verify").output.contains("erased at your request"))
        daemon.stop()
        #expect(try daemon.command("forget", "--app", "Editor", "--yes").code == 0)
        #expect(try !daemon.export().contains { $0["app"] as? String == "Editor" })
        let verified = try daemon.command("verify", "--json")
        #expect(verified.code == 0, "\(verified.output)")
        #expect(verified.json["whole"] as? Bool == true)
    }

    @Test func `limits are changed while mcid runs, and nothing is lost that fits`() throws {
        let daemon = try Daemon(desktop)
        try daemon.record(hand)
        hand.type(["F1", "F2"])
        try daemon.settled()
        for size in ["5M", "3M", "9M"] {
            let result = try daemon.command("set", "ring-size", size)
            #expect(result.code == 0, "\(result.errors)")
            hand.type(["F3"])
            try daemon.settled()
            #expect(try daemon.command("verify").code == 0)
            #expect(daemon.status?.state == .recording)
        }
        #expect(daemon.status?.ring.cap == 9 << 20)
        #expect(!daemon.log_.contains("damaged"), "\(daemon.log_)")
        let keys = try daemon.export().compactMap { $0["keysym"] as? String }
        #expect(keys.filter { $0 == "F3" }.count == 6 && keys.contains("F1"))
        #expect(try daemon.command("set", "ring-size", "3").errors.contains("Did you mean 3M?"))
        #expect(try daemon.command("set", "ring-size", "1M").code == 64)
        // A floor that no disk has.
        #expect(try daemon.command("set", "free-space", "900000G").code == 0)
        #expect(daemon.status?.reason == "disk-full")
        #expect(try daemon.command("status").output.contains("nearly full"))
        #expect(try daemon.command("set", "free-space", "0").code == 0)
        #expect(eventually { daemon.status?.state == .recording })
        #expect(try daemon.command("set", "retention", "30d").output.contains("30 d"))
        #expect(try #require(daemon.status).ring.retention == 2_592_000)
        #expect(daemon.stop() == 0)
    }

    @Test func `a reader who was added reads what comes after, and one who was removed does not`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let other = Identity()
        let file = "\(daemon.folder.path)/other"
        try Disk.write(Array(other.file(createdAt: .init(0)).utf8), to: file)
        func read() throws -> Int {
            let ring = try RingReader(path: daemon.folder.paths.ring)
            return try ring.entries().reduce(0) { count, entry in
                guard let sealed = try ring.sealed(entry),
                    case .opened(let batch) = BatchOpener([other]).open(sealed)
                else { return count }
                return count + batch.items.count
            }
        }
        hand.type(["F1"])
        try daemon.settled()
        _ = try daemon.call(.flush)
        #expect(try read() == 0)
        let added = try daemon.command("key", "recipients", "add", other.recipient, "--yes")
        #expect(added.code == 0, "\(added.errors)")
        #expect(daemon.status?.state == .recording)
        try daemon.settle(hand)
        _ = try daemon.call(.flush)
        let first = try read()
        #expect(first > 0)
        let removed = try daemon.command("key", "recipients", "remove", other.recipient, "--yes")
        #expect(removed.code == 0, "\(removed.errors)")
        try daemon.settle(hand)
        _ = try daemon.call(.flush)
        #expect(try read() == first)
        #expect(daemon.stop() == 0)
        #expect(try daemon.command("verify").code == 0)
        #expect(try daemon.export().contains { $0["keysym"] as? String == "F1" })
    }

    @Test func `keys written into the recipients file by somebody else close the gate`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let path = daemon.folder.paths.recipients
        let own = try String(contentsOfFile: path, encoding: .utf8)
        try Disk.write(Array((own + Identity().recipient + "\n").utf8), to: path)
        let status = try daemon.call(.reload).status
        #expect(status?.state == .closed && status?.reason == "consent-outdated")
        try Disk.write(Array(own.utf8), to: path)
        #expect(try daemon.call(.reload).status?.state == .recording)
        daemon.stop()
    }
}
