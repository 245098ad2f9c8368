// SPDX-License-Identifier: Apache-2.0

import Export
import FoundationEssentials
import Glibc
import System

/// Where output goes: results to standard output, everything else to standard error.
enum Terminal {
    /// Prints a result.
    static func print(_ text: String) {
        write(Array((shown(text) + "\n").utf8))
    }

    /// Writes bytes of a result; if the reader is gone, the command ends quietly.
    static func write(_ bytes: [UInt8]) {
        do {
            try Disk.write(bytes, to: 1)
        } catch {
            if error.number == EPIPE { exit(0) }
            report("error: Standard output cannot be written (\(error)).")
            report("  Next: mcictl status (what is in force now)")
            exit(Failure.failed)
        }
    }

    /// Whether results go to a terminal, which interprets control characters.
    static var isResultOnTerminal: Bool { isatty(1) == 1 }

    /// Prints a hint, a warning or an error.
    static func report(_ text: String) {
        try? Disk.write(Array((shown(text) + "\n").utf8), to: 2)
    }

    /// Draws something that will soon be overwritten.
    static func draw(_ text: String) {
        try? Disk.write(Array(shown(text).utf8), to: 2)
    }

    /// Says what takes a moment, only on a terminal.
    static func progress(_ text: String) {
        if isatty(2) == 1 { report(text) }
    }

    /// Prints a value as one line of JSON.
    static func printJSON(_ value: some Encodable) throws {
        write(try json(value))
    }

    /// A value as one line of JSON.
    static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Control characters that the encoder lets through occur only in strings.
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        return Array(SafeText.escaped(text).utf8) + [0x0A]
    }

    /// A text without terminal control characters.
    static func printable(_ text: String) -> String { SafeText.printable(text) }

    /// A word quoted for a shell, without terminal control characters.
    static func shellWord(_ text: String) -> String { SafeText.shellWord(text) }

    /// Whether there is someone to ask.
    static var canAsk: Bool { isatty(0) == 1 }

    /// Asks a person on their terminal.
    ///
    /// - Parameter question: without a space at its end.
    /// - Returns: the line they typed; empty for none.
    static func answer(_ question: String) -> String {
        draw(question + " ")
        return readLine() ?? ""
    }

    /// Asks a question whose default answer is no.
    ///
    /// - Parameters:
    ///   - question: without the choice of answers.
    ///   - script: the option that answers for a script; nil if only the person may answer, so that no
    ///     error shows a way around the question.
    /// - Returns: whether the answer was yes.
    /// - Throws: a ``Failure`` if nobody can be asked.
    static func ask(_ question: String, script: String?) throws -> Bool {
        guard canAsk else {
            throw Failure(
                "This command asks a question, but there is no terminal to ask on. Nothing was changed.",
                next: script.map { "the same command with \($0)" }
                    ?? "the same command in a terminal",
                code: Failure.refused
            )
        }
        try? Disk.write(Array(shown("\(question) [y/N] ").utf8), to: 2)
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}
