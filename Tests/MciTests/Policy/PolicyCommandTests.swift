// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Policy
import System
import Testing

/// The verbs of `mcictl policy`; the policy in force is the one that `MCI_POLICY` names.
@Suite struct PolicyCommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { "\(folder.path)/policy.json" }

    private func command(_ arguments: String..., policy: Bool = true) throws -> Program.Result {
        var environment = folder.environment
        if policy { environment["MCI_POLICY"] = path }
        return try Program.run("mcictl", ["policy"] + arguments, environment: environment)
    }

    private func write(_ draft: Draft, to path: String? = nil) throws {
        try Disk.write(Array(draft.written().utf8), to: path ?? self.path)
    }

    @Test func `without a policy that is what is said`() throws {
        for verb in ["show", "check"] {
            let result = try command(verb, policy: false)
            #expect(result.code == 0)
            #expect(
                result.lines[0] == "There is no policy: /etc/mci/policy.json does not exist."
            )
        }
        let json = try command("show", "--json", policy: false).json
        #expect(json["schema"] as? Int == 1 && json["policy"] == nil)
        #expect((json["settings"] as? [Any])?.count == 5)
        // A policy that is named has to be there.
        let missing = try command("show")
        #expect(missing.code == 1 && missing.output.isEmpty)
        #expect(
            missing.errors
                == "error: \(path): MCI_POLICY names it, but it does not exist.\n  Next: mcictl policy check\n"
        )
    }

    @Test func `show sets the policy beside the person's settings`() throws {
        try write(.policy)
        _ = try Program.run(
            "mcictl",
            ["set", "retention", "2d"],
            environment: folder.environment
        )
        let text = try command("show")
        #expect(text.code == 0, "\(text.errors)")
        #expect(
            text.lines.suffix(6) == [
                "SETTING         YOURS      POLICY            IN FORCE",
                "key-detail      shortcuts  activity at most  activity",
                "retention       2d         7d at most        2d",
                "ring-size       64M        64M at most       64M",
                "title           off        off at most       off",
                "synthetic-keys  off        off at most       off",
            ]
        )
        #expect(text.output.contains("Example GmbH"))
        let json = try command("show", "--json").json
        #expect(json["path"] as? String == path)
        #expect(
            json["hash"] as? String == ManagedPolicy.hash(of: Array(Draft.policy.written().utf8))
        )
        #expect((json["policy"] as? [String: Any])?["pauseCap"] as? String == "8h")
        let settings = try #require(json["settings"] as? [[String: String]])
        #expect(settings[0]["inForce"] == "activity" && settings[0]["yours"] == "shortcuts")
    }

    @Test func `what a policy forbids is refused with the next command, and changes nothing`()
        throws
    {
        try write(.policy)
        var environment = folder.environment
        environment["MCI_POLICY"] = path
        for (setting, what) in [
            ("title", "window titles"), ("synthetic-keys", "keys made by programs"),
        ] {
            let arguments = ["set", setting, "on", "--yes"]
            let result = try Program.run("mcictl", arguments, environment: environment)
            #expect(result.code == 77 && result.output.isEmpty)
            #expect(result.errors.contains("The policy does not allow \(what)"), "\(result.errors)")
            #expect(result.errors.contains("Nothing was changed."))
            #expect(result.errors.contains("Next: mcictl policy show"))
        }
        let settings = try SettingsFile(folder.paths.settings).read()
        #expect(settings.title == nil && settings.syntheticKeys == nil)
    }

    @Test func `check names every defect with its line`() throws {
        try write(
            Draft.policy.changingMembers([]) { members in
                members[7].value = .text("7")
                members[10].key = "pausecap"
            }
        )
        let inForce = try command("check")
        #expect(inForce.code == 1 && inForce.errors.isEmpty)
        #expect(
            inForce.lines == [
                "\(path), line 9: retention is “7”, not a duration from 1m to 3653d, such as 7d or 12h.",
                "\(path), line 12: “pausecap” is not a key of a policy. Did you mean pauseCap?",
            ]
        )
        let json = try command("check", "--json")
        #expect(json.code == 1 && json.json["isValid"] as? Bool == false)
        let defects = try #require(json.json["defects"] as? [[String: Any]])
        #expect(defects.map { $0["line"] as? Int } == [9, 12])
        // Other verbs do not go on as if there were none.
        let show = try command("show")
        #expect(show.code == 1 && show.errors.contains("(And 1 more: mcictl policy check)"))
        #expect(try command("diff", path).code == 1)
        let draft = "\(folder.path)/draft.json"
        try write(.policy, to: draft)
        let checked = try command("check", "--policy", draft)
        #expect(checked.code == 0 && checked.lines[0] == "\(draft) is valid.")
        chmod(draft, 0o664)
        #expect(try command("check", "--policy", draft).errors.contains("chmod 644"))
        #expect(try command("check", "--policy", "/nowhere").code == 1)
        #expect(try command("check", "--file", draft).code == 64)
    }

    @Test func `diff tells field by field what becomes stricter and what looser`() throws {
        try write(.policy)
        let draft = "\(folder.path)/draft.json"
        try write(.policy, to: draft)
        #expect(try command("diff", draft).output == "\(draft) is the same as \(path).\n")
        try Disk.write(Array(Draft.policy.written().utf8) + [0x0A], to: draft)
        let spaces = try command("diff", draft)
        #expect(
            spaces.output.hasSuffix("and means the same.\n") && spaces.errors.contains("consent")
        )
        try write(
            Draft.policy.changingMembers([]) { members in
                members[1].value = .text("Something else")
                members[6].value = .text("off")
                members[7].value = .text("9d")
                members[12].value = .list([.object([("app", .text("x"))])])
                members.remove(at: 13)
            },
            to: draft
        )
        let text = try command("diff", draft)
        #expect(text.code == 0)
        #expect(
            text.lines.dropFirst().map { $0.trimmingCharacters(in: .whitespaces) } == [
                "other     purpose      Training data for a model that helps with spreadsheets → "
                    + "Something else",
                "stricter  keyDetail    activity → off",
                "looser    retention    7d → 9d",
                "looser    exclude      - application firefox*, title *Bank*, device AT *, "
                    + "Mon-Fri 12:00-13:00",
                "looser    exclude      - title *Works Council*",
                "looser    exclude      - everything, Sat-Sun",
                "looser    exclude      - prompts of the program example-login*",
                "stricter  exclude      + application x",
                "looser    only         - firefox*, libreoffice*",
            ]
        )
        let json = try command("diff", draft, "--json").json
        #expect(json["schema"] as? Int == 1 && json["asksForConsent"] as? Bool == true)
        #expect((json["changes"] as? [[String: Any]])?.count == 9)
        #expect(
            try command("diff", draft, "--json", policy: false).json["from"] == nil
        )
    }

    @Test(arguments: ["", "show", "check", "diff"])
    func `help of policy has examples and fits the screen`(verb: String) throws {
        let words = verb.isEmpty ? ["--help"] : [verb, "--help"]
        let result = try Program.run(
            "mcictl",
            ["policy"] + words,
            environment: folder.environment
        )
        #expect(result.code == 0 && result.output.contains("EXAMPLES"))
        #expect(result.lines.allSatisfy { $0.count <= 110 })
    }

    @Test func `schema and example are installed and uninstalled`() throws {
        // Recipes are printed and not run, for there is no release build here.
        for (target, word) in [("install", "install -m 644"), ("uninstall", "rm -f")] {
            let result = try Program.run(
                "make",
                ["-n", "-C", Program.root, target, "PREFIX=/p"],
                environment: ProcessInfo.processInfo.environment
            )
            #expect(result.code == 0 && result.output.contains(word))
            #expect(result.output.contains("/p/share/mci"))
            guard target == "install" else { continue }
            #expect(result.output.contains("policy.schema.json"))
            #expect(result.output.contains("policy.example.json"))
        }
    }
}
