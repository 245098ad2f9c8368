// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Person
import Policy

/// The verb `policy diff`.
struct PolicyDiffVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what another policy would make stricter or looser than the one in force.",
        discussion: """
            Stricter means that less may be recorded. A longer pause cap is stricter, and so is a \
            policy without stewards: then the person alone decides on exemptions.

            EXAMPLES
              mcictl policy diff draft.json
              mcictl policy diff draft.json --json
            """
    )

    @Argument(help: "The other policy.", completion: .file(extensions: ["json"]))
    var path: String

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var from: String?
        var to: String
        /// A different hash asks for consent again, even if nothing else changes.
        var asksForConsent: Bool
        var changes: [ManagedPolicy.Change]
    }

    func run() throws {
        let file = Installation().paths.policy
        let old = try file.read()
        let new = try PolicyFile.draft(path).policy
        let changes = ManagedPolicy.changes(from: old, to: new)
        let isOther = old?.hash != new.hash
        if json {
            return try Terminal.printJSON(
                Answer(
                    from: old == nil ? nil : file.current,
                    to: path,
                    asksForConsent: isOther,
                    changes: changes
                )
            )
        }
        let name = Terminal.printable(path)
        let base = old == nil ? "no policy" : Terminal.printable(file.current)
        guard isOther else { return Terminal.print("\(name) is the same as \(base).") }
        guard !changes.isEmpty else {
            Terminal.print("\(name) differs from \(base) only in its wording and means the same.")
            return reportConsent()
        }
        Terminal.print("\(name), compared with \(base):\n")
        for change in changes {
            Terminal.print(
                "  \(pad(change.direction.rawValue, 10))\(pad(change.field, 13))\(words(change))"
            )
        }
        Terminal.print("")
        reportConsent()
    }

    private func reportConsent() {
        Terminal.report(
            "Under it, nothing is recorded until the person has consented to the new notice."
        )
    }

    private func words(_ change: ManagedPolicy.Change) -> String {
        func line(_ text: String) -> String {
            Terminal.printable(text.replacing("\n", with: " "))
        }
        return switch (change.from, change.to) {
        case (nil, let new?): "+ \(line(new))"
        case (let old?, nil): "- \(line(old))"
        default: "\(line(change.from ?? "")) → \(line(change.to ?? ""))"
        }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
