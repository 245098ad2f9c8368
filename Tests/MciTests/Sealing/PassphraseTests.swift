// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Testing
import Timeline

/// A passphrase for tests.
func passphrase(_ text: String) throws -> Passphrase {
    try #require(Passphrase(Array(text.utf8)))
}

@Suite struct PassphraseTests {
    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func `what a passphrase seals, it opens, and no other`(size: Int) throws {
        var random = SplitMix(seed: UInt64(size))
        let plaintext = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        let sealed = try passphrase("correct horse").seal(plaintext, workFactor: 2)
        let file = try AgeFile(sealed)
        #expect(file.isProtected && file.readerCount == 0)
        #expect(try file.open(passphrase("correct horse")) == plaintext)
        #expect(throws: AgeError.self) { try file.open(passphrase("correct horse ")) }
        #expect(throws: AgeError.self) { try file.open([Identity()]) }
        #expect(try AgeFile(Armor.decode(Array(Armor.encode(sealed).utf8))).isProtected)
    }

    @Test func `any changed bit of a protected file is noticed`() throws {
        let secret = try passphrase("secret")
        let plaintext = Array("AGE-SECRET-KEY".utf8)
        let sealed = try secret.seal(plaintext, workFactor: 1)
        var random = SplitMix(seed: 7)
        for _ in 0..<400 {
            var bytes = sealed
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
            // A larger work factor is another key, and slow.
            if String(decoding: bytes, as: UTF8.self).contains("-> scrypt") == false { continue }
            let opened = try? AgeFile(bytes).open(secret)
            #expect(opened == nil || bytes == sealed)
        }
    }

    @Test func `Debian's age opens what a passphrase seals here, and the reverse`() throws {
        let folder = try TemporaryFolder()
        let sealed = try passphrase("open sesame").seal(Array("plain\n".utf8), workFactor: 10)
        try Data(sealed).write(to: URL(fileURLWithPath: "\(folder.path)/ours"))
        let theirs = try PseudoTerminal.run(
            "age",
            ["-d", "-o", "\(folder.path)/out", "\(folder.path)/ours"],
            environment: folder.environment,
            [.answer("passphrase", "open sesame\n")]
        )
        #expect(theirs.code == 0, "\(theirs.output)")
        #expect(FileManager.default.contents(atPath: "\(folder.path)/out") == Data("plain\n".utf8))
        let made = try PseudoTerminal.run(
            "age",
            ["-p", "-a", "-o", "\(folder.path)/theirs", "\(folder.path)/out"],
            environment: folder.environment,
            [.answer("passphrase", "open sesame\n"), .answer("onfirm", "open sesame\n")]
        )
        #expect(made.code == 0, "\(made.output)")
        let armored = Array(
            try #require(FileManager.default.contents(atPath: "\(folder.path)/theirs"))
        )
        #expect(Armor.isArmored(armored))
        #expect(
            try AgeFile(Armor.decode(armored)).open(passphrase("open sesame"))
                == Array("plain\n".utf8)
        )
    }

    @Test func `pyrage opens what a passphrase seals here`() throws {
        let folder = try TemporaryFolder()
        let sealed = try passphrase("pässwörd").seal(Array("plain".utf8), workFactor: 10)
        try Data(sealed).write(to: URL(fileURLWithPath: "\(folder.path)/ours"))
        let result = try Program.python(
            """
            import pyrage.passphrase as p
            assert p.decrypt(open('ours', 'rb').read(), 'pässwörd') == b'plain'
            """,
            in: folder.path
        )
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test func `armor is one spelling of any bytes`() throws {
        for size in 0..<200 {
            let bytes = (0..<size).map { UInt8($0) }
            let text = Armor.encode(bytes)
            #expect(try Armor.decode(Array(text.utf8)) == bytes)
            #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 64 })
        }
    }

    @Test func `an identity file is told from a protected one and from anything else`() throws {
        let identity = Identity()
        let text = Array(identity.file(createdAt: WallTime(0)).utf8)
        guard case .plain(let keys) = try IdentityFile(text) else {
            Issue.record("not plain")
            return
        }
        #expect(keys.map(\.recipient) == [identity.recipient])
        let sealed = try passphrase("x").seal(text, workFactor: 1)
        for bytes in [sealed, Array(Armor.encode(sealed).utf8)] {
            guard case .protected(let file) = try IdentityFile(bytes) else {
                Issue.record("not protected")
                return
            }
            #expect(try file.open(passphrase("x")) == text)
        }
        #expect(try IdentityFile(Array("# nothing\n".utf8)) == nil)
        #expect(try IdentityFile([]) == nil)
        #expect(throws: AgeError.self) { try IdentityFile(Array(sealed.prefix(30))) }
    }

    @Test func `a passphrase does not print, and an empty one is none`() throws {
        #expect(Passphrase([]) == nil)
        let secret = try passphrase("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret)\(String(reflecting: secret))\(dumped)".contains("hunter2"))
        #expect(!dumped.contains("104"))
    }
}
