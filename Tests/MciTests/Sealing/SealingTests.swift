// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Packing
import Sealing
import Signing
import Testing
import Timeline

/// A batch with one focus item.
private func sealedBatch(to identity: Identity, app: String = "Canary") throws -> (
    SealedBatch, [UInt8]
) {
    var conditions = Gate.Conditions()
    conditions.keyDetail = .classes
    (conditions.hasConsent, conditions.isSound, conditions.isConnected) = (true, true, true)
    (conditions.isAwake, conditions.isMarked) = (true, true)
    conditions.hasSpace = true
    var gate = Gate(stopped: EventTime(0))
    var builder = BatchBuilder()
    builder.begin(
        BatchHeader(sequence: 5, bootID: [], wallOffset: 90_000, keyDetail: 2, base: EventTime(0))
    )
    gate.set(conditions, at: EventTime(0)) { _ in }
    var outputs: [GateOutput] = []
    _ = gate.take(.context(.app(app), stream: .keyboard, at: EventTime(1))) { outputs.append($0) }
    outputs.forEach { builder.append($0) }
    guard let batch = builder.pack() else { throw PackingError(.badFrame) }
    let recipient = try #require(Recipient(identity.recipient))
    let sealed = try Sealer([recipient], signedBy: DeviceKey())
        .seal(batch, after: SealedBatch.noDigest)
    return (sealed, try AgeFile(sealed.bytes).open([identity]))
}

@Suite struct SealingTests {
    @Test func `a sealed batch is a whole age file that Debian's age opens`() throws {
        let folder = try TemporaryFolder()
        let identity = Identity()
        try identity.file(createdAt: WallTime(0))
            .write(toFile: "\(folder.path)/identity", atomically: true, encoding: .utf8)
        let (sealed, plaintext) = try sealedBatch(to: identity)
        #expect(sealed.bytes.count == Sealer.sealedSize)
        #expect(sealed.end == 120_000, "rounded up to the minute")
        try Data(sealed.bytes).write(to: URL(fileURLWithPath: "\(folder.path)/batch.age"))
        let result = try Program.run(
            "age",
            [
                "-d", "-i", "\(folder.path)/identity", "-o", "\(folder.path)/plain",
                "\(folder.path)/batch.age",
            ]
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(FileManager.default.contents(atPath: "\(folder.path)/plain") == Data(plaintext))
    }

    @Test func `what age encrypts opens here`() throws {
        let folder = try TemporaryFolder()
        let identity = Identity()
        let text = String(repeating: "0123456789", count: 20_000)
        try text.write(toFile: "\(folder.path)/plain", atomically: true, encoding: .utf8)
        try Program.run(
            "age",
            ["-r", identity.recipient, "-o", "\(folder.path)/sealed", "\(folder.path)/plain"]
        )
        let bytes = Array(
            try #require(FileManager.default.contents(atPath: "\(folder.path)/sealed"))
        )
        #expect(try AgeFile(bytes).open([Identity(), identity]) == Array(text.utf8))
        #expect(throws: AgeError.self) { try AgeFile(bytes).open([Identity()]) }
    }

    @Test func `each sealing is another ciphertext and another key opens nothing`() throws {
        let identity = Identity()
        let first = try sealedBatch(to: identity).0.bytes
        let second = try sealedBatch(to: identity).0.bytes
        #expect(first != second)
        #expect(throws: AgeError.self) { try AgeFile(first).open([Identity()]) }
    }

    @Test func `any changed bit is noticed`() throws {
        let identity = Identity()
        let (sealed, plaintext) = try sealedBatch(to: identity)
        var random = SplitMix(seed: 1)
        for _ in 0..<400 {
            var bytes = sealed.bytes
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
            let opened = try? AgeFile(bytes).open([identity])
            #expect(opened == nil || opened == plaintext && bytes == sealed.bytes)
        }
    }

    @Test func `age's own names of keys are read and written`() throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/key"
        try Program.run("age-keygen", ["-o", file])
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let identity = try #require(Identity.list(text)?.first)
        #expect(text.contains("# public key: \(identity.recipient)\n"))
        #expect(
            identity.file(createdAt: WallTime(0)).split(separator: "\n").last
                == text.split(separator: "\n").last
        )
        for bad in [
            "age1", "", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
            identity.recipient.uppercased(),
        ] {
            #expect(Recipient(bad) == nil)
        }
    }

    @Test func `a key that only looks like one is none`() throws {
        let file = Identity().file(createdAt: WallTime(0))
        let key = try #require(file.split(separator: "\n").last.map(String.init))
        #expect(Identity(key) != nil)
        // The Kelvin sign is the letter K to a comparison of strings, and nothing to age.
        let lookalike = key.replacing("SECRET-KEY", with: "SECRET-\u{212A}EY")
        #expect(lookalike == key && !lookalike.utf8.elementsEqual(key.utf8))
        #expect(Identity(lookalike) == nil)
    }
}
