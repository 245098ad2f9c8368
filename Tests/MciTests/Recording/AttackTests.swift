// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What an attacker with all texts and the person's key makes of stored files: the short form of
/// `make attack`.
@Suite(.serialized) struct AttackTests {
    private func figures() throws -> [String: Any] {
        let build = URL(fileURLWithPath: try #require(Program.path("mcictl")))
            .deletingLastPathComponent().path
        let script = "\(Program.root)/Tests/Attacks/attack.py"
        let result = try Program.run("python3", [script, build, "--short", "--json"])
        try #require(result.code == 0, "\(result.errors)")
        return result.json
    }

    @Test func `the attacks find at classes what they are for, and at the default chance`() throws {
        let figures = try figures()
        func number(_ name: String) throws -> Double {
            try #require(figures[name] as? Double, "\(name)")
        }
        func numbers(_ name: String) throws -> [Double] {
            try #require(figures[name] as? [Double], "\(name)")
        }
        // Who has the text knows it again by the classes of eight words, or the attack is a toy.
        #expect(try number("(a) 8 words of 20 classes") > 0.9)
        #expect(try number("(a) 8 words of 20 full") == 1)
        for detail in ["shortcuts", "activity"] {
            for words in [5, 8, 12] {
                let known = try numbers("(a) \(words) words of 20 \(detail)")
                #expect(known[0] <= known[3] && known[3] <= known[2])
            }
            // Of a password at most a bit of its length, and nothing of its pattern.
            let password = try numbers("(b) password \(detail)")
            #expect(password[0] <= 1 && password[1] < 0.2)
            let who = try numbers("(c) who, by typing \(detail)")
            #expect(who[0] <= who[3] && who[3] <= who[2])
        }
        #expect(try numbers("(b) password classes")[1] == 1)
        #expect(try numbers("(c) who, by typing full")[1] > 0.5)
    }
}
