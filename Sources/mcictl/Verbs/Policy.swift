// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Gate
import Person
import Policy

/// The verb `policy`.
struct PolicyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract:
            "See what the policy of this computer allows, or check one before it takes effect.",
        discussion: """
            The policy is /etc/mci/policy.json. It says who asks for the recording and why, and limits \
            what may be recorded; the stricter of the policy and your own settings is in force. If that \
            file does not exist, the variable MCI_POLICY can name one of yours.

            EXAMPLES
              mcictl policy show
              mcictl policy check draft.json
              mcictl policy diff draft.json
            """,
        subcommands: [PolicyShowVerb.self, PolicyCheckVerb.self, PolicyDiffVerb.self]
    )

    /// Says that there is no policy.
    static func reportNone(_ file: PolicyFile) {
        Terminal.print("There is no policy: \(file.current) does not exist.")
    }
}

/// The verb `policy show`.
struct PolicyShowVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the policy in force, and how it limits your settings.",
        discussion: """
            EXAMPLES
              mcictl policy show
              mcictl policy show --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var path: String?
        var hash: String?
        var policy: ManagedPolicy?
        var settings: [EffectiveSetting]
    }

    func run() throws {
        let installation = Installation()
        let file = installation.paths.policy
        let policy = try file.read()
        let person = try SettingsFile(installation.paths.settings).read()
        let settings = EffectiveSetting.all(person, policy, now: installation.now.wall)
        if json {
            return try Terminal.printJSON(
                Answer(
                    path: policy == nil ? nil : file.current,
                    hash: policy?.hash,
                    policy: policy,
                    settings: settings
                )
            )
        }
        if let policy {
            Terminal.print("Policy   \(Terminal.printable(file.current))")
            Terminal.print("SHA-256  \(policy.hash)\n")
            Terminal.print(policy.noticeSection)
        } else {
            PolicyVerb.reportNone(file)
        }
        EffectiveSetting.table(settings).forEach { Terminal.print($0) }
    }
}

/// The verb `policy check`.
struct PolicyCheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "List every defect of a policy with its line, or show what it means.",
        discussion: """
            Without a file, it checks the policy in force. Exit code 1 means that mci would not accept \
            it: then nothing is recorded.

            EXAMPLES
              mcictl policy check
              mcictl policy check draft.json
            """
    )

    @Argument(help: "The file to check.", completion: .file(extensions: ["json"]))
    var file: String?

    @Option(name: .customLong("policy"), help: .hidden)
    var named: String?

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        struct Defect: Encodable {
            var line: Int?
            var sentence: String
        }
        var schema = 1
        var path: String
        var isValid: Bool
        var hash: String?
        var policy: ManagedPolicy?
        var defects: [Defect] = []
    }

    func run() throws {
        if file != nil, named != nil {
            throw Failure("Give one file.", next: "mcictl policy check FILE", code: Failure.usage)
        }
        let path = file ?? named
        let policyFile = Installation().paths.policy
        let name = path ?? policyFile.current
        do throws(PolicyError) {
            let policy: ManagedPolicy
            if let path {
                let draft = try PolicyFile.draft(path)
                policy = draft.policy
                if let warning = draft.warning {
                    Terminal.report("warning: mci would not accept the file as it is. \(warning)")
                }
            } else {
                guard let found = try policyFile.read() else {
                    if json { return report(Answer(path: name, isValid: true)) }
                    return PolicyVerb.reportNone(policyFile)
                }
                policy = found
            }
            return report(Answer(path: name, isValid: true, hash: policy.hash, policy: policy))
        } catch {
            let defects = error.defects.map {
                Answer.Defect(line: $0.line, sentence: Terminal.printable($0.sentence))
            }
            report(Answer(path: name, isValid: false, defects: defects))
            throw ExitCode(Failure.failed)
        }
    }

    private func report(_ answer: Answer) {
        let path = Terminal.printable(answer.path)
        if json {
            // All of it is text and numbers.
            try? Terminal.printJSON(answer)
        } else if let policy = answer.policy {
            Terminal.print("\(path) is valid.\n\n\(policy.noticeSection)")
            Terminal.report("What it changes: mcictl policy diff \(path)")
        } else {
            for defect in answer.defects {
                let installation = defect.line.map { ", line \($0)" } ?? ""
                Terminal.print("\(path)\(installation): \(defect.sentence)")
            }
        }
    }
}
