// SPDX-License-Identifier: Apache-2.0

import Glibc
import System
import Timeline

/// Reads passphrases from a terminal that does not show them, or from a file; never from an argument,
/// which everyone on the machine could read.
enum Prompt {
    /// The environment variable that names a file with the passphrase of the identity.
    static let variable = "MCI_PASSPHRASE_FILE"

    /// Asks for a passphrase.
    ///
    /// - Parameters:
    ///   - question: what is asked for.
    ///   - script: how a script answers.
    /// - Returns: what was typed.
    /// - Throws: a ``Failure`` if nobody can be asked or nothing was typed.
    static func passphrase(_ question: String, script: String) throws -> Passphrase {
        guard isatty(0) == 1 else {
            throw Failure(
                "A passphrase is needed, and there is no terminal to ask on.",
                next: script,
                code: Failure.refused
            )
        }
        return try checked(try hiddenLine(question))
    }

    /// Asks for a new passphrase, twice.
    static func newPassphrase(_ question: String, script: String) throws -> Passphrase {
        let first = try passphrase(question, script: script)
        let second = try hiddenLine("Repeat it")
        guard first == Passphrase(second) else {
            throw Failure("The two passphrases differ. Nothing was changed.")
        }
        return first
    }

    /// Reads the first line of a file; `-` is standard input.
    static func passphrase(file: String) throws -> Passphrase {
        if file == "-", isatty(0) == 1 { return try passphrase("Passphrase", script: "") }
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(file == "-" ? "/dev/stdin" : file)
        } catch {
            throw Failure("The passphrase file cannot be read (\(error)). Nothing was changed.")
        }
        return try checked(Array(bytes.prefix { $0 != 0x0A && $0 != 0x0D }))
    }

    private static func checked(_ bytes: [UInt8]) throws -> Passphrase {
        guard let passphrase = Passphrase(bytes) else {
            throw Failure("An empty passphrase protects nothing. Nothing was changed.")
        }
        return passphrase
    }

    // MARK: The terminal

    /// The signals that end or stop a program.
    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]

    /// Reads a line that the terminal does not show.
    ///
    /// These signals are blocked meanwhile: if one arrives, the terminal is restored first and the
    /// signal takes effect afterwards. So no signal handler is needed.
    private static func hiddenLine(_ question: String) throws -> [UInt8] {
        var (ending, before, shown) = (sigset_t(), sigset_t(), termios())
        unsafe sigemptyset(&ending)
        for signal in endings {
            unsafe sigaddset(&ending, signal)
        }
        guard unsafe tcgetattr(0, &shown) == 0 else {
            throw Failure("The terminal cannot hide what is typed.")
        }
        while true {
            unsafe sigprocmask(SIG_BLOCK, &ending, &before)
            var hidden = shown
            hidden.c_lflag &= ~tcflag_t(ECHO)
            hidden.c_lflag |= tcflag_t(ICANON | ECHONL)
            unsafe tcsetattr(0, TCSAFLUSH, &hidden)
            try? Disk.write(Array("\(question): ".utf8), to: 2)
            let line = typedLine(unless: endings.filter { unsafe sigismember(&before, $0) == 0 })
            unsafe tcsetattr(0, TCSAFLUSH, &shown)
            if line == nil { try? Disk.write([0x0A], to: 2) }
            unsafe sigprocmask(SIG_SETMASK, &before, nil)
            // Reached again after a stop: asks the question again.
            if let line { return line }
        }
    }

    /// A line of standard input; nil when one of some blocked signals came first.
    ///
    /// A signal that was blocked before would never take effect, so it is not checked.
    private static func typedLine(unless signals: [Int32]) -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            var pending = sigset_t()
            unsafe sigpending(&pending)
            for signal in signals where unsafe sigismember(&pending, signal) == 1 { return nil }
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&input, 1, 100) > 0 else { continue }
            var byte: UInt8 = 0
            guard unsafe read(0, &byte, 1) == 1, byte != 0x0A else { return line }
            line.append(byte)
        }
    }
}
