// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Person
import Recording
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// Random damage to the files of a recorder that was killed: found, mended, and never in the way.
@Suite struct RandomDamageTests {
    /// A recorder's home as kill -9 leaves it, some batches in the database and some in its log.
    private struct Ruin {
        var files: [String: Data]
        var session: ScriptedSession

        init() throws {
            session = try ScriptedSession()
            for round in 0..<8 {
                session.focus("Editor")
                session.type("ab")
                session.pass(65_000)
                // What was stored up to here lies in the database itself, the rest in the log.
                if round == 3 { try Self.emptyLog(session) }
            }
            files = [:]
            let folder = session.folder.path
            for name in session.folder.names() {
                files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
            }
        }

        private static func emptyLog(_ session: ScriptedSession) throws {
            _ = try session.recorder.handle(.forget(.init(batches: [1])))
        }

        func restore(into folder: TemporaryFolder) throws {
            for (name, data) in files where !name.hasSuffix("-shm") {
                let path = "\(folder.path)/\(name)"
                let parent = Disk.folder(of: path)
                try FileManager.default.createDirectory(
                    atPath: parent,
                    withIntermediateDirectories: true
                )
                try data.write(to: URL(fileURLWithPath: path))
            }
        }
    }

    /// Damages one of the files; nil when that changed nothing.
    private func damage(_ ring: String, _ random: inout SplitMix) throws -> String? {
        let suffix = ["", "", "", "-wal", "-wal", ".head"].randomElement(using: &random) ?? ""
        let path = ring + suffix
        let url = URL(fileURLWithPath: path)
        let before = try Data(contentsOf: url)
        var after = before
        let place = Int.random(in: 0..<before.count, using: &random)
        let what: String
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            what = "bit \(place)"
            after[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 5..<8:
            let start = place / 4096 * 4096
            what = "page at \(start)"
            let noise = Bool.random(using: &random)
            for index in start..<min(start + 4096, after.count) {
                after[index] = noise ? .random(in: 0...255, using: &random) : 0
            }
        default:
            what = "cut to \(place)"
            after = after.prefix(place)
        }
        guard after != before else { return nil }
        try after.write(to: url)
        return "\(suffix): \(what)"
    }

    @Test(arguments: [1, 2])
    func `random damage is found by verification, mended by itself, and never in the way`(
        seed: UInt64
    ) throws {
        let ruin = try Ruin()
        let text = try String(contentsOfFile: ruin.session.folder.paths.identity, encoding: .utf8)
        let identities = try #require(Identity.list(text))
        let key = try #require(DeviceKeyFile.read(ruin.session.folder.paths.deviceKey)).verifier
        var random = SplitMix(seed: seed)
        var (rounds, unnoticed, withoutEffect, stopped, kept) = (0, 0, 0, 0, 0)
        while rounds < (isProof ? 5000 : 30) {
            let folder = try TemporaryFolder()
            try ruin.restore(into: folder)
            let ring = folder.paths.ring
            guard let what = try damage(ring, &random) else { continue }
            rounds += 1
            if rounds % 500 == 0 {
                print("seed \(seed): \(rounds) damages, \(unnoticed) unnoticed")
            }
            let found = try? Verifier(ring, identities, key).verify()
            // The next start mends what it can, and recording goes on.
            let next = try ScriptedSession(in: folder, at: ruin.session.now)
            next.focus("Editor")
            next.type("cd")
            next.pass(11_000)
            if next.recorder.status.state != .recording || next.recorder.status.ring.batches == 0 {
                stopped += 1
                Issue.record("seed \(seed), round \(rounds), stopped: \(what)")
            }
            next.recorder.stop()
            let words = try next.words()
            if words.filter({ $0 == "letter down" }).count < 2 {
                stopped += 1
                Issue.record("seed \(seed), round \(rounds), nothing new is read: \(what)")
            }
            kept += words.filter { $0 == "letter down" }.count / 2 - 1
            // What remains wrong can only be what nobody can mend: the content of a batch.
            let rest = try Verifier(ring, identities, key).verify().findings.map(\.fault)
            let isWhole = words.filter { $0 == "letter down" }.count == 2 * 8
            if found?.isWhole == true, rest.isEmpty, isWhole {
                // A page of which the log held a newer state: the log has overwritten the damage.
                withoutEffect += 1
            } else if found?.isWhole == true {
                unnoticed += 1
                Issue.record("seed \(seed), round \(rounds), unnoticed: \(what)")
            }
            let allowed: Set<Verification.Fault> = [
                .damaged, .outdated, .forgedNote, .mistimed, .misplaced, .notEmpty, .foreign,
                .doubled, .unproven,
                // What was found at the start stays found.
                .lost, .headGone, .putBack,
            ]
            if !allowed.isSuperset(of: rest) {
                Issue.record("seed \(seed), round \(rounds), \(what): \(rest)")
            }
        }
        print(
            "damage \(rounds): \(unnoticed) unnoticed, \(withoutEffect) without effect, \(stopped) stopped, \(kept) of \(7 * rounds) batches kept"
        )
    }
}
