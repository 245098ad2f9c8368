// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import System
import Testing

@testable import Capture

/// Real programs on real terminals: which of them ask for a secret, and in whose window.
@Suite struct AskerTests {
    /// A program that shows one terminal, as an emulator does.
    private final class Window {
        let process = Process()
        private let folder: TemporaryFolder

        /// - Parameters:
        ///   - words: what runs on the terminal.
        ///   - typed: what is typed when it has begun.
        /// - Throws: where it does not come up.
        init(_ words: [String], typing typed: String = "") throws {
            folder = try TemporaryFolder()
            let script = """
                import os, pty, select, sys, time
                child, terminal = pty.fork()
                if child == 0:
                    os.closerange(3, 256)
                    os.environ.update(TERM="xterm", PS1="$ ", HOME="\(folder.path)",
                        XDG_RUNTIME_DIR="\(folder.path)", GNUPGHOME="\(folder.path)")
                    os.execvp(sys.argv[2], sys.argv[2:])
                if select.select([terminal], [], [], 2)[0]: os.read(terminal, 1)
                time.sleep(0.3)
                os.write(terminal, sys.argv[1].encode())
                begin = time.monotonic()
                while True:
                    if select.select([terminal], [], [], 0.4)[0] == [] and begin:
                        open("\(folder.path)/ready", "w").close()
                        begin = 0
                        continue
                    if time.monotonic() - begin > 3 and begin:
                        open("\(folder.path)/ready", "w").close()
                        begin = 0
                    try: os.read(terminal, 65536)
                    except OSError: break
                """
            process.executableURL = URL(fileURLWithPath: try #require(Program.path("python3")))
            process.arguments = ["-c", script, typed] + words
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
            // It has done what was typed, and nothing more comes, or some time has passed.
            let ready = "\(folder.path)/ready"
            try #require(eventually(within: 60) { FileManager.default.fileExists(atPath: ready) })
        }

        deinit {
            // With all it started, of which some outlives its terminal.
            let home = Data("HOME=\(folder.path)\0".utf8)
            for name in Disk.names(in: "/proc") ?? [] {
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
                if let number = Int32(name), environment?.range(of: home) != nil {
                    kill(number, SIGKILL)
                }
            }
            process.end()
        }

        var program: WindowSnapshot.Program {
            var program = WindowSnapshot.Program()
            program.process = process.processIdentifier
            program.isKnownTerminal = true
            return program
        }
    }

    /// Whether a program asks in a window, once it does what it is expected to do.
    private func asks(
        _ window: Window,
        _ askers: SecretAskers = SecretAskers(),
        expecting expected: Bool
    ) -> Bool {
        let prompts = TerminalPrompts()
        prompts.askers = askers
        var last = !expected
        var steady = 0
        // The same answer five times, for programs come up in steps.
        _ = eventually(within: 60) {
            _ = prompts.enter([window.program])
            let isClear = prompts.look().isClear
            // A terminal is in doubt while it is new, whatever runs there.
            guard prompts.asking?.program != "" else { return false }
            last = !isClear
            steady = last == expected ? steady + 1 : 0
            return steady == 5
        }
        return last
    }

    struct Case: CustomTestStringConvertible {
        var words: [String]
        var typed = ""
        var testDescription: String { (words + [typed]).joined(separator: " ") }

        init(_ words: String..., typing typed: String = "") {
            self.words = words
            self.typed = typed
        }
    }

    private static let askers: [Case] = [
        Case("bash", "--norc", "-i", typing: "read -s x\n"),
        Case("bash", "--norc", "-i", typing: "read -s -n 9 x\n"),
        Case("bash", "--norc", "-i", typing: "read -s -N 9 x\n"),
        Case("bash", "--norc", "-i", typing: "read -e -s x\n"),
        Case("bash", "--norc", "-i", typing: "bash -c 'read -s -n 9 x'\n"),
        Case("bash", "--norc", "-i", typing: "true | dialog --passwordbox x 9 30\n"),
        Case("zsh", "-f", "-i", typing: "read -s x\n"),
        Case("zsh", "-f", "-i", typing: "read -s -k 9 x\n"),
        Case("dialog", "--passwordbox", "x", "9", "30"),
        Case("whiptail", "--passwordbox", "x", "9", "30"),
        Case("systemd-ask-password", "x"),
        Case("python3", "-c", "import getpass; getpass.getpass()"),
        Case("ssh-keygen", "-q", "-t", "ed25519", "-f", "/dev/null/none"),
        Case("gpg", "--pinentry-mode", "loopback", "-c", "-o", "-", "/etc/hostname"),
        Case("gpg", "-c", "-o", "-", "/etc/hostname"),
        Case("sh", "-c", "script -qc \"dialog --passwordbox x 9 30\" /dev/null"),
        Case("sh", "-c", "dtach -c \"$HOME\"/socket dialog --passwordbox x 9 30"),
        Case("screen", "dialog", "--passwordbox", "x", "9", "30"),
    ]

    private static let others: [Case] = [
        Case("bash", "--norc", "-i"), Case("zsh", "-f", "-i"), Case("fish", "--no-config", "-i"),
        Case("dash", "-i"), Case("bash", "--norc", "-i", typing: "read -n 9 x\n"),
        Case("bash", "--norc", "-i", typing: "read -e x\n"),
        Case("bash", "--norc", "-i", typing: "bash --norc\n"),
        Case("bash", "--norc", "-i", typing: "sleep 99 & sleep 98 & cat\n"),
        Case("vim", "-u", "NONE"), Case("less", "/etc/services"), Case("top"),
        Case("emacs", "-nw", "-Q"), Case("python3", "-q"), Case("cat"),
        Case("watch", "sudo"), Case("screen", "bash", "--norc"),
        Case("expect", "-c", "spawn sleep 99; expect never"),
    ]

    @Test(arguments: Self.askers)
    func `a program that asks for a secret is seen`(asker: Case) throws {
        try #require(Program.path(asker.words[0]) != nil, "Run the tests with: make test")
        #expect(asks(try Window(asker.words, typing: asker.typed), expecting: true))
    }

    @Test(arguments: Self.others)
    func `a program that asks for nothing stops nothing`(other: Case) throws {
        try #require(Program.path(other.words[0]) != nil, "Run the tests with: make test")
        #expect(!asks(try Window(other.words, typing: other.typed), expecting: false))
    }

    /// A program of its own name that reads keys without showing them, as no program on the list does.
    private func ownAsker(in folder: TemporaryFolder, runBy first: String) throws -> String {
        let path = "\(folder.path)/mci-own-asker"
        let script = """
            #!\(first)
            import os, tty
            tty.setraw(0)
            while os.read(0, 64): pass
            """
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try #require(chmod(path, 0o700) == 0)
        return path
    }

    @Test func `names of programs are compared as the kernel keeps them`() throws {
        func names(_ pattern: String, _ process: String) -> Bool {
            SecretAsker(pattern)?.matches(process) ?? false
        }
        #expect(names("login", "login") && !names("login", "Login"))
        #expect(!names("login", "logi") && !names("login", "login2"))
        #expect(names("login*", "login") && names("login*", "login2"))
        // 15 bytes, with or without a star behind them.
        for pattern in ["abcdefghijklmno", "abcdefghijklmnopq", "abcdefghijklmnopq*"] {
            #expect(names(pattern, "abcdefghijklmno"))
            #expect(!names(pattern, "abcdefghijklmn"))
        }
        #expect(SecretAsker("abcdefghijklmnop")?.isCut == true)
        #expect(SecretAsker("abcdefghijklmno*")?.isCut == false)
        // A letter of two bytes, of which the kernel keeps one.
        let start = String(repeating: "a", count: 14)
        let rest = ") S 1 7 7 0 -1" + String(repeating: " 0", count: 20)
        let line = Array("7 (\(start)".utf8) + [0xC3] + Array(rest.utf8)
        let facts = try #require(ProcessFacts(line))
        #expect(names(start + "é", facts.name))
    }

    /// What may run a script, of which only the first gives the process the script's name.
    private static func interpreters() throws -> [String] {
        let python = try #require(Program.path("python3"))
        let real = try Program.run(python, ["-c", "import sys; print(sys.executable)"]).output
        return [
            real.trimmingCharacters(in: .whitespacesAndNewlines), "/usr/bin/env python3",
            "/usr/bin/env -S python3 -u",
        ]
    }

    @Test(arguments: try Self.interpreters())
    func `a program that the person names is a prompt while it reads keys unseen`(
        interpreter: String
    ) throws {
        let folder = try TemporaryFolder()
        let window = try Window([try ownAsker(in: folder, runBy: interpreter)])
        #expect(!asks(window, expecting: false), "nobody knows it")
        for pattern in ["mci-own-asker", "mci-own-as*"] {
            var askers = SecretAskers()
            askers.own = Set([SecretAsker(pattern)].compactMap(\.self))
            #expect(asks(window, askers, expecting: true))
            // Alone, without those that mci knows.
            askers.includesDefaults = false
            #expect(asks(window, askers, expecting: true))
        }
    }

    @Test func `a program that the person names makes no other one a prompt`() throws {
        var askers = SecretAskers()
        askers.own = Set([SecretAsker("mci-own-asker")].compactMap(\.self))
        // What a program is told, or edits, is not what it runs.
        for (other, typed) in [
            (["bash", "--norc", "-i"], ""), (["less", "/etc/services", "mci-own-asker"], ""),
            (["bash", "--norc", "-i"], "vim -n -u NONE ./mci-own-asker\n"),
            (
                [
                    "python3", "-c", "import sys,tty; tty.setraw(0); sys.stdin.read()",
                    "mci-own-asker",
                ], ""
            ),
        ] {
            let window = try Window(other, typing: typed)
            #expect(!asks(window, askers, expecting: false))
        }
        askers.includesDefaults = false
        let known = try Window(["dialog", "--passwordbox", "x", "9", "30"])
        #expect(!asks(known, askers, expecting: false))
    }

    @Test(.enabled(if: getuid() == 0, "only root can become somebody else without a password"))
    func `what runs as another user is a prompt, in its own window alone`() throws {
        let foreign = ["setpriv", "--reuid=65534", "--clear-groups", "cat"]
        let window = try Window(
            ["bash", "--norc", "-i"],
            typing: foreign.joined(separator: " ") + "\n"
        )
        #expect(asks(window, expecting: true))
        #expect(!asks(try Window(["bash", "--norc", "-i"]), expecting: false), "another window")
    }

    @Test func `a prompt in one pane of tmux is of all clients of its server, and of no other`()
        throws
    {
        let name = "mci-\(getpid())"
        for name in [name, "\(name)-other"] {
            try tmux(name, "-f /dev/null new-session -d cat")
        }
        defer {
            for name in [name, "\(name)-other"] {
                try? tmux(name, "kill-server")
            }
        }
        let client = try Window(["tmux", "-L", name, "attach"])
        #expect(!asks(client, expecting: false))
        let asker = "new-window 'dialog --passwordbox x 9 30'"
        try tmux("\(name)-other", asker)
        #expect(!asks(client, expecting: false), "another server's")
        try tmux(name, asker)
        #expect(asks(client, expecting: true))
        // The same server, by the path of its socket.
        let path = "/tmp/tmux-\(getuid())/\(name)"
        #expect(asks(try Window(["tmux", "-S", path, "attach"]), expecting: true))
    }

    /// Its server inherits nothing of ours, at whose end we should wait.
    private func tmux(_ server: String, _ command: String) throws {
        let script = """
            import os, sys
            os.closerange(3, 256)
            os.environ["TERM"] = "xterm"
            os.execvp("sh", ["sh", "-c", sys.argv[1] + " >/dev/null 2>&1"])
            """
        try Program.run("python3", ["-c", script, "tmux -L \(server) \(command)"])
    }

    @Test func `what waits for a secret elsewhere stops no other window`() throws {
        let asker = try Window(["dialog", "--passwordbox", "x", "9", "30"])
        #expect(asks(asker, expecting: true))
        #expect(!asks(try Window(["bash", "--norc", "-i"]), expecting: false))
        // Where nobody can tell which terminals a window shows, all do.
        let prompts = TerminalPrompts()
        var unknown = WindowSnapshot.Program()
        unknown.isKnownTerminal = true
        #expect(prompts.enter([unknown]) == .local)
        #expect(!prompts.look().isClear)
        #expect(prompts.asking != nil)
    }

    @Test func `the terminal of a shell inside Emacs is a prompt while something asks there`()
        throws
    {
        // Emacs shows what is typed itself, so its terminals never do.
        let emacs = ["emacs", "--batch", "--eval"]
        func shell(_ command: String) -> [String] {
            emacs + [
                """
                (progn (start-process-shell-command "x" "x" "\(command)")
                  (while t (accept-process-output nil 1)))
                """
            ]
        }
        #expect(!asks(try Window(shell("cat; true")), expecting: false))
        #expect(asks(try Window(shell("dialog --passwordbox x 9 30; true")), expecting: true))
    }
}
