// SPDX-License-Identifier: Apache-2.0

import Control
import Files
import Foundation
import Glibc
import Settings
import Testing

/// The control socket as others find it: a foreign client, and somebody who is not the person.
extension DaemonTests {
    @Test func `PyPI's varlink client drives every method that mcid describes`() throws {
        let library = Program.root + "/.build-python"
        try #require(Disk.exists("\(library)/varlink"), "Run the tests with: make test")
        let daemon = try Daemon(desktop, consents: false)
        let home = daemon.folder.path
        let key = try daemon.command("steward", "keygen", "--out", "\(home)/steward.key")
        let policy = """
            {"schema": 1, "purpose": "p", "controller": "c", "contact": "x",
             "stewards": [{"name": "Works council", "key": "\(try #require(key.lines.first))"}]}
            """
        try Disk.write(Array(policy.utf8), to: "\(home)/etc/policy.json", mode: 0o644)
        daemon.environment["MCI_POLICY"] = "\(home)/etc/policy.json"
        #expect(try daemon.command("consent", "--accept").code == 0)
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
        #expect(result.output == "15 methods described, 15 answered\n")
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
        let foreign = ["--reuid=4343", "--regid=4343", "--clear-groups", "--inh-caps=-all"]
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
}
