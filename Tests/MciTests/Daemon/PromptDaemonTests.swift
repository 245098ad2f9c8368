// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Person
import Testing

/// Secrets typed at the prompts of real programs, beside what another recorder keeps of them.
@Suite(.serialized) struct PromptDaemonTests {
    /// What was typed at the prompts of one program, and when.
    private struct Phase {
        var name: String
        var keys = 0
        var secrets = 0
        var from = SystemClock.now().wall.milliseconds
        var to: Int64 = 0
    }

    // What is typed at prompts has letters that are typed nowhere else.
    private let secretLetters = Array("nopqrstuvwxyz")
    private let plainLetters = Array("abcdef")

    @Test func `no key of a password typed at a prompt is stored`() throws {
        let desktop = try Desktop()
        let scene = try TerminalScene(desktop)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        let other = try OtherRecorder(desktop)
        var random = SplitMix(seed: 41)
        func secret() -> String {
            String(
                (0..<Int.random(in: 8...14, using: &random)).map { _ in
                    secretLetters.randomElement(using: &random) ?? "n"
                }
            )
        }
        try daemon.settled()
        var phases: [Phase] = []
        let count = isProof ? 1000 : 8
        for asker in TerminalScene.askers {
            var phase = Phase(name: asker.name)
            while phase.secrets < count / TerminalScene.askers.count {
                var typing = SplitMix(seed: UInt64(phase.secrets))
                phase.secrets += try scene.answer(
                    asker,
                    {
                        let text = secret()
                        phase.keys += text.count
                        return text
                    },
                    &typing
                )
            }
            // Both recorders have read what was typed; the other one has no other way to say so.
            try daemon.settled()
            let typed = phases.reduce(phase.keys) { $0 + $1.keys }
            _ = eventually(within: 3) {
                other.heard().count { secretLetters.contains($0.key) } >= typed
            }
            phase.to = SystemClock.now().wall.milliseconds
            phases.append(phase)
        }
        var phase = Phase(name: "ssh-askpass")
        for _ in 0..<(isProof ? 1000 : 4) {
            let text = secret()
            try answerAskpass(desktop, scene, text)
            phase.keys += text.count
            phase.secrets += 1
        }
        phase.to = SystemClock.now().wall.milliseconds
        phases.append(phase)
        try expectShellRecorded(daemon, scene, &random)

        let stored = try daemon.export().compactMap { event -> (time: Int64, key: Character)? in
            guard event["type"] as? String == "key", event["state"] as? String == "down",
                let keysym = event["keysym"] as? String, keysym.count == 1,
                let key = keysym.first,
                let time = (event["time"] as? String).flatMap({ WallTime($0) })
            else { return nil }
            return (time.milliseconds, key)
        }
        let heard = other.stop()
        func keys(_ list: [(time: Int64, key: Character)], _ phase: Phase) -> Int {
            list.filter {
                secretLetters.contains($0.key) && (phase.from...phase.to).contains($0.time)
            }.count
        }
        print("program      secrets  keys typed  mcid stored  pynput recorded")
        for phase in phases {
            let columns = [
                (String(phase.secrets), 8), (String(phase.keys), 12),
                (String(keys(stored, phase)), 13), (String(keys(heard, phase)), 17),
            ]
            print(
                phase.name.padding(toLength: 12, withPad: " ", startingAt: 0)
                    + columns.map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined()
            )
        }
        let commands = TerminalScene.askers.indices.map { plainLetters[$0] }
        let plain = stored.filter { commands.contains($0.key) }.count
        let started = heard.filter { commands.contains($0.key) }.count
        print("of \(started) letters typed at the shell mcid stored \(plain)")
        #expect(!stored.contains { secretLetters.contains($0.key) })
        if isProof { #expect(plain * 2 >= started) }
        for phase in phases { #expect(keys(heard, phase) > 0, "the other one hears \(phase.name)") }
    }

    /// Every asker in every terminal, by a hand that takes 20 to 200 ms a key (here, to 60).
    @Test(arguments: TerminalScene.Emulator.allCases)
    func `no key of a secret is stored, whatever asks and in whatever terminal`(
        emulator: TerminalScene.Emulator
    ) throws {
        let desktop = try Desktop()
        let scene = try TerminalScene(desktop, emulator)
        let daemon = try Daemon(desktop)
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        let other = try OtherRecorder(desktop)
        var (random, letters) = (SplitMix(seed: 181), SplitMix(seed: 182))
        let askers = TerminalScene.askers + TerminalScene.rawAskers
        let rounds = isProof ? 500 / askers.count + 1 : 1
        var (keys, secrets) = (0, 0)
        for _ in 0..<rounds {
            for asker in isProof || emulator == .xterm ? askers : TerminalScene.rawAskers {
                secrets += try scene.answer(
                    asker,
                    {
                        let length =
                            asker.length.map { $0 - 1 } ?? Int.random(in: 8...14, using: &letters)
                        keys += length
                        return String(
                            (0..<length).map { _ in
                                secretLetters.randomElement(using: &letters) ?? "n"
                            }
                        )
                    },
                    &random,
                    pace: 20_000...(isProof ? 200_000 : 60_000)
                )
            }
        }
        _ = eventually { other.heard().count { secretLetters.contains($0.key) } >= keys }
        let heard = other.stop().count { secretLetters.contains($0.key) }
        try expectShellRecorded(daemon, scene, &random)
        let events = try daemon.export()
        let stored = events.compactMap { event -> String? in
            event["type"] as? String == "key" && event["state"] as? String == "down"
                ? event["keysym"] as? String : nil
        }
        let slipped = stored.count { $0.count == 1 && secretLetters.contains($0.first ?? "a") }
        let runs = events.count { $0["type"] as? String == "typing" }
        print(
            "\(emulator): \(secrets) secrets of \(keys) keys: \(slipped) stored, \(runs) runs; pynput"
                + " recorded \(heard); at the shell mcid stored \(stored.count - slipped)"
        )
        #expect(slipped == 0 && runs == 0)
        #expect(heard == keys)
    }

    @Test func `no key typed to a program is stored from the answer on that names it`() throws {
        let desktop = try Desktop()
        let scene = try TerminalScene(desktop)
        let daemon = try Daemon(desktop)
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        var random = SplitMix(seed: 183)
        let asker = TerminalScene.ownAsker
        scene.type(asker.command + "\n", &random)
        try #require(eventually { scene.modes == .prompting })
        scene.type("nopqr", &random)
        try daemon.settled()
        // The program is up already, and its keys come on without a pause.
        try daemon.command("exclude", "add", "--asker", asker.name)
        scene.type("stuvwx", &random)
        try #require(eventually { scene.modes == .editing })
        scene.type(asker.command + "\n", &random)
        try #require(eventually { scene.modes == .prompting })
        scene.type("stuvwxstuvw", &random)
        try #require(eventually { scene.modes == .editing })
        scene.type(asker.command + "\n", &random)
        try #require(eventually { scene.modes == .prompting })
        #expect(daemon.status?.asking?.program == asker.name)
        try daemon.command("exclude", "remove", "--asker", asker.name)
        scene.type("yzyzyzyzyzy", &random)
        try #require(eventually { scene.modes == .editing })
        try expectShellRecorded(daemon, scene, &random)
        let keys = try daemon.export().compactMap { event -> Character? in
            event["type"] as? String == "key" && event["state"] as? String == "down"
                ? (event["keysym"] as? String)?.only : nil
        }
        func stored(_ letters: String) -> Int { keys.count { letters.contains($0) } }
        #expect(stored("nopqr") > 2, "before")
        #expect(stored("stuvwx") == 0)
        #expect(stored("yz") > 5, "after")
    }

    /// Programs that wait in other terminals: an idle root shell, a watcher, a script that expects, an
    /// Emacs with a shell in it, and twenty that do nothing.
    private static let waiting =
        [
            "sudo -i sleep 1000", "watch -n 60 sudo -n true",
            "expect -c 'spawn sleep 1000; expect never'", "emacs -nw -Q -f shell",
        ] + [String](repeating: "sleep 1000", count: 20)

    @Test func `ordinary typing in a terminal is recorded, whatever waits elsewhere`() throws {
        let desktop = try Desktop()
        let scene = try TerminalScene(desktop)
        let others = try Self.waiting.map { command in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
            process.arguments = ["-q", "-c", command, "/dev/null"]
            process.standardInput = Pipe()
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
        defer { for process in others { kill(process.processIdentifier, SIGKILL) } }
        let daemon = try Daemon(desktop)
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        try daemon.settled()
        var random = SplitMix(seed: 184)
        let keys = isProof ? 5000 : 60
        let pace: ClosedRange<UInt32> = isProof ? 60_000...200_000 : 20_000...40_000
        var typed = 0
        while typed < keys {
            // A comment of the shell, which does nothing.
            scene.hand.type(["numbersign"])
            let line = String(
                (0..<40).map { _ in plainLetters.randomElement(using: &random) ?? "a" }
            )
            scene.type(line + "\n", &random, pace: pace)
            typed += line.count
        }
        try daemon.settled()
        let stored = try daemon.export().count {
            $0["type"] as? String == "key" && $0["state"] as? String == "down"
                && plainLetters.contains(($0["keysym"] as? String)?.only ?? "-")
        }
        print("of \(typed) letters typed at the shell \(stored) are stored")
        #expect(stored * 100 >= typed * (isProof ? 99 : 50))
        daemon.stop()
    }

    /// The shell's line is recorded, with the prompts over; then the daemon ends.
    private func expectShellRecorded(
        _ daemon: Daemon,
        _ scene: TerminalScene,
        _ random: inout SplitMix
    ) throws {
        let before = daemon.status?.events.admitted ?? 0
        let isRecorded = try eventually(within: 30) {
            scene.type("f", &random)
            try daemon.barrier()
            return daemon.status?.events.admitted ?? 0 > before
        }
        #expect(isRecorded)
        try daemon.settled()
        daemon.stop()
    }

    /// Lets a program ask that grabs the keyboard, and answers it.
    private func answerAskpass(
        _ desktop: Desktop,
        _ scene: TerminalScene,
        _ text: String
    ) throws {
        let process = Process()
        // By its own path: what Debian's alternatives call ssh-askpass may be another program.
        let askpass = ["/usr/libexec/ssh-askpass/x11-ssh-askpass", "/usr/lib/ssh/x11-ssh-askpass"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        process.executableURL = URL(fileURLWithPath: try #require(askpass, "Use: make test"))
        process.environment = ["DISPLAY": desktop.display]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer { process.end() }
        let grabs = eventually {
            guard !scene.hand.windows(of: "SshAskpass").isEmpty else { return false }
            guard scene.hand.grabKeyboard() else { return true }
            scene.hand.ungrabKeyboard()
            return false
        }
        try #require(grabs)
        var random = SplitMix(seed: 1)
        scene.type(text + "\n", &random)
        try #require(eventually { !process.isRunning })
    }
}

/// PyPI's pynput, which records through the X RECORD extension, as many programs do.
private final class OtherRecorder {
    private let process = Process()
    private let folder: TemporaryFolder

    init(_ desktop: Desktop) throws {
        folder = try TemporaryFolder()
        let library = Program.root + "/.build-python"
        try #require(
            FileManager.default.fileExists(atPath: library + "/pynput"),
            "Run the tests with: make test"
        )
        let script = """
            import time
            from pynput import keyboard
            out = open("\(folder.path)/heard", "w", buffering=1)
            def press(key):
                out.write(f"{int(time.time() * 1000)} {getattr(key, 'char', None) or '-'}\\n")
            with keyboard.Listener(on_press=press) as listener:
                listener.wait()
                open("\(folder.path)/ready", "w").close()
                listener.join()
            """
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("python3")))
        process.arguments = ["-c", script]
        process.environment = [
            "DISPLAY": desktop.display, "PYTHONPATH": library, "PYNPUT_BACKEND": "xorg",
        ]
        try process.run()
        let ready = "\(folder.path)/ready"
        try #require(eventually { FileManager.default.fileExists(atPath: ready) })
    }

    /// What was heard until now, after which it hears nothing more.
    func stop() -> [(time: Int64, key: Character)] {
        process.end()
        return heard()
    }

    /// What was heard until now.
    func heard() -> [(time: Int64, key: Character)] {
        let data = FileManager.default.contents(atPath: "\(folder.path)/heard") ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let time = Int64(words[0]), let key = words[1].first else {
                return nil
            }
            return (time, key)
        }
    }

    deinit { process.end() }
}

extension String {
    /// The one character that it has; nil for more and for less.
    fileprivate var only: Character? { count == 1 ? first : nil }
}
