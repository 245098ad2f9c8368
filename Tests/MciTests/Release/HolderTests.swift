// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Notes
import Packing
import Person
import Sealing
import Storage
import System
import Testing
import Timeline

@testable import Holder
@testable import Reader
@testable import Release

/// Nothing is opened that is not written down first, and nothing after the end.
@Suite struct HolderTests {
    private let office: ReleaseOffice
    private let desk: ReleaseDesk
    private let payload =
        [UInt8](repeating: 7, count: 99_968) + [UInt8](repeating: 0, count: 32)

    init() throws {
        office = try ReleaseOffice()
        desk = try ReleaseDesk(office)
        try desk.release(payload)
    }

    private func trace(seen: [UInt8] = []) throws -> LogTrace {
        let log = desk.log()
        return try LogTrace(
            leaves: log.leaves,
            checkpoint: log.checkpoint,
            of: desk.record,
            seen: seen
        )
    }

    @Test func `an opening is in the log, with who, why and when`() throws {
        let releases = try desk.stored()
        #expect(try desk.open(releases) == [payload])
        let trace = try trace()
        let entry = try #require(trace.entries.first)
        #expect(trace.entries.count == 1 && trace.checkpoint.size == 2)
        #expect(entry.certificate.content.person == "R. Reader")
        #expect(entry.opening.content.reason == "train the model")
        #expect(entry.opening.content.release == releases[0].digest)
        #expect(entry.time == desk.now)
    }

    @Test func `the same request again has the same leaf`() throws {
        let run = try office.run()
        let (request, asked) = run.request(try desk.stored())
        for _ in 0..<3 {
            var opened = 0
            try run.open(asked, desk.holder.answer(request, isPerson: false)) { _, result in
                if case .opened = result { opened += 1 }
            }
            #expect(opened == 1)
        }
        #expect(try trace().entries.count == 1)
    }

    @Test func `who is not certified for this purpose and this time opens nothing`() throws {
        let other = NoteSigner(name: "example.org/other")
        let cases: [(Signed<Certificate>, String)] = [
            (try office.certificate(by: other), "not signed by the reader authority"),
            (try office.certificate(purpose: Digest.hex([1])), "another purpose"),
            (try office.certificate(key: other), "another reader"),
            (try office.certificate(until: "2026-11-30T00:00:00Z"), "does not hold"),
            (try office.certificate(from: "2027-01-01T00:00:00Z"), "does not hold"),
        ]
        for (certificate, words) in cases {
            let error = #expect(throws: ReleaseError.self) {
                try desk.open(try desk.stored(), try office.run(certificate))
            }
            #expect(error?.reason.contains(words) == true, "\(words): \(error?.reason ?? "")")
        }
        #expect(try trace().entries.isEmpty)
    }

    @Test func `only the person can ask for the log, a grant and an end`() throws {
        for kind in [HolderRequest.Kind.offer, .grant, .log, .erase] {
            let answer = desk.holder.answer(HolderRequest(kind), isPerson: false)
            #expect(answer.refusal?.contains("Only the person") == true)
        }
    }

    @Test func `an edited, foreign or replayed opening opens nothing`() throws {
        let run = try office.run()
        let releases = try desk.stored()
        let (request, _) = run.request(releases)
        func refusal(_ change: (inout HolderRequest.Item) throws -> Void) rethrows -> String {
            var changed = request
            try change(&changed.items![0])
            let answer = desk.holder.answer(changed, isPerson: false)
            #expect(answer.items?.first?.header == nil)
            return answer.refusal ?? answer.items?.first?.refusal ?? ""
        }
        #expect(
            refusal { $0.opening = $0.opening.replacingOccurrences(of: "train", with: "drain") }
                .contains("was changed")
        )
        let another = try ReleaseDesk(office)
        try another.release(payload)
        let foreign = run.request(try another.stored()).request.items![0]
        #expect(refusal { $0 = foreign }.contains("no such grant"))
        #expect(refusal { $0.release = foreign.release }.contains("no such grant"))
        try desk.release([UInt8](repeating: 1, count: 1000))
        let second = run.request(try desk.stored()).request.items![1]
        #expect(refusal { $0.release = second.release }.contains("another release"))
        #expect(refusal { $0.header = second.header }.contains("another release or another header"))
        // The header of another grant under this grant's notes: unwrapping it fails, after the leaf.
        #expect(refusal { $0.header = "AAAA" }.contains("another release"))
        #expect(try trace().entries.isEmpty)
    }

    @Test func `after a withdrawal nothing opens, and the secret is in no file`() throws {
        let releases = try desk.stored()
        let copies = try releases.map { try Disk.read($0.object, limit: 1 << 20) }
        let secret = try #require(try desk.store.entry(desk.record.id)?.secret)
        let erasure = try desk.erasure()
        #expect(
            desk.folder.files(below: "state/mci/holder").values.contains {
                $0.range(of: Data(secret)) != nil
            }
        )
        let started = ContinuousClock.now
        let signed = try desk.holder.destroy(by: erasure)
        #expect(ContinuousClock.now - started < .seconds(1))
        try signed.verify(desk.record.grant.content.holders[0].key, of: "holder")
        for (name, bytes) in desk.folder.files() {
            #expect(bytes.range(of: Data(secret)) == nil, "\(name)")
        }
        #expect(throws: ReleaseError.self) { try desk.open(releases) }
        for copy in copies {
            #expect(throws: AgeError.self) { try AgeFile(copy).open([Identity()]) }
        }
        let trace = try trace()
        #expect(trace.erasure?.content.cause == .withdrawn && trace.entries.isEmpty)
        // The same erasure again changes nothing.
        try desk.holder.destroy(by: erasure)
        #expect(try self.trace().checkpoint.size == 2)
    }

    @Test func `of all stored copies and derived rows none opens after a withdrawal`() throws {
        let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil
        for number in 1..<(isProof ? 5000 : 20) {
            try desk.release([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100))
        }
        let releases = try desk.stored()
        let run = try office.run()
        let rows = desk.folder.path + "/rows"
        for release in releases {
            _ = try Run.seal(
                Array(release.digest.utf8),
                derivedFrom: release,
                run: run.id,
                key: office.reader,
                into: rows
            )
        }
        let all = releases + Store.derived(in: rows, of: releases)
        #expect(all.count == 2 * releases.count)
        #expect(try desk.open(all).count == all.count)
        try desk.holder.destroy(by: desk.erasure())
        let (request, asked) = try office.run().request(all)
        var opened = 0
        try run.open(asked, desk.holder.answer(request, isPerson: false)) { _, result in
            if case .opened = result { opened += 1 }
        }
        #expect(opened == 0)
        print("\(all.count) copies and derived rows, \(opened) opened after the withdrawal")
    }

    @Test func `an erasure of another key destroys nothing`() throws {
        var forged = try Signed(
            Erasure(grant: desk.record.id, cause: .withdrawn, time: desk.now.text)
        )
        try forged.sign(NoteSigner(name: Grant.keyName(desk.record.id)))
        #expect(throws: ReleaseError.self) { try desk.holder.destroy(by: forged) }
        #expect(try desk.open(try desk.stored()) == [payload])
    }

    @Test func `a grant ends by itself, and a clock that is set back does not revive it`() throws {
        let desk = try ReleaseDesk(office, expires: "2026-12-10T00:00:00Z")
        try desk.release(payload)
        let releases = try desk.stored()
        #expect(try desk.open(releases) == [payload])
        desk.set(try #require(WallTime("2026-12-10T00:00:00Z")))
        #expect(throws: ReleaseError.self) { try desk.open(releases) }
        desk.set(try #require(WallTime("2026-12-01T00:00:00Z")))
        #expect(throws: ReleaseError.self) { try desk.open(releases) }
        try desk.holder.endWhatIsOver { _ in nil }
        #expect(try desk.store.entry(desk.record.id)?.isAlive == false)
        let log = desk.log()
        let trace = try LogTrace(
            leaves: log.leaves,
            checkpoint: log.checkpoint,
            of: desk.record,
            seen: []
        )
        #expect(trace.erasure?.content.cause == .expired)
    }

    @Test func `a holder's file that is put back erases again before it answers`() throws {
        let path = desk.folder.paths.holder
        let releases = try desk.stored()
        let copy = try TemporaryFolder(isInMemory: true)
        for name in ["holder.db", "holder.db-wal"] where Disk.exists("\(path)/\(name)") {
            try Disk.write(Disk.read("\(path)/\(name)", limit: 1 << 24), to: "\(copy.path)/\(name)")
        }
        let erasure = try desk.erasure()
        try desk.files.store(erasure)
        try desk.holder.destroy(by: erasure)
        let restored = try HolderStore(path: "\(copy.path)/holder.db")
        #expect(try restored.entry(desk.record.id)?.isAlive == true)
        let now = desk.now
        let holder = Holder(restored) { now }
        let files = desk.files
        try holder.endWhatIsOver { id in files.grants().first { $0.id == id }?.erasure }
        #expect(try restored.entry(desk.record.id)?.isAlive == false)
        let (request, _) = try office.run().request(releases)
        #expect(holder.answer(request, isPerson: false).items?.first?.header == nil)
    }

    @Test func `derived rows open like a release, and end with its grant`() throws {
        let releases = try desk.stored()
        let run = try office.run()
        #expect(try desk.open(releases, run) == [payload])
        let rows = Array("row 1\nrow 2\n".utf8)
        let folder = desk.folder.path + "/rows"
        let digest = try Run.seal(
            rows,
            derivedFrom: releases[0],
            run: run.id,
            key: office.reader,
            into: folder
        )
        let derived = Store.derived(in: folder, of: releases)
        #expect(derived.map(\.digest) == [digest])
        #expect(try desk.open(derived) == [rows])
        #expect(try trace().entries.map(\.opening.content.release) == [releases[0].digest, digest])
        try desk.holder.destroy(by: desk.erasure())
        #expect(throws: ReleaseError.self) { try desk.open(derived) }
    }

    @Test func `a note about derived rows does not open a release`() throws {
        try desk.release([UInt8](repeating: 9, count: 500))
        let releases = try desk.stored()
        let header = Array(
            try Disk.read(releases[1].object, limit: 1 << 20)
                .prefix(try AgeFile(Disk.read(releases[1].object, limit: 1 << 20)).headerSize)
        )
        let nobody = NoteSigner(name: "nobody")
        var note = try Signed(
            Derived(
                parent: releases[0].digest,
                grant: desk.record.id,
                object: releases[1].objectDigest,
                headers: [Digest.hex(header)],
                plaintext: releases[1].plaintext,
                size: 500,
                run: "run",
                reader: nobody.verifier.text
            )
        )
        try note.sign(nobody)
        let forged = StoredRelease(
            purpose: office.purpose,
            grant: desk.record.grant,
            release: releases[0].release,
            derived: note,
            object: releases[1].object
        )
        let error = #expect(throws: ReleaseError.self) { try desk.open([forged]) }
        #expect(error?.reason.contains("not sealed for this grant") == true)
    }

    @Test func `a digest does not let anybody try what is in a release or in rows`() throws {
        try desk.release(payload)
        let releases = try desk.stored()
        #expect(releases[0].plaintext != releases[1].plaintext)
        #expect(!releases.contains { $0.plaintext == Digest.hex(payload) })
        let rows = desk.folder.path + "/rows"
        for _ in 0..<2 {
            _ = try Run.seal(
                Array("x".utf8),
                derivedFrom: releases[0],
                run: "run",
                key: office.reader,
                into: rows
            )
        }
        let derived = Store.derived(in: rows, of: releases)
        #expect(derived.count == 2 && derived[0].plaintext != derived[1].plaintext)
        #expect(derived.allSatisfy { $0.derived?.content.size == 4096 })
    }

    @Test
    func `a spelling of a certificate that was not signed is not believed for another's sake`()
        throws
    {
        let composed = try office.certificate(person: "Jos\u{E9}")
        let text = composed.text
        let other = Array(text.replacingOccurrences(of: "\u{E9}", with: "e\u{301}").utf8)
        #expect(other != composed.bytes)
        #expect(try desk.open(try desk.stored(), try office.run(composed)) == [payload])
        #expect(throws: ReleaseError.self) {
            try desk.open(
                try desk.stored(),
                Run(key: office.reader, certificate: other, reason: "again")
            )
        }
        #expect(try trace().entries.count == 1)
    }

    @Test func `a secret is not called gone while another program keeps it in the file`() throws {
        let path = desk.folder.paths.holder + "/holder.db"
        let secret = try #require(try desk.store.entry(desk.record.id)?.secret)
        let reader = """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1], isolation_level=None)
            database.execute("BEGIN")
            database.execute("SELECT * FROM grants").fetchall()
            print("reading", flush=True)
            sys.stdin.read()
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", reader, path]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        _ = output.fileHandleForReading.availableData
        let erasure = try desk.erasure()
        #expect(throws: ReleaseError.self) { try desk.holder.destroy(by: erasure) }
        #expect(throws: ReleaseError.self) { try desk.open(try desk.stored()) }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        try desk.holder.destroy(by: erasure)
        for (name, bytes) in desk.folder.files(below: "state/mci/holder") {
            #expect(bytes.range(of: Data(secret.prefix(32))) == nil, "\(name)")
        }
        #expect(try trace().erasure != nil)
    }

    @Test func `a log is read whole, however long, and an opening is not longer than a page`()
        throws
    {
        let releases = try desk.stored()
        for _ in 0..<3 { _ = try desk.open([StoredRelease](repeating: releases[0], count: 900)) }
        #expect(desk.log().leaves.count == 2701)
        #expect(try trace().entries.count == 2700)
        let long = Run(
            key: office.reader,
            certificate: try office.certificate().bytes,
            reason: "a" + String(repeating: "\u{301}", count: 5000)
        )
        #expect(throws: ReleaseError.self) { try desk.open(releases, long) }
    }

    @Test func `what was exchanged after the approval is not opened`() throws {
        try desk.release([UInt8](repeating: 9, count: 500))
        let releases = try desk.stored()
        let (one, two) = (releases[0].object, releases[1].object)
        let bytes = try Disk.read(one, limit: 1 << 20)
        try Disk.write(try Disk.read(two, limit: 1 << 20), to: one)
        #expect(throws: ReleaseError.self) { try desk.open([releases[0]]) }
        // The header of one with the payload of the other.
        var mixed = bytes
        mixed[mixed.count - 1] ^= 1
        try Disk.write(mixed, to: one)
        let error = #expect(throws: ReleaseError.self) { try desk.open([releases[0]]) }
        #expect(error?.reason.contains("not the object that was released") == true)
    }

    @Test func `age itself opens what the reader was given`() throws {
        let releases = try desk.stored()
        let identity = Identity()
        let recipient = try #require(Recipient(identity.recipient))
        let object = try Disk.read(releases[0].object, limit: 1 << 20)
        let secret = try #require(try desk.store.entry(desk.record.id)?.secret)
        let size = try AgeFile(object).headerSize
        let header = try AgeFile(Array(object.prefix(size))).rewrapped(
            by: try #require(Identity(raw: Array(secret.prefix(32)))),
            for: recipient
        )
        let file = desk.folder.path + "/given.age"
        try Disk.write(header + object[size...], to: file)
        let key = desk.folder.path + "/key"
        try Disk.write(Array(identity.file(createdAt: WallTime(0)).utf8), to: key)
        let result = try Program.run("age", ["-d", "-i", key, "-o", file + ".out", file])
        #expect(result.code == 0, "\(result.errors)")
        let given = try Disk.read(file + ".out", limit: 1 << 20)
        #expect(ReleasePayload.salted(given) == payload)
        let pyrage = """
            import sys
            sys.path.insert(0, sys.argv[1])
            import pyrage
            secret = [line for line in open(sys.argv[3]) if line.startswith("AGE")][0].strip()
            plain = pyrage.decrypt(open(sys.argv[2], "rb").read(), [pyrage.x25519.Identity.from_str(secret)])
            sys.exit(plain[:-32] != b"\\x07" * 99968)
            """
        let packages = Program.root + "/.build-python/pyrage"
        #expect(try Program.run("python3", ["-c", pyrage, packages, file, key]).code == 0)
    }
}
