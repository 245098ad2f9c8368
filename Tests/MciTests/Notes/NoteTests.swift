// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Notes
import System
import Testing

/// The example of Go's sumdb/note: public key, secret, text and signature.
private let peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
private let secret = "810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173"
private let text = """
    If you think cryptography is the answer to your problem,
    then you don't know what your problem is.

    """
private let base64 =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
private let signature = Array(Data(base64Encoded: base64) ?? Data())
private let line = "— PeterNeumann \(base64)\n"
private let note = "\(text)\n\(line)"
private let key = NoteVerifier(peter)

/// Why a note is not believed; nil if it is.
private func refusal(_ note: some Sequence<UInt8>, _ key: NoteVerifier?) -> NoteError.Code? {
    guard let key else { return .malformed }
    do throws(NoteError) {
        try SignedNote(Array(note)).verify(key)
        return nil
    } catch { return error.code }
}

/// A signature line, of the bytes of an id and of a signature.
private func line(_ name: String, _ bytes: some Sequence<UInt8>) -> String {
    "— \(name) \(Data(bytes).base64EncodedString())\n"
}

private func signed(_ text: String, _ key: NoteSigner, at time: UInt64 = 0) throws -> SignedNote {
    var note = try #require(SignedNote(text: text))
    try note.sign(key, at: time)
    return note
}

/// The bytes of the last signature of a note, with the id.
private func lastSignature(_ note: SignedNote) throws -> [UInt8] {
    let words = String(decoding: note.bytes, as: UTF8.self).split(separator: " ")
    return Array(try #require(words.last.flatMap { Data(base64Encoded: String($0.dropLast())) }))
}

private func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
    var bytes = bytes
    bytes[bit / 8] ^= 1 << (bit % 8)
    return bytes
}

/// Parts of the example, each with what it must not be.
private let malformed: [(String, String)] = [
    ("you ", "you\r"), ("\n", "\r\n"), ("\n", "\r"), ("you ", "you\t"), ("you ", "you\0"),
    ("you ", "you\u{1B}"), ("you ", "you\u{7F}"), ("—", "-"), ("—", "–"), ("— ", "—"),
    ("— ", "—  "), ("— ", " — "), ("nAM=", "nAM= "), ("x08", " x08"), ("x08", "\tx08"),
    ("rN", "r N"), ("rN", "r+N"), ("rN", "r\u{A0}N"), ("rN", "r\u{2028}N"), ("rN", "r\nN"),
    ("PeterNeumann", ""), ("nAM=", "nAM"), ("nAM=", "nAM=="), ("nAM=", "nAN="),
    ("nAM=", "nA=M"), ("nAM=", "nAM=AAAA"), ("uBS9", "uBS\n9"), ("/", "_"), (base64, ""),
    (base64, "x08gow=="), (line, ""), ("\n\(line)", ""), ("\n\(line)", line), (text, ""),
    (note, ""), (note, "\n"), (note, "\n\n"), (note, line), (line, "\(line)\n"),
    (line, "\(line) "), (line, line + text), (line, String(repeating: line, count: 17)),
    (text, "\n"), ("If", String(repeating: "I", count: 65_538 - note.utf8.count)),
]

@Suite struct NoteTests {
    @Test func `the example of Go's library verifies, and is signed again byte for byte`() throws {
        #expect(refusal(note.utf8, key) == nil)
        let parsed = try SignedNote(Array(note.utf8))
        #expect(parsed.text == text && parsed.bytes == Array(note.utf8))
        let signer = try #require(NoteSigner("MCI-NOTE-KEY-1 1 PeterNeumann \(secret)"))
        #expect(signer.verifier.text == peter)
        #expect(try signed(text, signer) == parsed)
    }

    @Test func `a checkpoint of a live log verifies, and the cosignature of a witness`() throws {
        let name = "arche2025h1.staging.ct.transparency.dev"
        let log = "\(name)+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
        let witness = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
        let bytes = Array(
            """
            \(name)
            1432088532
            U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

            — \(name) ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1b\
            fTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
            — remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZ\
            I+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==

            """.utf8
        )
        let verifier = try #require(NoteVerifier(log))
        let checkpoint = try Checkpoint.verified(bytes, origin: name, by: verifier)
        #expect(try checkpoint.size == 1_432_088_532 && checkpoint.text == SignedNote(bytes).text)
        #expect(try SignedNote(bytes).verify(#require(NoteVerifier(witness))) == 1_779_573_024)
        for (note, origin) in [(bytes, "arche2026h1"), (flipped(bytes, 8 * 48), name)] {
            #expect(throws: NoteError(.forged)) {
                try Checkpoint.verified(note, origin: origin, by: verifier)
            }
        }
    }

    @Test func `a note with a flipped bit, or a byte less or twice, is refused`() {
        let bytes = Array(note.utf8)
        #expect(!(0..<8 * bytes.count).contains { refusal(flipped(bytes, $0), key) == nil })
        for place in bytes.indices {
            let (start, end) = (Array(bytes[..<place]), bytes[place...])
            let changed = [start, start + end.dropFirst(), start + end.prefix(1) + end]
            #expect(!changed.contains { refusal($0, key) == nil })
        }
    }

    @Test(arguments: malformed)
    func `what is not exactly in the format is malformed`(part: String, wrong: String) {
        #expect(refusal(note.replacing(part, with: wrong).utf8, key) == .malformed)
    }

    @Test func `a signature counts for its own name and id only, and once`() throws {
        let other = line("PeterNeuman", signature)
        let strange = line("PeterNeumann", [0xC7, 0x4F, 0x20, 0xA2] + signature.dropFirst(4))
        let wrong = line("PeterNeumann", flipped(signature, 99))
        #expect(refusal("\(text)\n\(other)\(strange)".utf8, key) == .unsigned)
        #expect(refusal("\(text)\n\(other)\(strange)\(line)".utf8, key) == nil)
        #expect(refusal((note + String(repeating: strange, count: 15)).utf8, key) == nil)
        for lines in [
            line + line, wrong, wrong + line, line + wrong,
            line("PeterNeumann", signature + [0]), line("PeterNeumann", signature.dropLast()),
        ] {
            #expect(refusal("\(text)\n\(lines)".utf8, key) == .forged)
        }
    }

    @Test func `signatures of the same text are put together, each once`() throws {
        let signers = [NoteSigner(name: "a"), NoteSigner(name: "b", kind: .cosignature)]
        var note = try SignedNote(Array(note.utf8))
        var copy = note
        for signer in signers { try copy.sign(signer, at: 7) }
        for _ in 0..<2 { try note.add(signaturesOf: copy) }
        #expect(note == copy)
        #expect(try signers.map { try SignedNote(note.bytes).verify($0.verifier) } == [0, 7])
        let other = try #require(SignedNote(text: "\(text)\n"))
        #expect(throws: NoteError(.forged)) { try note.add(signaturesOf: other) }
    }

    @Test(arguments: ["", "a", "a\r\n", "\n", "\n\n", "a\n\n", "\na\n", " \n", "\u{301}\n", "long"])
    func `a note that cannot be read again is refused where it is made`(text: String) throws {
        let text = text == "long" ? String(repeating: "a\n", count: 32_768) : text
        guard var note = SignedNote(text: text) else { return }
        for _ in 0..<17 {
            do { try note.sign(NoteSigner(name: "a")) } catch { return }
            try #require(SignedNote(note.bytes) == note)
        }
    }

    @Test func `a name or an origin in other bytes is another one`() throws {
        let signer = NoteSigner(name: "caf\u{E9}")
        let checkpoint = Checkpoint(origin: "caf\u{E9}", size: 0, root: MerkleTree([]).root)
        let note = try signed(checkpoint.text, signer)
        let other = "\(checkpoint.text)\n\(line("cafe\u{301}", try lastSignature(note)))"
        #expect(refusal(other.utf8, signer.verifier) == .unsigned)
        #expect(throws: NoteError(.forged)) {
            try Checkpoint.verified(note.bytes, origin: "cafe\u{301}", by: signer.verifier)
        }
    }

    @Test(arguments: [
        "", "\n\n\n", "\n0\nR\n", "a\n0\nR", "a\n0\nR\n\n", "a\n0\nR\nb\n", "a\n00\nR\n",
        "a\n-1\nR\n", "a\n-0\nR\n", "a\n+1\nR\n", "a\n 1\nR\n", "a\n٣\nR\n", "a\n\nR\n",
        "a\n9223372036854775808\nR\n", "a\n0\nRAAAA\n", "a\n0\n R\n", "a\n0\nU7WM\n",
    ])
    func `a checkpoint is three lines in one spelling`(text: String) throws {
        let root = "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro="
        #expect(throws: NoteError(.malformed)) { try Checkpoint(text.replacing("R", with: root)) }
        #expect(try Checkpoint("a log\n0\n\(root)\n").text == "a log\n0\n\(root)\n")
    }
}

@Suite struct NoteKeyTests {
    @Test func `every changed character of a key is refused, or makes another key`() {
        let file = "MCI-NOTE-KEY-1 1 PeterNeumann \(secret)"
        #expect(key?.text == peter)
        for byte in 0..<UInt8(0x80) {
            let letter = String(decoding: [byte], as: UTF8.self)
            for place in peter.indices where String(peter[place]) != letter {
                let changed = peter.replacingCharacters(in: place...place, with: letter)
                #expect(NoteVerifier(changed) == nil)
            }
            for place in file.indices where file[place].lowercased() != letter.lowercased() {
                let changed = file.replacingCharacters(in: place...place, with: letter)
                #expect(NoteSigner(changed)?.verifier != key)
            }
        }
        for place in peter.indices { #expect(NoteVerifier(String(peter[..<place])) == nil) }
        for place in file.indices { #expect(NoteSigner(String(file[..<place])) == nil) }
        for more in ["=", "+", "\n", "AAAA"] { #expect(NoteVerifier(peter + more) == nil) }
        // The right ids, but another kind, and too few bytes, and too many.
        #expect(NoteVerifier(peter.replacing("c74f20a3+AR", with: "775c2e74+Ah")) == nil)
        #expect(NoteVerifier("\(peter.dropLast(4))".replacing("c74f20a3", with: "f766df65")) == nil)
        #expect(NoteVerifier("\(peter)AAAA".replacing("c74f20a3", with: "8a03836b")) == nil)
        for more in ["0", "00", " ", " 0"] { #expect(NoteSigner(file + more) == nil) }
    }

    // The last two: the letter before or after becomes one `Character` with the separator.
    @Test(arguments: ["log", "a.org/b", "é", "e\u{301}", "🇩🇪", "—", "a=", "\u{301}x", "x\u{600}"])
    func `keys come back from their texts, and so do their notes`(name: String) throws {
        for kind in [SignatureKind.note, .cosignature] {
            let signer = NoteSigner(name: name, kind: kind)
            #expect(NoteVerifier(signer.verifier.text) == signer.verifier)
            #expect(NoteSigner(signer.file)?.verifier == signer.verifier)
            let note = try signed(text, signer)
            #expect(refusal(note.bytes, signer.verifier) == nil)
            #expect(refusal(note.bytes, NoteSigner(name: name, kind: kind).verifier) != nil)
        }
    }

    @Test func `the time of a cosignature is signed, bit for bit, and below 2^63`() throws {
        let signer = NoteSigner(name: "w", kind: .cosignature)
        for time in [0, 1, 1_679_315_147, UInt64(Int64.max)] {
            let note = try signed(text, signer, at: time)
            #expect(try SignedNote(note.bytes).verify(signer.verifier) == time)
            let bytes = try lastSignature(note)
            let long = Array(bytes.prefix(12)) + [0] + bytes.dropFirst(12)
            for wrong in (32..<8 * bytes.count).map({ flipped(bytes, $0) }) + [long] {
                #expect(refusal("\(text)\n\(line("w", wrong))".utf8, signer.verifier) == .forged)
            }
        }
        let late = try? signed(text, signer, at: 1 << 63).bytes
        #expect(late.map { refusal($0, signer.verifier) == nil } != true)
    }

    @Test func `one secret of two kinds is two keys, and neither signs for the other`() throws {
        let plain = try #require(NoteSigner("MCI-NOTE-KEY-1 1 PeterNeumann \(secret)"))
        let witness = try #require(NoteSigner("MCI-NOTE-KEY-1 4 PeterNeumann \(secret)"))
        #expect(plain.verifier.key == witness.verifier.key)
        let timed = try signed(text, witness, at: 5)
        #expect(refusal(timed.bytes, plain.verifier) == .unsigned)
        #expect(refusal(note.utf8, witness.verifier) == .unsigned)
        // Nor under the id of the other.
        let (bytes, own) = (try lastSignature(timed), signature.dropFirst(4))
        let pairs = [(signature, bytes.dropFirst(12)), (bytes, own), (bytes, bytes[4..<12] + own)]
        for (id, wrong) in pairs {
            let note = "\(text)\n\(line("PeterNeumann", id.prefix(4) + wrong))".utf8
            #expect([plain, witness].allSatisfy { refusal(note, $0.verifier) != nil })
        }
    }
}

private let leaves = (0..<66).map { MerkleTree.hash(leaf: [$0]) }
private let trees = (0...65).map { MerkleTree(Array(leaves.prefix($0))) }
private let states = trees.map { state($0.leaves.count, $0.root) }

private func state(_ size: Int, _ root: [UInt8]) -> Checkpoint {
    Checkpoint(origin: "log", size: size, root: root)
}

/// The root as section 2.1 of the RFC defines it.
private func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
    let half = [64, 32, 16, 8, 4, 2, 1].first { $0 < leaves.count }
    guard let half else { return leaves.first ?? Array(SHA256.hash(data: Data())) }
    let (left, right) = (root(leaves.prefix(half)), root(leaves.dropFirst(half)))
    return Array(SHA256.hash(data: [1] + left + right))
}

/// A number and others: all in `make proof`.
private func others(_ number: Int) -> Set<Int> {
    let some = [0, number / 2, number - 1, number, number + 1, 2 * number, 65]
    return Set(isProof ? Array(0...65) : some.filter((0...65).contains))
}

/// A proof with a flipped bit, a hash too few, too short, twice or too many, at each place.
private func spoilt(_ proof: [[UInt8]]) -> [[[UInt8]]] {
    (0...proof.count).flatMap { place -> [[[UInt8]]] in
        let (start, end) = (Array(proof[..<place]), Array(proof[place...]))
        guard let hash = end.first else { return [start + [leaves[65]]] }
        let bad = flipped(hash, 31 * place + proof.count)
        return [[bad], [], [hash.dropLast()], [hash, hash], [leaves[65], hash]]
            .map { start + $0 + end.dropFirst() }
    }
}

private func proves(_ leaf: Int, _ index: Int, _ proof: [[UInt8]], _ state: Checkpoint) -> Bool {
    (try? MerkleTree.verify(leaf: leaves[leaf], at: index, proof, in: state)) != nil
}

private func proves(_ old: Checkpoint, _ new: Checkpoint, _ proof: [[UInt8]]) -> Bool {
    (try? MerkleTree.verify(old, isIn: new, proof)) != nil
}

@Suite struct MerkleTreeTests {
    @Test func `roots and proofs are those of Certificate Transparency`() {
        let leaves = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ].map { MerkleTree.hash(leaf: Hex.decode($0) ?? []) }
        func starts(_ hashes: [[UInt8]]) -> String {
            hashes.map { Hex.encode($0.prefix(4)) }.joined(separator: " ")
        }
        let (tree, small) = (MerkleTree(leaves), MerkleTree(Array(leaves.prefix(5))))
        let roots =
            "e3b0c442 6e340b9c fac54203 aeb6bcfe d37ee418 4e3bbb1f 76e67dad ddb89be4 5dc9da79"
        #expect(starts((0...8).map(tree.root(of:))) == roots)
        #expect(starts(tree.inclusion(of: 0)) == "96a296d2 5f083f0a 6b47aaf2")
        #expect(starts(tree.inclusion(of: 5)) == "bc1a0643 ca854ea1 d37ee418")
        #expect(starts(tree.consistency(with: 1)) == "96a296d2 5f083f0a 6b47aaf2")
        #expect(starts(tree.consistency(with: 6)) == "0ebc5d34 ca854ea1 d37ee418")
        #expect(starts(small.inclusion(of: 1)) == "6e340b9c 5f083f0a bc1a0643")
        #expect(starts(small.consistency(with: 2)) == "5f083f0a bc1a0643")
    }

    @Test(arguments: 1...65)
    func `each leaf is proven, and nothing else by its proof`(size: Int) {
        #expect(states[size].root == root(leaves[..<size]))
        #expect(states[size].root == trees[65].root(of: size))
        for index in 0..<size {
            let (proof, state) = (trees[size].inclusion(of: index), states[size])
            #expect(others(index).filter { proves(index, $0, proof, state) } == [index])
            #expect(others(index).filter { proves($0, index, proof, state) } == [index])
            #expect(others(size).filter { proves(index, index, proof, states[$0]) } == [size])
            #expect(!spoilt(proof).contains { proves(index, index, $0, state) })
        }
    }

    @Test(arguments: 1...65)
    func `each smaller tree is proven, and nothing else by its proof`(size: Int) {
        for count in 1...size {
            let (old, new) = (states[count], states[size])
            let proof = trees[size].consistency(with: count)
            #expect(others(count).filter { proves(states[$0], new, proof) } == [count])
            #expect(others(size).filter { proves(old, states[$0], proof) } == [size])
            #expect(!spoilt(proof).contains { proves(old, new, $0) })
            #expect(!proves(state(count, flipped(old.root, count)), new, proof))
            #expect(!proves(old, state(size, flipped(new.root, size)), proof))
        }
    }

    @Test(arguments: [1 << 62, 1 << 62 + 1, Int.max])
    func `no size is a trap`(size: Int) async {
        await #expect(processExitsWith: .success) { [size = size as Int] in
            let (hash, new) = (leaves[0], state(size, leaves[1]))
            #expect(![-1, 0, size - 1, size].contains { proves(0, $0, [hash], new) })
            #expect(!proves(states[1], new, [hash]))
        }
    }
}
