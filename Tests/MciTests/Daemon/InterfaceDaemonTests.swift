// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Glibc
import Person
import Synchronization
import System
import Testing

/// Options of setpriv to be somebody else.
private let foreign = ["--reuid=4343", "--regid=4343", "--clear-groups", "--inh-caps=-all"]

/// The control socket as others find it: a foreign client, and somebody who is not the person.
extension DaemonTests {
    @Test func `PyPI's varlink client drives every method that mcid describes`() throws {
        let library = Program.root + "/.build-python"
        try #require(Disk.exists("\(library)/varlink"), "Run the tests with: make test")
        let daemon = try Daemon(desktop, consents: false)
        let home = daemon.folder.path
        try daemon.appointSteward()
        try daemon.useSmallRing()
        try daemon.start()
        var environment = daemon.environment
        environment["PYTHONPATH"] = library
        let result = try Program.run(
            "python3",
            [
                "\(Program.root)/Tests/Service/methods.py", daemon.folder.paths.socket,
                try #require(Program.path("mcictl")), "\(home)/steward.key",
            ],
            environment: environment
        )
        #expect(result.code == 0, "\(result.output)\(result.errors)")
        #expect(result.output == "19 methods described, 19 answered\n")
    }

    @Test(.enabled(if: getuid() == 0, "only root can act as somebody else"))
    func `somebody else is not heard, even where the files would let them`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let socket = daemon.folder.paths.socket
        let run = "\(daemon.folder.path)/run"
        for path in [run, "\(run)/mci", socket] { try #require(chmod(path, 0o777) == 0) }
        let script = """
            import socket
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect("\(socket)")
            try:
                s.sendall(b'{"method":"io.mci.Control.Pause"}\\0')
                print(len(s.recv(65536)))
            except (BrokenPipeError, ConnectionResetError):
                print(0)
            """
        for _ in 0..<20 {
            let result = try Program.run(
                "setpriv",
                foreign + ["python3", "-c", script],
                environment: ["PATH": "/usr/bin:/bin"]
            )
            #expect(result.output == "0\n", "connected, and no answer: \(result.errors)")
        }
        #expect(daemon.status?.state == .recording)
        try daemon.settle(hand)
        hand.type(text: "ab")
        try daemon.settled()
        // The same words of the person are heard.
        let own = try Program.run("python3", ["-c", script])
        #expect(Int(own.output.dropLast()) ?? 0 > 100, "\(own.errors)")
        #expect(daemon.status?.state == .paused)
        daemon.stop()
        let letters = try daemon.export().filter { $0["class"] as? String == "letter" }
        #expect(letters.count == 4)
    }

    @Test(.enabled(if: getuid() == 0, "only root can act as somebody else"))
    func `somebody else in the place of mcid is not believed`() throws {
        let daemon = try Daemon(desktop)
        let run = "\(daemon.folder.path)/run"
        try Disk.makeFolder("\(run)/mci")
        for path in [run, "\(run)/mci"] { try #require(chmod(path, 0o777) == 0) }
        let script = """
            import socket
            s = socket.socket(socket.AF_UNIX)
            s.bind("\(daemon.folder.paths.socket)")
            s.listen()
            while True:
                c = s.accept()[0]
                if c.recv(65536):
                    c.sendall(b'{"error":"io.mci.Control.Refused","parameters":{"reason":"Trust me.","next":""}}\\0')
            """
        let other = Process()
        other.executableURL = URL(fileURLWithPath: try #require(Program.path("setpriv")))
        other.arguments = foreign + ["python3", "-c", script]
        other.environment = ["PATH": "/usr/bin:/bin"]
        try other.run()
        defer { other.end() }
        try #require(try eventually { try daemon.command("status").code == 4 })
        #expect(try daemon.command("status").errors.contains("Another user listens"))
        let pause = try daemon.command("pause", "1h")
        #expect(!(pause.output + pause.errors).contains("Trust me"))
        #expect(pause.errors.contains("Your change is on disk"))
        #expect(try ControlsFile(daemon.folder.paths).read().pause != nil)
    }

    @Test func `where mcid has lost its socket nobody says that nothing is recorded`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        #expect(try daemon.command("status").code == 3)
        #expect(!Disk.exists(daemon.folder.paths.daemonLock), "asking leaves nothing behind")
        try daemon.record(hand)
        Disk.remove(daemon.folder.paths.socket)
        hand.type(text: "ab")
        let status = try daemon.command("status")
        #expect(status.code == 4 && status.output.isEmpty, "\(status.output)")
        #expect(status.errors.contains("does not say what it records"))
        #expect(try daemon.command("doctor").output.contains("runs without a socket"))
        // What the person wants is done all the same.
        #expect(try daemon.command("pause", "1h").code == 0)
        hand.type(text: "secret")
        // Who stops reads all that has arrived, if it may.
        daemon.stop()
        #expect(try daemon.command("status").code == 3)
        let letters = try daemon.export().filter { $0["class"] as? String == "letter" }
        #expect(letters.count == 4, "a and b, and nothing of the secret")
    }

    @Test func `a thousand long exemptions are listed, beside twenty other clients`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let file = ControlsFile(daemon.folder.paths)
        var controls = try file.read()
        let long = String(repeating: "\u{1F512}", count: 250)
        for number in 1...1000 {
            let call = ExemptCall(
                scope: Scope(app: "\(number)\(long)", title: long, device: long),
                reason: String(repeating: "\u{1F512}", count: 500)
            )
            _ = try controls.exempt(call, at: SystemClock.now(), bootID: SystemClock.bootID())
        }
        try file.write(controls)
        try daemon.start()
        let socket = daemon.folder.paths.socket
        let failures = Mutex(0)
        let isOver = Mutex(false)
        let clients = (0..<20).map { _ in
            let thread = Thread {
                while !isOver.withLock({ $0 }) {
                    if (try? ControlClient(path: socket).call(.getStatus)) == nil {
                        failures.withLock { $0 += 1 }
                    }
                }
            }
            thread.start()
            return thread
        }
        for _ in 0..<4 {
            let list = try daemon.command("exempt", "list", "--json")
            #expect(list.code == 0, "\(list.errors)")
            #expect((list.json["exemptions"] as? [Any])?.count == 1000)
        }
        isOver.withLock { $0 = true }
        #expect(eventually { clients.allSatisfy(\.isFinished) })
        #expect(failures.withLock { $0 } == 0)
        #expect(daemon.stop() == 0)
        // And without it.
        #expect(try daemon.command("exempt", "list", "--json").output.count > 1_000_000)
    }

    @Test func `a look at the lock keeps no daemon from starting`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: try #require(Program.path("flock")))
        holder.arguments = [daemon.folder.paths.daemonLock, "sh", "-c", "echo; sleep 0.2"]
        let said = Pipe()
        holder.standardOutput = said
        try holder.run()
        defer { holder.end() }
        _ = said.fileHandleForReading.availableData
        try daemon.start()
        #expect(daemon.status?.state == .recording)
    }
}
