// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Gate
import Settings

/// The verb `exclude`.
struct ExcludeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exclude",
        abstract: "See and change what is left out of every recording.",
        discussion: """
            Password managers, password prompts, screen lockers, private windows of browsers, browsers
            that do not mark these, and unseen input in terminals are left out unless you remove them
            from the list; a policy may add to it, and cannot take away.

            EXAMPLES
              mcictl exclude list
              mcictl exclude add --app gnucash
              mcictl exclude drop --app gnucash
              mcictl exclude remove unmarked-browsers  record Chromium too; asks
              mcictl exclude restore unmarked-browsers
              mcictl exclude only libreoffice "code*"   record these applications alone
              mcictl exclude only --all                record all again
            """,
        subcommands: [
            ExcludeList.self, ExcludeAdd.self, ExcludeDrop.self, ExcludeRemove.self,
            ExcludeRestore.self, ExcludeOnly.self,
        ]
    )

    /// Changes the exclusions, through the daemon or without it, and says what is true now.
    static func change(_ call: ControlCall.ExcludeCall, _ sentence: String, json: Bool) throws {
        let place = Workplace()
        let reply = try place.change(.exclude(call)) { controls throws(Refusal) in
            try controls.exclude(call)
        }
        if json { return try ExcludeList.show(place, json: true) }
        Terminal.print(sentence)
        if reply == nil, !place.isDaemonAlive() {
            Terminal.tell("mcid is not running; it holds when it starts.")
        }
    }
}

/// The verb `exclude list`.
struct ExcludeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List what is left out.",
        discussion: """
            EXAMPLES
              mcictl exclude list
              mcictl exclude list --patterns    every pattern of the default exclusions
            """
    )

    @Flag(help: "Show every pattern of the default exclusions.")
    var patterns = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws { try Self.show(Workplace(), json: json, patterns: patterns) }

    private struct Answer: Encodable {
        struct Default: Encodable {
            var name: String
            var summary: String
            var isInForce: Bool
            var rules: [Scope]
        }
        var schema = 1
        var defaults: [Default]
        var own: [Scope]
        var policy: [Scope]
        var only: [String]?
        var policyOnly: [String]
    }

    static func show(_ place: Workplace, json: Bool, patterns: Bool = false) throws {
        let controls = try ControlsFile(place.paths).read()
        place.tellPutBack(controls)
        let policy = try place.policy()
        let defaults = DefaultExclusion.all.map { exclusion in
            Answer.Default(
                name: exclusion.name,
                summary: exclusion.summary,
                isInForce: !controls.removedExclusions.contains(exclusion.name),
                rules: exclusion.rules.map { Scope($0) }
            )
        }
        let answer = Answer(
            defaults: defaults,
            own: controls.exclusions,
            policy: (policy?.exclude ?? []).map { Scope($0) },
            only: controls.only,
            policyOnly: (policy?.only ?? []).map(\.pattern)
        )
        if json { return try Terminal.printJSON(answer) }
        var rows = [["NAME", "LEFT OUT", "STATE"]]
        rows += defaults.map {
            [$0.name, $0.summary, $0.isInForce ? "in force" : "removed by you"]
        }
        rows += answer.own.map { ["yours", Terminal.printable($0.words), "in force"] }
        rows += answer.policy.map { ["policy", Terminal.printable($0.words), "in force"] }
        TableText.lines(rows).forEach { Terminal.print($0) }
        for (whose, list) in [("You", controls.only ?? []), ("The policy", answer.policyOnly)]
        where !list.isEmpty {
            let names = list.map(Terminal.printable).joined(separator: ", ")
            Terminal.print("\(whose) let only these applications be recorded: \(names)")
        }
        guard patterns else { return }
        for exclusion in defaults {
            Terminal.print("")
            Terminal.print(exclusion.name)
            for rule in exclusion.rules {
                if let app = rule.app { Terminal.print("  class or instance: \(app)") }
                if let title = rule.title { Terminal.print("  and title: \(title)") }
                if rule == Scope() { Terminal.print("  any window that may show a terminal") }
            }
        }
    }
}

/// The verb `exclude add`.
struct ExcludeAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Leave something out for good.",
        discussion: """
            EXAMPLES
              mcictl exclude add --app gnucash
              mcictl exclude add --title "*Online Banking*"
            """
    )

    @OptionGroup var options: ScopeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let scope = try options.checked()
        try ExcludeVerb.change(
            .init(add: scope),
            "Left out from now on: \(Terminal.printable(scope.words)). Undo: mcictl exclude drop",
            json: json
        )
    }
}

/// The verb `exclude drop`.
struct ExcludeDrop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Take back an exclusion of yours, by the same options.",
        discussion: """
            EXAMPLES
              mcictl exclude drop --app gnucash
            """
    )

    @OptionGroup var options: ScopeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let scope = try options.checked()
        try ExcludeVerb.change(
            .init(drop: scope),
            "No longer left out by you: \(Terminal.printable(scope.words)).",
            json: json
        )
    }
}

/// The verb `exclude remove`.
struct ExcludeRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Let what a default exclusion leaves out be recorded.",
        discussion: """
            EXAMPLES
              mcictl exclude remove private-browsing
            """
    )

    @Argument(help: "The name, as mcictl exclude list shows it.")
    var name: String

    @Flag(help: "Remove it without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        if let exclusion = DefaultExclusion.all.first(where: { $0.name == name }), !yes {
            Terminal.tell("\(name) keeps out: \(exclusion.summary).")
            guard try Terminal.ask("Record them from now on?", script: nil) else {
                Terminal.tell("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        try ExcludeVerb.change(
            .init(remove: name),
            "\(name) is removed. Undo: mcictl exclude restore \(name)",
            json: json
        )
    }
}

/// The verb `exclude restore`.
struct ExcludeRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a default exclusion in force again.",
        discussion: """
            EXAMPLES
              mcictl exclude restore private-browsing
            """
    )

    @Argument(help: "The name, as mcictl exclude list shows it.")
    var name: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try ExcludeVerb.change(.init(restore: name), "\(name) is in force again.", json: json)
    }
}

/// The verb `exclude only`.
struct ExcludeOnly: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "only",
        abstract: "Record in the named applications alone.",
        discussion: """
            What is exempt or excluded stays out also there.

            EXAMPLES
              mcictl exclude only libreoffice "code*"
              mcictl exclude only --all
            """
    )

    @Argument(help: "Patterns for the class or instance of WM_CLASS.")
    var apps: [String] = []

    @Flag(help: "Record in all applications again.")
    var all = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard all != !apps.isEmpty else {
            throw Failure("Name applications, or --all.", code: Failure.usage)
        }
        let sentence =
            all
            ? "All applications are recorded again, but for what is left out otherwise."
            : "Only these are recorded now: \(apps.map(Terminal.printable).joined(separator: ", ")). Undo: mcictl exclude only --all"
        try ExcludeVerb.change(.init(only: apps), sentence, json: json)
    }
}
