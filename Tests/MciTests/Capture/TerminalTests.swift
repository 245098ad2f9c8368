// SPDX-License-Identifier: Apache-2.0

import Foundation
import System
import Testing

@testable import Capture

/// What is seen of terminals, and what those who own them notice of it.
@Suite(.serialized) struct TerminalTests {
    /// The two ends of a new terminal, the second one not opened yet.
    private func master() throws -> (master: Int32, path: String) {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (number, lock): (Int32, Int32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN, macros that Swift does not import.
        try #require(ioctl(master, 0x4004_5431, &lock) == 0)
        try #require(ioctl(master, 0x8004_5430, &number) == 0)
        return (master, "/dev/pts/\(number)")
    }

    /// How old a terminal is, in milliseconds, as the guard reckons it.
    private func age(_ path: String) -> Int64 {
        var facts = stat()
        var now = timespec()
        guard lstat(path, &facts) == 0, clock_gettime(CLOCK_REALTIME, &now) == 0 else { return 0 }
        return KernelClock.milliseconds(now) - KernelClock.milliseconds(facts.st_ctim)
    }

    private func hasHungUp(_ master: Int32) -> Bool {
        var state = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, 0)
        return state.revents & Int16(POLLHUP) != 0
    }

    /// The window of a program, as far as terminals go.
    private func window(of process: Int32?, app: String = "") -> WindowSnapshot.Program {
        var program = WindowSnapshot.Program()
        program.process = process
        program.isKnownTerminal = KnownTerminals.contains(app)
        program.mayHaveNone = !KnownTerminals.isEmulator(app)
        return program
    }

    private func start(_ words: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test func `a terminal without a program is left alone`() throws {
        let (master, path) = try master()
        defer { close(master) }
        // So young a terminal is not looked at at all.
        try #require(eventually { age(path) > 250 })
        let prompts = TerminalPrompts()
        for program in [window(of: getpid()), window(of: nil, app: "XTerm")] {
            _ = prompts.enter([program])
            for _ in 0..<3 { _ = prompts.look() }
        }
        #expect(!hasHungUp(master))
        // What would happen otherwise.
        close(open(path, O_RDONLY | O_NOCTTY))
        #expect(hasHungUp(master))
    }

    @Test func `a window shows the terminals of the sessions below its program, and no others`()
        throws
    {
        // What runs on its terminal inherits nothing of ours, at whose end we should wait.
        let script = """
            import os
            os.closerange(3, 256)
            os.execvp("script", ["script", "-qc", "sleep 600", "/dev/null"])
            """
        let terminal = try start(["python3", "-c", script])
        let plain = try start(["sleep", "600"])
        defer { for process in [terminal, plain] { process.end() } }
        let prompts = TerminalPrompts()
        func shows(_ process: Int32?, _ app: String = "") -> TerminalWindow {
            prompts.enter([window(of: process, app: app)])
        }
        #expect(eventually(within: 60) { shows(terminal.processIdentifier) == .local })
        #expect(shows(getpid()) == .local, "also where others are between")
        #expect(shows(plain.processIdentifier) == .none)
        #expect(shows(1 << 30) == .none)
        #expect(shows(nil) == .none)
        #expect(shows(plain.processIdentifier, "XTerm") == .local, "an emulator shows some")
        #expect(shows(plain.processIdentifier, "Code") == .none, "an editor may show none")
        #expect(shows(nil, "Code") == .local, "nobody can tell")
    }

    @Test func `terminals are known by their class where nothing else tells`() {
        for app in ["XTerm", "Gnome-terminal", "kitty", "jetbrains-idea", "Code", "st-256color"] {
            #expect(KnownTerminals.contains(app))
        }
        #expect(!KnownTerminals.contains("firefox"))
        #expect(KnownTerminals.isEmulator("st") && !KnownTerminals.isEmulator("emacs"))
        var program = window(of: nil, app: "XTerm")
        #expect(TerminalPrompts().enter([program]) == .local)
        program.isRemote = true
        #expect(TerminalPrompts().enter([program]) == .remote)
    }
}
