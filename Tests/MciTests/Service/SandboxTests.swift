// SPDX-License-Identifier: Apache-2.0

import CLinux
import Control
import Events
import Foundation
import Packing
import Person
import Recording
import Sandbox
import Storage
import System
import Testing
import Timeline

/// The sandbox as the kernel enforces it. A layer is taken away by strace, which answers a system call
/// in the kernel's place: mcid believes that it is confined, as on a machine where that does nothing.
extension DaemonTests {
    @Test(
        arguments: [
            ("landlock_restrict_self:retval=0", "write to your home, read your identity"),
            ("landlock_create_ruleset:error=ENOSYS", "write to your home, read your identity"),
            ("landlock_add_rule:error=EINVAL", "write to your home, read your identity"),
            ("seccomp:retval=0", "open a network socket"),
            ("prctl:retval=0:when=1", "be dumped"),
            // As a kernel answers that would have run the program.
            ("execve:error=EFAULT:when=1", "start programs"),
        ]
    )
    func `with any layer of the sandbox taken away nothing is recorded`(
        fault: String,
        possible: String
    ) throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let clock = ContinuousClock()
        var result = Program.Result(code: 0, output: "", errors: "")
        let words = ["-f", "-qq", "-e", "inject=\(fault)", "-o", "\(daemon.folder.path)/trace"]
        let mcid = try #require(Program.path("mcid"))
        let time = try clock.measure {
            result = try Program.run(
                "timeout",
                ["-s", "KILL", "10", "strace"] + words + [mcid],
                environment: daemon.environment
            )
        }
        #expect(result.code == 78, "\(result.errors)")
        #expect(time < .seconds(1), "\(time)")
        #expect(result.errors.split(separator: "\n").count == 1, "one sentence: \(result.errors)")
        #expect(result.errors.contains("The sandbox does not hold, so nothing is recorded"))
        #expect(result.errors.contains(possible))
        #expect(!Disk.exists(daemon.folder.paths.ring))
        #expect(!Disk.exists(daemon.folder.paths.socket))
        let left = daemon.folder.names().filter { $0.contains("tries") }
        #expect(left.isEmpty, "an attempt that succeeds is undone")
    }

    /// Ways in which a layer goes away under a process that cannot lose its rules: what the rules name
    /// comes to lie elsewhere, or the kernel answers another way from the second proof on.
    enum Loss: String, CaseIterable {
        case identityMoves, foldersChange, programsStart

        var possible: String {
            switch self {
            case .identityMoves: "mcid could read your identity."
            case .foldersChange: "mcid could write to your home, read your identity."
            case .programsStart: "mcid could start programs."
            }
        }

        func happen(_ daemon: Daemon) throws {
            let manager = FileManager.default
            let identity = daemon.folder.paths.identity
            let folder = (identity as NSString).deletingLastPathComponent
            switch self {
            case .identityMoves:
                try manager.moveItem(atPath: identity, toPath: "\(folder)/public/identity")
                try manager.createSymbolicLink(
                    atPath: identity,
                    withDestinationPath: "public/identity"
                )
            case .foldersChange:
                let state = daemon.folder.paths.state
                try manager.moveItem(atPath: folder, toPath: "\(folder).kept")
                try manager.createSymbolicLink(atPath: folder, withDestinationPath: state)
                // What it reads all the time is still found.
                try manager.createSymbolicLink(
                    atPath: "\(state)/public",
                    withDestinationPath: "\(folder).kept/public"
                )
                try manager.createSymbolicLink(
                    atPath: "\(state)/identity",
                    withDestinationPath: "\(folder).kept/identity"
                )
            case .programsStart: break
            }
        }
    }

    @Test(
        .disabled(if: Program.isTraced, "here the identity is opened, so that mcid ends"),
        arguments: Loss.allCases
    )
    func `a layer that goes away while it records ends it, and nothing more is stored`(loss: Loss)
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        // Where mcid may read; its own clock alone is another one.
        let clock = "\(daemon.folder.paths.state)/clock"
        try Disk.write(Array("0".utf8), to: clock)
        daemon.preloaded = [
            "LD_PRELOAD": try Program.clockShift(in: daemon.folder.path), "CLOCK_SHIFT": clock,
        ]
        if loss == .programsStart {
            let strace = try #require(Program.path("strace"))
            let inject = "inject=execve:error=EFAULT:when=2+"
            daemon.wrapper = [strace, "-D", "-f", "-qq", "-e", inject, "-o", "/dev/null"]
        }
        try daemon.record(hand)
        try loss.happen(daemon)
        hand.type(text: "ab")
        try daemon.settled()
        _ = try daemon.call(.flush)
        let before = try daemon.export()
        #expect(daemon.isRunning, "the proof of the start still holds")

        try Disk.write(Array("61".utf8), to: clock)
        hand.type(text: "secret")
        try #require(eventually { !daemon.isRunning })
        #expect(daemon.stop() == 78)
        let said = daemon.log_.split(separator: "\n").last ?? ""
        #expect(said.contains("so nothing is recorded: \(loss.possible)"), "\(daemon.log_)")
        let after = try daemon.export()
        #expect(before.count { $0["class"] as? String == "letter" } == 4, "a and b")
        let added = after.dropFirst(before.count).map { $0["reason"] as? String }
        #expect(added == ["fault"], "a gap and nothing else: \(added)")
    }

    @Test func `no socket but AF_UNIX, no program, and the identity is never opened`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let trace = "\(daemon.folder.path)/trace"
        let calls = "socket,socketpair,execve,execveat,fork,vfork,clone,clone3,open,openat,creat"
        let strace = try #require(Program.path("strace"))
        daemon.wrapper = [strace, "-D", "-f", "-qq", "-e", "trace=\(calls)", "-o", trace]
        try daemon.record(hand)
        hand.type(["a", "F1"])
        try daemon.settled()
        #expect(try daemon.command("pause", "1m").code == 0)
        #expect(try daemon.command("resume").code == 0)
        #expect(try daemon.command("forget", "--last", "1m", "--yes").code == 0)
        daemon.stop()
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let done = lines.filter { !$0.contains(" = -1 ") }
        #expect(done.contains { $0.contains("socket(AF_UNIX") }, "the trace sees sockets")
        #expect(done.contains { $0.contains("ring.db") }, "the trace sees files")
        #expect(!done.contains { $0.contains("socket(") && !$0.contains("AF_UNIX") })
        #expect(done.filter { $0.contains("exec") }.count == 1, "its own start")
        #expect(!done.contains { $0.contains("fork(") || $0.contains("clone") })
        #expect(!done.contains { $0.contains("mci/identity") })
        let home = daemon.folder.path
        // Folders are made before the sandbox is entered, which the attempt to start a program ends.
        let entered = try #require(lines.firstIndex { $0.contains("/proc/self/exe") })
        for line in lines[entered...]
        where line.contains("\"\(home)") && !line.contains(" = -1 ") {
            let isWithin = ["/state/mci", "/run/mci", "/config/mci/public"].contains {
                line.contains("\"\(home)\($0)")
            }
            #expect(isWithin, "\(line)")
        }
    }

    @Test func `status names the layers, and everything tells of a start without them`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let status = try #require(daemon.status)
        #expect(status.sandbox.contains { $0.hasPrefix("landlock-") })
        #expect(status.sandbox.contains { $0.hasPrefix("filter-") })
        #expect(status.sandbox.contains("no-new-privileges"))
        #expect(!status.isSandboxWaived)
        #expect(try daemon.command("status").output.contains("Sandbox    landlock-"))
        #expect(try flags(daemon).allSatisfy { $0 == 0 })
        _ = try daemon.call(.forget(.init()))
        daemon.stop()

        daemon.options = ["--no-sandbox"]
        try daemon.record(hand)
        #expect(daemon.status?.isSandboxWaived == true)
        #expect(daemon.status?.sandbox == [])
        #expect(try daemon.command("status").output.contains("Sandbox    NONE"))
        #expect(daemon.log_.contains("critical: Started without a sandbox"))
        let found = try flags(daemon)
        #expect(!found.isEmpty && found.allSatisfy { $0 == BatchHeader.unconfined })
    }

    /// The flags of all stored batches.
    private func flags(_ daemon: Daemon) throws -> [UInt8] {
        _ = try daemon.call(.flush)
        let text = try String(contentsOfFile: daemon.folder.paths.identity, encoding: .utf8)
        let ring = try RingReader(path: daemon.folder.paths.ring)
        return try ring.entries().compactMap { entry in
            guard let sealed = try ring.sealed(entry),
                case .opened(let batch) = BatchOpener(Identity.list(text) ?? []).open(sealed)
            else { return nil }
            return batch.header.flags
        }
    }
}

@Suite struct ConfinementTests {
    @Test func `a confined process writes the one file in place and makes nothing beside it`()
        async throws
    {
        let folder = try TemporaryFolder()
        let home = folder.path
        let paths = folder.paths
        for path in [paths.identity, "\(home)/config/mci/public/marks"] {
            try Disk.write(Array("before".utf8), to: path)
        }
        symlink(paths.identity, "\(home)/config/mci/public/link")
        for path in [paths.state, paths.runtime] { try Disk.makeFolder(path) }
        await #expect(processExitsWith: .success) { [home = folder.path as String] in
            let inside = "\(home)/config/mci/public"
            let answer = clinux_clock_is_synchronised()
            _ = Sandbox.enter(
                Sandbox.AllowedPaths(
                    written: ["\(home)/state/mci"],
                    writtenFiles: ["marks", "link", "none"].map { "\(inside)/\($0)" },
                    sockets: "\(home)/run/mci",
                    read: [inside]
                )
            )
            try DiskFile("\(inside)/marks").truncate(to: 0)
            try DiskFile("\(inside)/marks").write(Array("after".utf8), at: 0)
            #expect(throws: FileError.self) { try Disk.write([1], to: "\(inside)/marks") }
            #expect(throws: FileError.self) { try DiskFile("\(inside)/none", makes: true) }
            #expect(throws: FileError.self) { try Disk.read("\(inside)/link") }
            Disk.remove("\(inside)/marks")
            let found = Attestation.attest(home: home, identity: "\(home)/config/mci/identity")
            #expect(!found.broken.contains(.home) && !found.broken.contains(.identity))
            #expect(clinux_clock_is_synchronised() == answer, "the clock can still be asked")
        }
        #expect(folder.names(below: "config/mci/public").sorted() == ["link", "marks"])
        #expect(try Disk.read("\(home)/config/mci/public/marks") == Array("after".utf8))
        #expect(try Disk.read(paths.identity) == Array("before".utf8))
    }

    /// What the attempts of a confinement find.
    private final class Trials {
        var count = 0
        var sentence: String?
    }

    private func session(_ trials: Trials) throws -> ScriptedSession {
        try ScriptedSession(
            confinement: Confinement {
                trials.count += 1
                return trials.sentence
            }
        )
    }

    @Test func `nothing is read under a proof older than a minute`() throws {
        let trials = Trials()
        let session = try session(trials)
        session.focus("Editor")
        session.type("a")
        #expect(trials.count == 0, "the proof of the start still holds")
        session.advance(60_000)
        #expect(trials.count == 0, "nobody is woken for it")
        session.type("b")
        #expect(trials.count == 1)
        for _ in 0..<100 { session.type("c") }
        session.pass(1000)
        #expect(trials.count == 1, "once a minute")
        session.advance(60_000)
        trials.sentence = "It does not hold."
        session.type("d")
        session.pass(100)
        #expect(trials.count == 2)
        #expect(session.recorder.failure?.reason == "It does not hold.")
        #expect(!session.source.isConnected, "what waits is let go unread")
        #expect(session.recorder.status.state == .closed)
        session.type("e")
        session.recorder.stop()
        let words = try session.words()
        #expect(words.contains("letter down"))
        #expect(words.filter { $0 == "letter down" }.count == 102, "a, b, c; no d and no e")
        #expect(trials.count == 2)
    }

    @Test func `a wakeup for a call reads nothing under an old proof either`() throws {
        let trials = Trials()
        let session = try session(trials)
        session.focus("Editor")
        session.type("a")
        session.advance(60_000)
        trials.sentence = "It does not hold."
        session.key(0x61, down: true)
        _ = try session.recorder.handle(.flush)
        #expect(session.recorder.failure != nil)
        #expect(try session.words().filter { $0 == "letter down" }.count == 1)
    }
}
