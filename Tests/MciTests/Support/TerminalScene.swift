// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

@testable import Capture

/// A real terminal with a shell in it, in which a person starts programs that ask for secrets.
final class TerminalScene {
    /// A program that asks, and the command that starts it, of the letters a to f alone.
    struct Asker {
        var name: String
        var command: String
        /// How often it asks before it gives up.
        var asks = 1
        /// The number of keys it reads where Return does not end that.
        var length: Int?
    }

    /// What the shell runs in.
    enum Emulator: String, CaseIterable {
        case xterm
        case xfce
        case st
        /// In an xterm.
        case tmux

        /// The class of its window.
        fileprivate var app: String {
            switch self {
            case .xterm, .tmux: "XTerm"
            case .xfce: "Xfce4-terminal"
            case .st: "st-256color"
            }
        }

        /// The words that start it.
        fileprivate func command(_ shell: [String], _ server: String) -> [String] {
            switch self {
            case .xterm: ["xterm", "-e"] + shell
            case .xfce: ["xfce4-terminal", "--disable-server", "-x"] + shell
            case .st: ["st", "-e"] + shell
            case .tmux:
                ["xterm", "-e", "tmux", "-L", server, "-f", "/dev/null", "new-session"]
                    + [shell.joined(separator: " ")]
            }
        }
    }

    let folder: TemporaryFolder
    let hand: Hand
    let window: UInt
    private let process = Process()
    private let terminal: Int32
    private let shell: Int32
    private let server: String

    /// What asks here; sudo asks only where the test is root and becomes somebody else, so that no
    /// wrong password is held against a person.
    static var askers: [Asker] {
        [
            Asker(name: "ssh-keygen", command: "a"), Asker(name: "read -s", command: "b"),
            Asker(name: "getpass", command: "c"),
        ] + (getuid() == 0 ? [Asker(name: "sudo", command: "d", asks: 3)] : [])
    }

    /// What asks and reads each key itself.
    static let rawAskers = [
        Asker(name: "dialog", command: "aa"), Asker(name: "whiptail", command: "ab"),
        Asker(name: "systemd-ask", command: "ac"),
        Asker(name: "read -s -N", command: "ad", length: 11),
        Asker(name: "read -e -s", command: "ae"),
        Asker(name: "zsh read -sk", command: "af", length: 11),
    ]

    /// A program of its own name (``ownAskerName``) that is on no list and reads so many keys itself.
    static let ownAsker = Asker(name: ownAskerName, command: "ba", length: 11)
    static let ownAskerName = "mci-own-asker"

    /// - Parameters:
    ///   - desktop: where.
    ///   - emulator: what the shell runs in.
    /// - Throws: where a program is missing or does not come up.
    init(_ desktop: Desktop, _ emulator: Emulator = .xterm) throws {
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
            aa() { dialog --passwordbox x 9 30 2>/dev/null; clear; }
            ab() { whiptail --passwordbox x 9 30 2>/dev/null; clear; }
            ac() { systemd-ask-password --timeout=60 x >/dev/null; }
            ad() { read -s -N 11 x; }
            ae() { read -e -s x; }
            af() { zsh -f -c 'read -s -k 11 x'; }
            ba() { \(path)/\(Self.ownAskerName); }
            echo $$ > \(path)/shell
            tty > \(path)/tty
            """
        try commands.write(toFile: "\(path)/rc", atomically: true, encoding: .utf8)
        let own = "\(path)/\(Self.ownAskerName)"
        let script = """
            #!\(try #require(Program.path("python3")))
            import os, termios, tty
            before = termios.tcgetattr(0)
            tty.setraw(0)
            count = 0
            while count < 11: count += len(os.read(0, 64))
            termios.tcsetattr(0, termios.TCSADRAIN, before)
            """
        try script.write(toFile: own, atomically: true, encoding: .utf8)
        try #require(chmod(own, 0o700) == 0)
        server = folder.path.split(separator: "/").last.map(String.init) ?? ""
        let words = emulator.command(["bash", "--rcfile", "\(path)/rc", "-i"], server)
        process.executableURL = URL(
            fileURLWithPath: try #require(Program.path(words[0]), "Run the tests with: make test")
        )
        process.arguments = Array(words.dropFirst())
        process.environment = [
            "DISPLAY": desktop.display, "PATH": "/usr/sbin:/usr/bin:/bin", "HOME": path,
            "XDG_RUNTIME_DIR": path, "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        var name = ""
        try #require(
            eventually(within: 30) {
                let data = FileManager.default.contents(atPath: "\(path)/tty") ?? Data()
                name = String(decoding: data, as: UTF8.self)
                return name.hasSuffix("\n")
            }
        )
        shell = Int32(try String(contentsOfFile: "\(path)/shell", encoding: .utf8).dropLast()) ?? 0
        terminal = Glibc.open(String(name.dropLast()), O_RDONLY | O_NOCTTY | O_NONBLOCK)
        var found: UInt?
        let hand = hand
        try #require(
            eventually {
                found = hand.windows(of: emulator.app).first
                return found != nil
            }
        )
        window = try #require(found)
        hand.focus(window)
        try #require(eventually { modes == .editing })
    }

    deinit {
        close(terminal)
        // What a multiplexer holds outlives its window.
        kill(shell, SIGKILL)
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
        if settings.c_lflag & tcflag_t(ICANON) == 0 {
            let facts = Proc.contents(of: "/proc/\(shell)/stat").flatMap { ProcessFacts($0) }
            guard let facts, facts.foreground == facts.group else {
                return settings.c_lflag & tcflag_t(ECHO) == 0 ? .prompting : .running
            }
            // Its own editor takes Return as it is, and lets a killed line be seen.
            let isOwn = settings.c_iflag & tcflag_t(ICRNL) == 0
            return isOwn && settings.c_lflag & tcflag_t(ECHOK) != 0 ? .editing : .prompting
        }
        return settings.c_lflag & tcflag_t(ECHO) == 0 ? .prompting : .running
    }

    /// Types as a quick person does, or slower.
    ///
    /// - Parameters:
    ///   - text: small letters and line feeds.
    ///   - random: what the pauses are drawn from.
    ///   - pace: microseconds from one key to the next.
    func type(_ text: String, _ random: inout SplitMix, pace: ClosedRange<UInt32> = 8000...15_000) {
        for letter in text {
            let name = letter == "\n" ? "Return" : String(letter)
            hand.key(name, down: true)
            usleep(UInt32.random(in: 3000...5000, using: &random))
            hand.key(name, down: false)
            usleep(UInt32.random(in: pace, using: &random) - 4000)
        }
    }

    /// Starts a program and answers it once, or as often as it asks.
    ///
    /// - Returns: the number of answers.
    func answer(
        _ asker: Asker,
        _ secrets: () -> String,
        _ random: inout SplitMix,
        pace: ClosedRange<UInt32> = 8000...15_000
    ) throws -> Int {
        type(asker.command + "\n", &random)
        for _ in 0..<asker.asks {
            try #require(eventually { modes == .prompting }, "\(asker.name) does not ask")
            type(secrets() + "\n", &random, pace: pace)
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
