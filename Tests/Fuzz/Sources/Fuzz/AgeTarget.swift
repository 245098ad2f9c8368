// SPDX-License-Identifier: Apache-2.0

import Crypto
import Sealing
import System

@testable import Timeline

extension Target {
    /// An age file and what is beside it, each stage on its own, so that a mutation is not stopped by
    /// the checksum in front of the stage it is for.
    static let ageHeader = Target(
        name: "age-header",
        run: { input in
            var rest = input
            switch rest.take() % 8 {
            case 0: AgeTarget.file(Array(rest))
            case 1: AgeTarget.armor(Array(rest))
            case 2: AgeTarget.identities(Array(rest))
            case 3: AgeTarget.recipients(Array(rest))
            case 4: AgeTarget.signedHeader(Array(rest))
            case 5: AgeTarget.chunks(rest)
            case 6: AgeTarget.key(rest)
            default: AgeTarget.stanza(rest)
            }
        },
        seeds: AgeTarget.seeds
    )
}

private enum AgeTarget {
    private static let secret: [UInt8] = Array(1...16)
    private static let fileKey = SymmetricKey(data: secret)
    private static let identity = Bech32.encode(prefix: "age-secret-key-", [UInt8](1...32))
    private static let identities = Identity.list(identity.uppercased()) ?? []
    private static let passphrase = Passphrase(Array("fuzz".utf8))
    private static let zero = [UInt8](repeating: 0, count: 12)
    private static let intro = Array("\(Age.intro)\n".utf8)

    // MARK: Stages

    /// A whole file: what parses is opened, as far as that costs little.
    static func file(_ bytes: [UInt8]) {
        guard let file = try? AgeFile(bytes) else { return }
        check(!file.stanzas.isEmpty, "A file is sealed to somebody.")
        check(file.readerCount <= file.stanzas.count, "Readers have stanzas.")
        check(!file.isProtected || file.stanzas.count == 1, "A passphrase is alone.")
        _ = try? file.open(fileKey)
    }

    static func armor(_ text: [UInt8]) {
        guard let bytes = try? Armor.decode(text) else { return }
        check(Armor.isArmored(text), "What is decoded begins as armor does.")
        let again = try? Armor.decode(Array(Armor.encode(bytes).utf8))
        check(again == bytes, "Armor is one spelling of any bytes.")
        file(bytes)
    }

    static func identities(_ bytes: [UInt8]) {
        guard case .plain(let found)? = try? IdentityFile(bytes) else { return }
        let spelled = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("#") }
        check(found.count == spelled.count, "A line is a key or a comment.")
        for (key, line) in zip(found, spelled) {
            let bytes = Array(key.key.rawRepresentation)
            let text = Bech32.encode(prefix: "age-secret-key-", bytes).uppercased()
            check(line.utf8.elementsEqual(text.utf8), "A key has one spelling.")
        }
    }

    static func recipients(_ bytes: [UInt8]) {
        guard let file = RecipientsFile(bytes) else { return }
        let keys = file.keys
        check(!keys.isEmpty, "A recipients file has a key.")
        for key in keys {
            let recipient = Recipient(key)
            check(recipient?.text.utf8.elementsEqual(key.utf8) == true, "A key has one spelling.")
        }
        check(RecipientsFile(file.bytes)?.keys == keys, "Keys that are written are read back.")
    }

    /// A header by the fuzzer under a right MAC, and a payload that opens.
    static func signedHeader(_ stanzas: [UInt8]) {
        let header = intro + stanzas
        guard let bytes = try? AgeFile(signed(header) + payload) else { return }
        let opened = try? bytes.open(fileKey)
        // A line of dashes among the stanzas ends the header before the one that was signed.
        let isWhole = !lines(stanzas).contains { $0.starts(with: Array("---".utf8)) }
        check(!isWhole || opened == Array("text".utf8), "What is signed opens.")
    }

    /// Sealed chunks with any numbers, ends and lengths: exactly those in order open.
    static func chunks(_ input: ArraySlice<UInt8>) {
        var rest = input
        var file = head
        var plaintext: [UInt8] = []
        var isSound = true
        var isEnded = false
        var count: UInt64 = 0
        // One long chunk takes as much time as everything else.
        var longLeft = 1
        repeat {
            let word = rest.take()
            let isLast = word & 1 != 0
            let number = word & 2 == 0 ? count : UInt64(rest.take())
            var chunk: [UInt8]
            switch word >> 2 & 7 {
            case 0: chunk = []
            case 1 where longLeft > 0:
                longLeft -= 1
                chunk = long
            case 2: chunk = Array("text".utf8)
            default: chunk = rest.take(Int(word >> 3))
            }
            if chunk.count == Age.chunk, number < longSealed.count {
                file += longSealed[Int(number)][isLast ? 1 : 0]
            } else {
                file += seal(chunk, number, isLast: isLast)
            }
            isSound = isSound && !isEnded && number == count
            isSound = isSound && (isLast ? !chunk.isEmpty || count == 0 : chunk.count == Age.chunk)
            isEnded = isEnded || isLast
            plaintext += chunk
            count += 1
        } while !rest.isEmpty && count < 6
        let opened = try? AgeFile(file).open(fileKey)
        check(
            opened == (isSound && isEnded ? plaintext : nil),
            "Chunks open in order, or not at all."
        )
    }

    /// A stanza for the identity, with any share and body.
    static func key(_ input: ArraySlice<UInt8>) {
        var rest = input
        let share = rest.take(Int(rest.take()))
        let body = rest.take(Int(rest.take()))
        var header = intro + Array("-> X25519 ".utf8) + Base64.encode(share) + rest.take(2) + [0x0A]
        header += Base64.encode(body) + [0x0A]
        guard let file = try? AgeFile(signed(header) + payload) else { return }
        let opened = try? file.open(identities)
        check(opened == nil || opened == Array("text".utf8), "A payload opens.")
    }

    /// A stanza for a passphrase, with any arguments and body.
    static func stanza(_ input: ArraySlice<UInt8>) {
        var rest = input
        let body = rest.take(Int(rest.take() & 63))
        let header = intro + Array("-> scrypt ".utf8) + rest + [0x0A] + Base64.encode(body) + [0x0A]
        guard let passphrase, let file = try? AgeFile(signed(header) + payload), file.isProtected,
            let arguments = file.stanzas.first?.arguments
        else { return }
        // What asks for work is believed, and not done.
        let work = arguments.count == 2 ? Int(arguments[1]) : nil
        if let work, work > 2, work < 40 { return }
        let opened = try? file.open(passphrase)
        check(opened == nil || opened == Array("text".utf8), "A payload opens.")
    }

    // MARK: Writing

    /// The header with its MAC.
    private static func signed(_ header: [UInt8]) -> [UInt8] {
        let whole = header + Array("---".utf8)
        return whole + [0x20] + Base64.encode(Age.headerMAC(fileKey, whole)) + [0x0A]
    }

    private static let nonce = [UInt8](repeating: 9, count: Age.nonceSize)
    private static let payloadKey = Age.payloadKey(fileKey, nonce: nonce)
    private static let payload = nonce + seal(Array("text".utf8), 0, isLast: true)
    private static let long = [UInt8](repeating: 5, count: Age.chunk)
    /// By their numbers, each also as the last.
    private static let longSealed = (0..<6).map { number in
        [false, true].map { seal(long, UInt64(number), isLast: $0) }
    }
    /// A header and a nonce.
    private static let head = signed(intro + Array("-> other\n\n".utf8)) + nonce

    private static func seal(_ chunk: [UInt8], _ number: UInt64, isLast: Bool) -> [UInt8] {
        seal(chunk, payloadKey, Age.chunkNonce(number, isLast: isLast))
    }

    private static func seal(_ bytes: [UInt8], _ key: SymmetricKey, _ nonce: [UInt8]) -> [UInt8] {
        guard let nonce = try? ChaChaPoly.Nonce(data: nonce),
            let box = try? ChaChaPoly.seal(bytes, using: key, nonce: nonce)
        else { return [] }
        return Array(box.ciphertext) + Array(box.tag)
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    }

    // MARK: Seeds

    @Sendable static func seeds() -> [[UInt8]] {
        guard let key = identities.first?.key, let passphrase,
            let sender = try? Curve25519.KeyAgreement.PrivateKey(
                rawRepresentation: [UInt8](33...64)
            ), let secret = try? sender.sharedSecretFromKeyAgreement(with: key.publicKey)
        else { return [] }
        let share = Array(sender.publicKey.rawRepresentation)
        let recipient = Recipient(key: key.publicKey).text
        let wrapKey = Age.wrapKey(secret, share: share, recipient: key.publicKey.rawRepresentation)
        let body = wrapKey.map { seal(Self.secret, $0, zero) } ?? []
        let salt = [UInt8](repeating: 3, count: 16)
        let arguments = String(decoding: Base64.encode(salt), as: UTF8.self) + " 1"
        let unwrapped = AgeFile.Stanza(
            type: "scrypt",
            arguments: arguments.split(separator: " ").map(String.init),
            body: [UInt8](repeating: 0, count: 32)
        )
        let scrypt = (try? passphrase.wrapKey(unwrapped)).map { seal(Self.secret, $0, zero) } ?? []

        var stanza = Array("-> X25519 ".utf8) + Base64.encode(share) + [0x0A]
        stanza += Base64.encode(body) + [0x0A]
        let protected = Array("-> scrypt \(arguments)\n".utf8) + Base64.encode(scrypt) + [0x0A]
        let grease =
            Array("-> a-grease 1 ~!\n".utf8) + [UInt8](repeating: 0x41, count: 64) + [0x0A, 0x0A]
        let headers = [stanza, stanza + stanza, protected, grease + stanza, grease]
        let files = headers.map { signed(intro + $0) + payload }
        let texts = files.map { Array(Armor.encode($0).utf8) }
        let identity = identity.uppercased()
        let keys = ["\(identity)\n", "# comment\n\(identity)\n\(identity)\r\n", "\(identity)"]
        let readers = ["\(recipient)\n", "# me\n  \(recipient)\n\n\(recipient)"]
        var seeds = files.map { [0] + $0 } + texts.map { [1] + $0 } + texts.map { [2] + $0 }
        seeds += files.map { [2] + $0 } + keys.map { [2] + $0.utf8 } + readers.map { [3] + $0.utf8 }
        seeds += headers.map { [4] + $0 }
        seeds += [
            [5, 9] + Array("text".utf8), [5, 4, 0x41, 0x41], [5, 1], [5, 4, 1], [5, 0, 0, 0],
        ]
        seeds += [[6, 32] + share + [32] + body, [7, 32] + scrypt + Array(arguments.utf8)]
        return seeds
    }
}
