// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

/// A real xterm with a shell in it, in which a person starts programs that ask for secrets.
final class TerminalScene {
    /// A program that asks, and the command that starts it, of the letters a to f alone.
    struct Asker {
        var name: String
        var command: String
        /// How often it asks before it gives up.
        var asks = 1
    }

    let folder: TemporaryFolder
    let hand: Hand
    let window: UInt
    private let process = Process()
    private let terminal: Int32

    /// What asks here; sudo asks only where the test is root and becomes somebody else, so that no
    /// wrong password is held against a person.
    static var askers: [Asker] {
        [
            Asker(name: "ssh-keygen", command: "a"), Asker(name: "read -s", command: "b"),
            Asker(name: "getpass", command: "c"),
        ] + (getuid() == 0 ? [Asker(name: "sudo", command: "d", asks: 3)] : [])
    }

    init(_ desktop: Desktop) throws {
        folder = try TemporaryFolder()
        hand = try Hand(desktop)
        let path = folder.path
        try Program.run(
            "ssh-keygen",
            ["-q", "-t", "ed25519", "-a", "1", "-N", "xx", "-f", "\(path)/key"]
        )
        let commands = """
            PS1='$ '
            a() { ssh-keygen -y -f \(path)/key >/dev/null 2>&1; }
            b() { read -s -p 'Secret: ' secret; echo; }
            c() { python3 -c 'import getpass; getpass.getpass()'; }
            d() { setpriv --reuid=65534 --regid=65534 --clear-groups sudo -k true; }
            tty > \(path)/tty
            """
        try commands.write(toFile: "\(path)/rc", atomically: true, encoding: .utf8)
        process.executableURL = URL(
            fileURLWithPath: try #require(Program.path("xterm"), "Run the tests with: make test")
        )
        process.arguments = ["-e", "bash", "--rcfile", "\(path)/rc", "-i"]
        process.environment = ["DISPLAY": desktop.display, "PATH": "/usr/sbin:/usr/bin:/bin"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        var name = ""
        try #require(
            eventually {
                let data = FileManager.default.contents(atPath: "\(path)/tty") ?? Data()
                name = String(decoding: data, as: UTF8.self)
                return name.hasSuffix("\n")
            }
        )
        terminal = Glibc.open(String(name.dropLast()), O_RDONLY | O_NOCTTY | O_NONBLOCK)
        var found: UInt?
        let hand = hand
        try #require(
            eventually {
                found = hand.windows(of: "XTerm").first
                return found != nil
            }
        )
        window = try #require(found)
        hand.focus(window)
        try #require(eventually { modes == .editing })
    }

    deinit {
        close(terminal)
        process.end()
    }

    /// What the terminal does with what is typed.
    enum Modes {
        /// The program edits the line itself, as a shell does.
        case editing
        case prompting
        case running
    }

    var modes: Modes {
        var settings = termios()
        tcgetattr(terminal, &settings)
        if settings.c_lflag & tcflag_t(ICANON) == 0 { return .editing }
        return settings.c_lflag & tcflag_t(ECHO) == 0 ? .prompting : .running
    }

    /// Types as a quick person does.
    func type(_ text: String, _ random: inout SplitMix) {
        for letter in text {
            let name = letter == "\n" ? "Return" : String(letter)
            hand.key(name, down: true)
            usleep(UInt32.random(in: 3000...5000, using: &random))
            hand.key(name, down: false)
            usleep(UInt32.random(in: 5000...10_000, using: &random))
        }
    }

    /// Starts a program and answers it once, or as often as it asks.
    ///
    /// - Returns: the number of answers.
    func answer(_ asker: Asker, _ secrets: () -> String, _ random: inout SplitMix) throws -> Int {
        type(asker.command + "\n", &random)
        for _ in 0..<asker.asks {
            try #require(eventually { modes == .prompting }, "\(asker.name) does not ask")
            type(secrets() + "\n", &random)
            // Until the program has read the line the terminal looks as if it asked again.
            try #require(eventually { modes != .prompting }, "\(asker.name) does not read")
        }
        try #require(eventually { modes == .editing }, "\(asker.name) does not end")
        return asker.asks
    }
}

extension Hand {
    /// The children of the root that are visible and of a class.
    func windows(of app: String) -> [UInt] {
        var (root, parent): (UInt, UInt) = (0, 0)
        var children: UnsafeMutablePointer<UInt>?
        var count: UInt32 = 0
        guard XQueryTree(display, self.root, &root, &parent, &children, &count) != 0 else {
            return []
        }
        defer { if let children { XFree(children) } }
        return UnsafeBufferPointer(start: children, count: Int(count)).filter { window in
            var hint = XClassHint()
            guard isViewable(window), XGetClassHint(display, window, &hint) != 0 else {
                return false
            }
            defer {
                XFree(hint.res_name)
                XFree(hint.res_class)
            }
            return hint.res_class.map { String(cString: $0) } == app
        }
    }
}
