// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Person
import Policy
import Testing

@Suite struct StewardTests {
    private let secret = StewardSecret()
    private let now = WallTime(1_795_268_102_118)
    private let user = 1000

    private var stewards: [Steward] {
        get throws {
            [Steward(name: "Works council", key: try #require(StewardKey(secret.publicKey)))]
        }
    }

    private func asked(_ scope: Scope = Scope(app: "signal")) throws -> Controls {
        var controls = Controls()
        let moment = Moment(monotonic: EventTime(1), boottime: 1, wall: now)
        _ = try controls.exempt(.init(scope: scope, seconds: 86_400), at: moment, bootID: [1])
        return controls
    }

    private func decision(
        _ controls: Controls,
        approves: Bool,
        by key: StewardSecret? = nil,
        at time: WallTime? = nil,
        user: Int? = nil
    ) throws -> String {
        let request = ExemptionRequest(controls.exemptions[0], user: user ?? self.user)
        let key = key ?? secret
        let statement = StewardDecision.Statement(
            on: try ExemptionRequest(JSONEncoder().encode(request).map(\.self)),
            approves: approves,
            reason: approves ? nil : "Needed for the study.",
            at: time ?? now,
            steward: key.publicKey
        )
        return String(decoding: try key.sign(statement).json, as: UTF8.self)
    }

    private func take(
        _ text: String,
        _ controls: inout Controls,
        at time: WallTime? = nil,
        among stewards: [Steward]? = nil
    ) throws -> ExemptionRecord {
        try controls.decide(
            text,
            among: stewards ?? self.stewards,
            user: user,
            at: time ?? now
        )
    }

    @Test func `approval keeps, a refusal waits until the person has answered`() throws {
        var controls = try asked()
        #expect(try take(decision(controls, approves: true), &controls).state == "approved")
        let after = WallTime(now.milliseconds + 1)
        let record = try take(
            decision(controls, approves: false, at: after),
            &controls,
            at: after
        )
        #expect(record.state == "denied")
        #expect(record.decision?.steward == "Works council")
        #expect(record.decision?.reason == "Needed for the study.")
        #expect(try controls.restrictions().exemptions.count == 1, "still in force")
        let moment = Moment(monotonic: EventTime(1), boottime: 1, wall: after)
        _ = try controls.answer(.init(id: 1, answer: "acknowledge"), at: moment)
        #expect(try controls.restrictions().exemptions.isEmpty)
    }

    @Test
    func `forged, replayed, foreign, expired and edited decisions are refused with the reason`()
        throws
    {
        var controls = try asked()
        let good = try decision(controls, approves: false)
        func refusal(
            _ text: String,
            at time: WallTime? = nil,
            among stewards: [Steward]? = nil
        ) -> String {
            var copy = controls
            defer { #expect(copy == controls, "nothing changes") }
            do {
                _ = try take(text, &copy, at: time, among: stewards)
                return "taken"
            } catch let refusal as Refusal {
                return refusal.reason
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal("{}").contains("not a steward's decision"))
        #expect(refusal(good, among: []).contains("No policy names stewards"))
        // Forged: by somebody else, under the steward's name.
        let stranger = StewardSecret()
        let foreign = try decision(controls, approves: false, by: stranger)
        #expect(refusal(foreign).contains("does not name"))
        let forged = foreign.replacingOccurrences(
            of: stranger.publicKey,
            with: secret.publicKey
        )
        #expect(refusal(forged).contains("forged"))
        // Edited: any field, and any byte of the signature.
        for (old, new) in [
            ("\"approves\":false", "\"approves\":true"), ("Needed for", "Not needed for"),
            ("\"userId\":1000", "\"userId\":1001"), ("\"schema\":1", "\"schema\":2"),
            ("2026-12", "2027-12"),
        ] {
            #expect(good.contains(old))
            #expect(refusal(good.replacingOccurrences(of: old, with: new)) != "taken", "\(old)")
        }
        // Foreign: for another person, or on a different request.
        #expect(
            refusal(try decision(controls, approves: false, user: 7)).contains("another person")
        )
        let other = try asked(Scope(app: "other"))
        #expect(refusal(try decision(other, approves: false)).contains("no longer exists"))
        var changed = controls
        changed.exemptions[0].scope.app = "*"
        #expect(refusal(try decision(changed, approves: true)).contains("a different request"))
        // Expired, and from the future.
        let late = WallTime(now.milliseconds + StewardDecision.validity + 1)
        #expect(refusal(good, at: late).contains("expired"))
        let early = WallTime(now.milliseconds - 3_600_000)
        #expect(refusal(good, at: early).contains("future"))
        // Replayed: the same again, and an older one after a newer one.
        _ = try take(good, &controls)
        #expect(refusal(good).contains("already been imported"))
        let newer = WallTime(now.milliseconds + 5000)
        _ = try take(decision(controls, approves: true, at: newer), &controls, at: newer)
        #expect(refusal(good, at: newer).contains("already been imported"))
    }

    @Test func `every single changed byte of a decision is noticed`() throws {
        let controls = try asked()
        let good = Array(try decision(controls, approves: true).utf8)
        var taken = 0
        for place in good.indices {
            for mask: UInt8 in [1, 4, 32] {
                var bytes = good
                bytes[place] ^= mask
                var copy = controls
                guard (try? take(String(decoding: bytes, as: UTF8.self), &copy)) != nil else {
                    continue
                }
                // The case of hexadecimal digits and the white space at the end mean nothing.
                taken += 1
                #expect(copy.exemptions[0].state == "approved")
                let text = String(decoding: bytes, as: UTF8.self).lowercased()
                #expect(
                    text == String(decoding: good, as: UTF8.self).lowercased()
                        || place == good.count - 1
                )
            }
        }
        #expect(taken < 200)
    }

    @Test func `a steward's key file is read back, and nothing else is one`() throws {
        let again = try StewardSecret(Array(secret.file.utf8))
        #expect(again.publicKey == secret.publicKey)
        for text in ["", "MCI-STEWARD-SECRET-1 ", "MCI-STEWARD-SECRET-1 00", secret.publicKey] {
            #expect(throws: Refusal.self) { try StewardSecret(Array(text.utf8)) }
        }
    }
}
