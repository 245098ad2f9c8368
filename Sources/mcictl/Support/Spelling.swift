// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Corrects command lines that are almost right.
enum Spelling {
    /// The arguments as intended: `exempt --app X` is `exempt add --app X`.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: the arguments to parse.
    /// - Throws: a ``Failure`` for an unknown verb, with the one that was probably meant.
    static func corrected(_ arguments: [String]) throws -> [String] {
        var arguments = arguments
        if arguments.count > 1, arguments[0] == "exempt", arguments[1].hasPrefix("--"),
            !["--help", "--version", "--help-hidden"].contains(arguments[1])
        {
            arguments.insert("add", at: 1)
        }
        var (verb, path): (any ParsableCommand.Type, [String]) = (Mcictl.self, ["mcictl"])
        for word in arguments {
            let verbs = verb.configuration.subcommands
            // A verb with a default subcommand takes that one's arguments.
            guard !word.hasPrefix("-"), word != "help", !verbs.isEmpty,
                verb.configuration.defaultSubcommand == nil || verb == SetVerb.self
            else { break }
            guard let next = verbs.first(where: { names($0).contains(word) }) else {
                let shown = verbs.filter { $0.configuration.shouldDisplay }.map(name)
                throw unknown(word, among: shown, path.joined(separator: " "))
            }
            (verb, path) = (next, path + [word])
        }
        return arguments
    }

    private static func name(_ verb: any ParsableCommand.Type) -> String {
        verb.configuration.commandName ?? ""
    }

    private static func names(_ verb: any ParsableCommand.Type) -> [String] {
        [name(verb)] + verb.configuration.aliases
    }

    private static func unknown(_ word: String, among names: [String], _ path: String) -> Failure {
        let near = names.map { ($0, distance(word.lowercased(), $0)) }.min { $0.1 < $1.1 }
        let most = max(1, min(word.count, 8) / 3)
        let meant = near.flatMap { $0.1 <= most ? $0.0 : nil }
        let shown = Terminal.printable(word)
        return Failure(
            meant.map { "There is no verb “\(shown)”. Did you mean \($0)?" }
                ?? "There is no verb “\(shown)”.",
            next: "\(path) \(meant.map { "\($0) --help" } ?? "--help")",
            code: Failure.usage
        )
    }

    /// How many letters differ: missing, extra, other, or two in the wrong order.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var rows = [Array(0...right.count)]
        for row in left.indices {
            var line = [row + 1]
            for column in right.indices {
                let isSame = left[row] == right[column]
                var least = min(
                    rows[row][column + 1] + 1,
                    line[column] + 1,
                    rows[row][column] + (isSame ? 0 : 1)
                )
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    least = min(least, rows[row - 1][column - 1] + 1)
                }
                line.append(least)
            }
            rows.append(line)
        }
        return rows[left.count][right.count]
    }
}
