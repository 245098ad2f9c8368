// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The pages of `Tests/Scenarios`, with a scripted X server and an injected clock.
@Suite struct ScenarioTests {
    /// In two halves, for two cores.
    @Test(arguments: [0, 1])
    func `what a scenario says is what is stored`(half: Int) throws {
        var session: ScriptedSession?
        for (index, name) in Scenario.chosen.enumerated() where index % 2 == half {
            let scenario = try Scenario(named: name)
            do {
                let stage = try ScriptedStage(scenario.windows, after: session)
                // What is wrong in one is not carried into the next.
                session = try scenario.play(on: stage, isExact: true) ? stage.session : nil
            } catch {
                session = nil
                Issue.record(error, "Tests/Scenarios/\(name).txt")
            }
        }
    }

    @Test func `a line that means nothing is refused with its file and its number`() throws {
        let head = "# A title\n# A promise.\n"
        let good = "focus Editor\ntype ab\n\nstored:\nEditor: typed\n"
        _ = try Scenario(name: "good", head + good)
        let bad: [(line: Int, text: String)] = [
            (3, head + "focsu Editor\n" + good),
            (3, head + "press Crtl+S\n" + good),
            (3, head + "press Nothing\n" + good),
            (3, head + "wait a while\n" + good),
            (3, head + "key detail some\n" + good),
            (3, head + "exempt apps Signal\n" + good),
            (3, head + "pause 60s\n" + good),
            (4, head + "focus Editor\n# Later.\n" + good),
            (8, head + good + "Editor: tpyed\n"),
            (8, head + good + "Edtior: typed\n"),
            (8, head + good + "clicked 1 in Edtior\n"),
            (8, head + good + "left out: pausing\n"),
            (8, head + good + "nothing at all\n"),
            (8, head + good + "Editor: the letter ab\n"),
            (8, head + good + "stored:\n"),
            (7, "# A title\n" + good),
            (5, head + "type ab\n\n"),
            (9, head + good + "nothing\n"),
            (9, head + "a program types ab\n" + good),
        ]
        for (line, text) in bad {
            let error = #expect(throws: ScenarioError.self) {
                try Scenario(name: "bad", text)
            }
            #expect(error?.line == line, "\(text): \(error?.description ?? "")")
            #expect(error?.description.hasPrefix("Tests/Scenarios/bad.txt:\(line): ") == true)
        }
    }

    @Test func `every page is named where the promises are, and no other`() throws {
        let promises = try String(
            contentsOfFile: Program.root + "/Tests/PROMISES.md",
            encoding: .utf8
        )
        let links = promises.components(separatedBy: "(Scenarios/").dropFirst()
        let named = links.compactMap { $0.components(separatedBy: ".txt)").first }
        #expect(Set(named).symmetricDifference(Scenario.names).isEmpty)
    }

    @Test func `another thing that is stored, or one less, is told`() throws {
        let head = "# A title\n# A promise.\nfocus Editor\ntype ab\npress F5\n\nstored:\n"
        var stage: ScriptedStage?
        func play(_ stored: String) throws -> Bool {
            let scenario = try Scenario(name: "other", head + stored)
            let next = try ScriptedStage(scenario.windows, after: stage?.session)
            stage = next
            return try scenario.play(on: next, isExact: true)
        }
        for stored in [
            "Editor: typed\n", "Editor: F5\n", "Editor: typed\nEditor: F6\n", "nothing\n",
        ] {
            withKnownIssue { _ = try play(stored) }
        }
        #expect(try play("Editor: typed\nEditor: F5\n"))
    }
}

/// The same pages with a real mcid, real windows and real time.
@Suite(.serialized) struct DesktopScenarioTests {
    @Test(arguments: [false, true])
    func `what a scenario says is what a real mcid stores`(hasPolicy: Bool) throws {
        let desktop = try Desktop()
        let rig = try DesktopRig(desktop, hasPolicy: hasPolicy)
        for name in Scenario.chosen {
            let scenario = try Scenario(named: name)
            guard scenario.pureOnly == nil, scenario.usesPolicy == hasPolicy else { continue }
            do {
                try rig.play(scenario)
            } catch {
                Issue.record(error, "Tests/Scenarios/\(name).txt")
            }
        }
    }

    @Test func `most scenarios are played at a real desktop`() throws {
        let all = try Scenario.names.map { try Scenario(named: $0) }
        #expect(all.count >= 40)
        #expect(all.count { $0.pureOnly != nil } * 4 <= all.count)
    }
}
