// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import Sandbox
import System
import Testing

/// Files that the sandbox names by what they are, when something else comes to their path.
extension DaemonTests {
    /// An Xvfb that lets in only who shows a cookie, and the file with it in a folder.
    private func guardedDesktop(_ folder: String) throws -> Desktop {
        let number = Int.random(in: 2000...30_000)
        let cookie = (0..<16).map { _ in UInt8.random(in: 0...255) }
        try Disk.write(authority(number, cookie), to: "\(folder)/server")
        try Disk.write(authority(number, cookie), to: "\(folder)/.Xauthority")
        return try Desktop(
            server: "Xvfb",
            ["-noreset", "-nolisten", "tcp", "-auth", "\(folder)/server"],
            display: ":\(number)"
        )
    }

    /// One entry for a display of any machine.
    private func authority(_ display: Int, _ cookie: [UInt8]) -> [UInt8] {
        func field(_ bytes: some Collection<UInt8>) -> [UInt8] { [0, UInt8(bytes.count)] + bytes }
        return [0xFF, 0xFF] + field([]) + field(Array(String(display).utf8))
            + field(Array("MIT-MAGIC-COOKIE-1".utf8)) + field(cookie)
    }

    /// The notices but for the one of a desktop on which no window has the focus.
    private func notices(_ daemon: Daemon) -> [String]? {
        daemon.status?.notices?.filter { !$0.hasPrefix("Keys are not recorded: the focus") }
    }

    @Test(arguments: [true, false])
    func `after another login replaced Xauthority, a pause still ends`(named: Bool) throws {
        let folder = try TemporaryFolder()
        let desktop = try guardedDesktop(folder.path)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let path = "\(folder.path)/.Xauthority"
        daemon.environment["XAUTHORITY"] = path
        if !named {
            // As it is where nobody names the file: in the home.
            let home = try #require(daemon.environment["HOME"])
            try FileManager.default.copyItem(atPath: path, toPath: "\(home)/.Xauthority")
            daemon.environment["XAUTHORITY"] = nil
        }
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        let file = named ? path : try #require(daemon.environment["HOME"]) + "/.Xauthority"
        for _ in 0..<2 {
            // As xauth does it: a new file with what was there and one entry more.
            let more = try Disk.read(file) + authority(10, [1, 2, 3])
            try Disk.write(more, to: file)
            #expect(try daemon.command("pause", "1m").code == 0)
            #expect(try daemon.command("resume").code == 0)
            #expect(eventually { daemon.status?.state == .recording })
        }
        // Also where the file has gone.
        Disk.remove(file)
        #expect(try daemon.command("pause", "1m").code == 0)
        #expect(try daemon.command("resume").code == 0)
        #expect(eventually { daemon.status?.state == .recording })
        #expect(notices(daemon) == [], "what is not needed is no news")
        #expect(daemon.stop() == 0)
    }

    @Test
    func `a cookie that cannot be read is waited for no longer than a moment, with a sentence`()
        throws
    {
        let folder = try TemporaryFolder()
        var desktop: Desktop? = try guardedDesktop(folder.path)
        let number = try #require(Int(desktop?.display.dropFirst() ?? ""))
        let daemon = try Daemon(try #require(desktop))
        try daemon.useSmallRing()
        let path = "\(folder.path)/.Xauthority"
        daemon.environment["XAUTHORITY"] = path
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        // The server is started again, and shows its new cookie to who logs in.
        desktop?.stop()
        desktop = nil
        let cookie = [UInt8](repeating: 9, count: 16)
        try Disk.write(authority(number, cookie), to: "\(folder.path)/server")
        try Disk.write(authority(number, cookie), to: path)
        let again = try Desktop(
            server: "Xvfb",
            ["-noreset", "-nolisten", "tcp", "-auth", "\(folder.path)/server"],
            display: ":\(number)"
        )
        try #require(eventually { daemon.status?.state == .reconnecting })
        let notice = daemon.status?.notices?.first ?? ""
        #expect(notice.contains("\(path) was replaced after mcid started"), "\(notice)")
        #expect(try daemon.command("doctor").output.contains("was replaced after mcid started"))
        #expect(eventually(within: 60) { !daemon.isRunning })
        #expect(daemon.stop() == 69, "worth another start")
        #expect(daemon.log_.contains("\(path) was replaced after mcid started"), "\(daemon.log_)")
        try daemon.start()
        #expect(eventually { daemon.status?.state == .recording })
        again.stop()
    }

    @Test func `whatever folder was replaced is named, and holds after another start`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let policies = "\(daemon.folder.path)/policies"
        try Disk.makeFolder(policies)
        let policy = #"{"schema": 1, "purpose": "p", "controller": "c", "contact": "x"}"#
        try Disk.write(Array(policy.utf8), to: "\(policies)/policy.json", mode: 0o644)
        daemon.environment["MCI_POLICY"] = "\(policies)/policy.json"
        #expect(try daemon.command("consent", "--accept").code == 0)
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        #expect(notices(daemon) == [])
        let paths = daemon.folder.paths
        for folder in [paths.config + "/public", policies] {
            // As a backup is put back.
            let manager = FileManager.default
            try manager.moveItem(atPath: folder, toPath: "\(folder).old")
            try manager.copyItem(atPath: "\(folder).old", toPath: folder)
            let notices = daemon.status?.notices ?? []
            #expect(
                notices.contains { $0.contains(folder) && $0.contains("replaced") },
                "\(notices)"
            )
            #expect(try daemon.command("status").output.contains("replaced after mcid started"))
        }
        _ = try daemon.call(.reload)
        #expect(daemon.status?.state == .closed, "what cannot be read closes")
        daemon.stop()
        try daemon.start()
        // The folder with the ring itself; what becomes of a ring that was put back is another question.
        let state = daemon.folder.paths.state
        try FileManager.default.moveItem(atPath: state, toPath: "\(state).old")
        try FileManager.default.copyItem(atPath: "\(state).old", toPath: state)
        #expect(
            daemon.status?.notices?.contains { $0.hasPrefix("\(state) was replaced") } == true,
            "\(daemon.status?.notices ?? [])"
        )
        daemon.stop()
        try FileManager.default.removeItem(atPath: state)
        try FileManager.default.moveItem(atPath: "\(state).old", toPath: state)
        try daemon.start()
        let isBack = eventually { daemon.status?.state == .recording }
        #expect(isBack, "\(String(describing: daemon.status?.reason)) \(daemon.log_)")
        #expect(notices(daemon) == [])
    }

    @Test func `memory that could not be locked is named by status and doctor`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let strace = try #require(Program.path("strace"))
        let inject = "inject=mlock2:error=ENOMEM"
        daemon.wrapper = [strace, "-D", "-f", "-qq", "-e", inject, "-o", "/dev/null"]
        try daemon.start()
        let words = "The memory of the open batch could not be locked"
        #expect(daemon.status?.notices?.contains { $0.hasPrefix(words) } == true)
        #expect(try daemon.command("status").output.contains(words))
        let doctor = try daemon.command("doctor").output
        #expect(doctor.contains(words), "\(doctor)")
        daemon.stop()
        daemon.wrapper = []
        try daemon.start()
        #expect(daemon.status?.notices?.contains { $0.hasPrefix(words) } == false)
    }

    @Test func `a stopped mcictl that holds the lock of the controls stops nothing`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        // As one that was stopped while it held it.
        guard
            let lock = try FileLock.take(daemon.folder.paths.controls + ".lock", waits: false)
        else { return #expect(Bool(false), "nobody else holds it") }
        let clock = ContinuousClock()
        var refused = Program.Result(code: 0, output: "", errors: "")
        let time = try clock.measure {
            refused = try daemon.command("exempt", "add", "--app", "Editor")
        }
        #expect(refused.code != 0)
        #expect(refused.errors.contains("Another program holds the lock of the controls file"))
        #expect(time >= .seconds(1) && time < .seconds(9), "\(time)")
        #expect(daemon.status?.state == .recording, "it goes on")
        #expect(
            throws: (any Error).self,
            performing: { try daemon.call(.pause(.init(seconds: 60))) }
        )
        #expect(daemon.status?.state == .paused, "what is stricter is in force all the same")
        _ = consume lock
        #expect(try daemon.command("resume").code == 0)
        #expect(daemon.status?.state == .recording)
        #expect(try daemon.command("pause", "1m").code == 0)
        #expect(daemon.stop() == 0)
    }
}
