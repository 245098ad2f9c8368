// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Gate
import Person
import Policy

/// The verb `exclude`.
struct ExcludeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exclude",
        abstract: "See and change what is left out of every recording.",
        discussion: """
            Left out by default: password managers, password prompts, screen lockers, on-screen \
            keyboards, private windows of browsers, browsers that do not mark them, viewers of other \
            screens, and hidden input in terminals. You can remove entries from the list; a policy can \
            add to it but cannot take away.

            EXAMPLES
              mcictl exclude list
              mcictl exclude add --app gnucash
              mcictl exclude remove --app gnucash
              mcictl exclude add --asker mylogin       a program that asks for passwords
              mcictl exclude remove unmarked-browsers  record Chromium too; asks
              mcictl exclude add unmarked-browsers     leave it out again
              mcictl exclude only libreoffice "code*"   record only these applications
              mcictl exclude only --all                record all applications again
            """,
        subcommands: [
            ExcludeList.self, ExcludeAdd.self, ExcludeDrop.self, ExcludeRemove.self,
            ExcludeRestore.self, ExcludeOnly.self,
        ]
    )

    /// The default exclusion that is meant; nil if the options describe one of the person's own.
    ///
    /// - Throws: a ``Failure`` if both are given.
    static func named(_ name: String?, _ options: ExclusionOptions) throws -> String? {
        guard name == nil || options.scope == Scope() else {
            throw Failure(
                "Give the name of a default exclusion or options, not both.",
                next: "mcictl exclude list",
                code: Failure.usage
            )
        }
        return name
    }

    /// Removes an exclusion of the person's own.
    static func drop(_ options: ExclusionOptions, json: Bool) throws {
        let scope = try options.checked()
        try change(
            .init(drop: scope),
            "You no longer exclude \(Terminal.printable(scope.words)).",
            json: json
        )
        let policy = try? Installation().policy()
        if let rule = try? scope.rule(), policy?.exclude.contains(rule) == true {
            Terminal.report("It is still left out: the policy requires it.")
        }
    }

    /// Changes the exclusions, with or without the daemon, and says what is now in force.
    static func change(_ call: ExcludeCall, _ sentence: String, json: Bool) throws {
        let installation = Installation()
        let reply = try installation.change(.exclude(call)) { controls throws(Refusal) in
            try controls.exclude(call)
        }
        if json { return try ExcludeList.show(installation, json: true) }
        Terminal.print(sentence)
        if reply == nil, !installation.isDaemonAlive() {
            Terminal.report("mcid is not running; this takes effect when it starts.")
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

    func run() throws { try Self.show(Installation(), json: json, patterns: patterns) }

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

    static func show(_ installation: Installation, json: Bool, patterns: Bool = false) throws {
        let controls = try ControlsFile(installation.paths).read()
        installation.reportPutBack(controls)
        let policy = try installation.policy()
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
        for (whose, list) in [
            ("You allow", controls.only ?? []), ("The policy allows", answer.policyOnly),
        ]
        where !list.isEmpty {
            let names = list.map(Terminal.printable).joined(separator: ", ")
            Terminal.print("\(whose) only these applications: \(names)")
        }
        guard patterns else { return }
        let askers = [("yours", answer.own), ("policy", answer.policy)].flatMap { whose, scopes in
            scopes.compactMap(\.asker).map { "  program: \(Terminal.printable($0)) (\(whose))" }
        }
        for exclusion in defaults {
            Terminal.print("")
            Terminal.print(exclusion.name)
            for rule in exclusion.rules {
                if let app = rule.app { Terminal.print("  class or instance: \(app)") }
                if let title = rule.title { Terminal.print("  and title: \(title)") }
                guard rule == Scope() else { continue }
                Terminal.print(
                    "  a terminal that reads a line without showing it, or whose program runs as"
                )
                Terminal.print(
                    "  another user, or is one of these and reads keys without showing them:"
                )
                for name in SecretAskers.names { Terminal.print("  program: \(name)") }
                for line in askers { Terminal.print(line) }
            }
        }
    }
}

/// The criteria of an exclusion on the command line.
struct ExclusionOptions: ParsableArguments {
    @OptionGroup var options: ScopeOptions

    @Option(
        help: """
            A program that asks for secrets in a terminal and reads keys without showing them: its name \
            in ps -o comm, or the name of its script; it may end in *.
            """
    )
    var asker: String?

    var scope: Scope {
        var scope = options.scope
        scope.asker = asker
        return scope
    }

    /// The scope, if it is valid.
    ///
    /// - Throws: a ``Failure`` of wrong usage.
    func checked() throws -> Scope { try scope.checked("mcictl exclude add --help") }
}

/// The verb `exclude add`.
struct ExcludeAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Leave something out permanently.",
        usage:
            "mcictl exclude add (NAME | [--app …] [--title …] [--device …] [--during …] | --asker …) [--json]",
        discussion: """
            Name a removed default exclusion to restore it; describe anything else with options.

            EXAMPLES
              mcictl exclude add --app gnucash
              mcictl exclude add --title "*Online Banking*"
              mcictl exclude add --asker mylogin
              mcictl exclude add private-browsing
            """
    )

    @Argument(help: "A default exclusion, as shown by mcictl exclude list.", completion: .defaults)
    var name: String?

    @OptionGroup var options: ExclusionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        if let name = try ExcludeVerb.named(name, options) {
            return try ExcludeVerb.change(
                .init(restore: name),
                "\(name) is in force again.",
                json: json
            )
        }
        let scope = try options.checked()
        let words = Terminal.printable(scope.words)
        try ExcludeVerb.change(
            .init(add: scope),
            "Left out from now on: \(words). Undo: mcictl exclude remove with the same options",
            json: json
        )
        if let rule = try? scope.rule(), rule.asker?.isCut == true {
            Terminal.report(
                "The kernel keeps only \(SecretAsker.kept) bytes of a name, so every program whose name begins with them counts."
            )
        }
    }
}

/// The verb `exclude remove`.
struct ExcludeRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an exclusion, so that what it leaves out is recorded.",
        usage:
            "mcictl exclude remove (NAME [--yes] | [--app …] [--title …] [--device …] [--during …] | --asker …)",
        discussion: """
            Name a default exclusion, which asks first; or repeat the options with which you added one \
            of your own.

            EXAMPLES
              mcictl exclude remove private-browsing
              mcictl exclude remove --app gnucash
            """
    )

    @Argument(help: "A default exclusion, as shown by mcictl exclude list.", completion: .defaults)
    var name: String?

    @OptionGroup var options: ExclusionOptions

    @Flag(help: "Remove it without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard let name = try ExcludeVerb.named(name, options) else {
            return try ExcludeVerb.drop(options, json: json)
        }
        if let exclusion = DefaultExclusion.all.first(where: { $0.name == name }), !yes {
            Terminal.report("“\(name)” leaves out \(exclusion.summary).")
            guard try Terminal.ask("Record them from now on?", script: nil) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        try ExcludeVerb.change(
            .init(remove: name),
            "\(name) is removed. Undo: mcictl exclude add \(name)",
            json: json
        )
    }
}

/// The former name of `exclude remove` with options.
struct ExcludeDrop: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", shouldDisplay: false)

    @OptionGroup var options: ExclusionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws { try ExcludeVerb.drop(options, json: json) }
}

/// The former name of `exclude add` with a name.
struct ExcludeRestore: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "restore", shouldDisplay: false)

    @Argument(help: "The name, as shown by mcictl exclude list.", completion: .defaults)
    var name: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try ExcludeVerb.change(.init(restore: name), "\(name) is in force again.", json: json)
    }
}

extension CompletionKind {
    /// The default exclusions.
    fileprivate static var defaults: CompletionKind { .list(DefaultExclusion.all.map(\.name)) }
}

/// The verb `exclude only`.
struct ExcludeOnly: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "only",
        abstract: "Record only the applications you name.",
        discussion: """
            What is exempt or excluded is left out there too.

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
            throw Failure("Name applications, or give --all.", code: Failure.usage)
        }
        let sentence =
            all
            ? "All applications are recorded again, except what other rules leave out."
            : "Only these applications are recorded now: \(apps.map(Terminal.printable).joined(separator: ", ")). Undo: mcictl exclude only --all"
        try ExcludeVerb.change(.init(only: apps), sentence, json: json)
    }
}
