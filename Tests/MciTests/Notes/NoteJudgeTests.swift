// SPDX-License-Identifier: Apache-2.0

import Foundation
import Notes
import Testing

/// Notes and trees between this project and Go's libraries, both ways: `Tests/Proofs/notes.go`.
@Suite(.enabled(if: isProof, "It needs Go; make proof.")) struct NoteJudgeTests {
    @Test func `Go believes of random notes and proofs what we do, and we what Go does`() throws {
        let folder = try TemporaryFolder()
        let (ours, theirs) = ("\(folder.path)/ours", "\(folder.path)/theirs")
        let seed = UInt64.random(in: 0...UInt64(Int64.max))
        var maker = Maker(random: SplitMix(seed: seed))
        var items: [Item] = []
        for number in 0..<1000 {
            items.append(try maker.note(["note", "cosignature", "checkpoint"][number % 3]))
        }
        for size in 1...200 {
            items.append(maker.proof("tree", size))
            for _ in 0..<5 {
                items += [maker.proof("inclusion", size), maker.proof("consistency", size)]
            }
        }
        let differ = items.filter { $0.isBelieved != $0.isValid }
        #expect(differ.isEmpty, "seed \(seed): \(differ.count), \(differ.prefix(2))")
        let lines = try items.map { try JSONEncoder().encode($0) + Data("\n".utf8) }
        try Data(lines.joined()).write(to: URL(fileURLWithPath: ours))

        let result = try Program.run(
            "go",
            ["run", "\(Program.root)/Tests/Proofs/notes.go", ours, theirs, "\(seed)"],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": folder.path, "GOCACHE": "\(folder.path)/cache",
                "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
            ]
        )
        #expect(result.code == 0, "seed \(seed): \(result.output.suffix(2000))\(result.errors)")
        let answers = try String(contentsOfFile: theirs, encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Item.self, from: Data($0.utf8)) }
        #expect(answers.map(\.kind) == items.map(\.kind))
        let others = answers.filter { $0.isBelieved != $0.isValid }
        #expect(others.isEmpty, "Go, seed \(seed): \(others.count), \(others.prefix(2))")
        for list in [items, answers] {
            let kinds = Dictionary(grouping: list) { $0.isValid }.mapValues { Set($0.map(\.kind)) }
            #expect(kinds[true]?.count == 6 && kinds[false]?.count == 6)
        }
    }
}

/// A line between the two programs; notes.go has the same.
private struct Item: Codable {
    var kind: String
    /// What whoever made it believes of it.
    var isValid = true
    var key = ""
    var note = Data()
    var text = Data()
    var time = 0
    var origin = ""
    var size = 0
    var root = Data()
    var index = 0
    var leaf = Data()
    var oldSize = 0
    var oldRoot = Data()
    var proof: [Data] = []

    init(_ kind: String) { self.kind = kind }

    /// What we believe of it.
    var isBelieved: Bool { (try? believe()) == true }

    private func believe() throws -> Bool {
        let state = Checkpoint(origin: origin, size: size, root: Array(root))
        switch kind {
        case "tree":
            return MerkleTree(proof.map { MerkleTree.hash(leaf: Array($0)) }).root == state.root
        case "inclusion":
            try MerkleTree.verify(leaf: Array(leaf), at: index, proof.map(Array.init), in: state)
        case "consistency":
            let old = Checkpoint(origin: origin, size: oldSize, root: Array(oldRoot))
            try MerkleTree.verify(old, isIn: state, proof.map(Array.init))
        default:
            guard let verifier = NoteVerifier(key) else { return false }
            let note = try SignedNote(Array(note))
            guard try note.verify(verifier) == time, Data(note.text.utf8) == text else {
                return false
            }
            return try kind != "checkpoint"
                || Checkpoint.verified(note.bytes, origin: origin, by: verifier) == state
        }
        return true
    }
}

/// Makes random items, a third of them broken in a way that both sides must notice.
private struct Maker {
    var random: SplitMix

    private static let names = [
        "log", "a.example/log", "é", "e\u{301}", "木", "\u{301}x", "x\u{600}", "—", "a=",
    ]
    private static let words = [
        "a", " ", "é", "e\u{301}", "— ", "\u{2028}", "\u{85}", "🇩🇪", "+", "\n", "\n\n",
    ]

    private mutating func number(_ count: Int) -> Int { .random(in: 0..<count, using: &random) }

    private mutating func bytes(_ count: Int) -> Data {
        Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private mutating func text() -> String {
        var text = Self.words[number(8)]
        while number(20) > 0 { text += Self.words[number(Self.words.count)] }
        return text + "\n"
    }

    private mutating func flip(_ bytes: inout Data, below end: Int) {
        bytes[number(end)] ^= 1 << UInt8(number(8))
    }

    // MARK: Notes

    mutating func note(_ kind: String) throws -> Item {
        let name = Self.names[number(Self.names.count)]
        var (item, text) = (Item(kind), text())
        item.isValid = number(3) > 0
        // A part of what is broken is signed, but is nothing that a log signs.
        var isSpoilt = item.isValid
        if kind == "checkpoint" {
            (item.origin, item.size, item.root) = (name, Int.max >> number(63), bytes(32))
            text = Checkpoint(origin: name, size: item.size, root: Array(item.root)).text
            if !item.isValid, number(3) == 0 {
                let wrong = ["0\(item.size)", "-1", "", "x", "1e3", " 1", "9223372036854775808"]
                text = text.replacing("\n\(item.size)\n", with: "\n\(wrong[number(7)])\n")
                isSpoilt = true
            }
        }
        item.text = Data(text.utf8)
        var note = try #require(SignedNote(text: text))
        for _ in 0..<number(4) {
            try note.sign(NoteSigner(name: name, kind: number(2) == 0 ? .note : .cosignature))
        }
        if kind == "cosignature" { item.time = Int.max >> number(63) }
        let signer = NoteSigner(name: name, kind: kind == "cosignature" ? .cosignature : .note)
        try note.sign(signer, at: UInt64(item.time))
        (item.key, item.note) = (signer.verifier.text, Data(note.bytes))
        if !isSpoilt { try spoilNote(&item, NoteSigner(name: name, kind: signer.verifier.kind)) }
        return item
    }

    /// Breaks the text, the form, or the last signature, which is the one of the item's key.
    private mutating func spoilNote(_ item: inout Item, _ other: NoteSigner) throws {
        let start = try #require(item.note.lastIndex(of: 0x20)) + 1
        var raw = try #require(Data(base64Encoded: item.note[start...].dropLast()))
        switch number(9) {
        case 0: return flip(&item.note, below: item.text.count)
        case 1: return item.note.removeLast(1 + number(3))
        case 2:
            let wrong: [UInt8] = [0x00, 0x09, 0x0D, 0x1F, 0xFF, 0xC0]
            return item.note.insert(wrong[number(6)], at: number(item.text.count))
        case 3: return item.key = other.verifier.text
        case 4: item.note.remove(at: item.text.count)
        case 5: item.note.insert(0x20, at: start)
        case 6:
            item.note.replaceSubrange(start..., with: raw.dropLast().base64EncodedData() + [0x0A])
        default:
            flip(&raw, below: raw.count)
            item.note.replaceSubrange(start..., with: raw.base64EncodedData() + [0x0A])
        }
    }

    // MARK: Trees

    mutating func proof(_ kind: String, _ size: Int) -> Item {
        let records = (0..<size).map { _ in bytes(number(40)) }
        let tree = MerkleTree(records.map { MerkleTree.hash(leaf: Array($0)) })
        var item = Item(kind)
        (item.size, item.root) = (size, Data(tree.root))
        switch kind {
        case "inclusion":
            item.index = number(size)
            item.leaf = Data(tree.leaves[item.index])
            item.proof = tree.inclusion(of: item.index).map { Data($0) }
        case "consistency":
            item.oldSize = 1 + number(size)
            item.oldRoot = Data(tree.root(of: item.oldSize))
            item.proof = tree.consistency(with: item.oldSize).map { Data($0) }
        default: item.proof = records
        }
        item.isValid = number(3) > 0
        if !item.isValid { spoilProof(&item) }
        return item
    }

    private mutating func spoilProof(_ item: inout Item) {
        let count = item.proof.count
        switch (number(5), item.kind) {
        case (0, _): item.proof.insert(bytes(32), at: number(count + 1))
        case (1, _) where count > 0: item.proof.remove(at: number(count))
        case (2, "inclusion"): item.index += 1 + number(300)
        case (2, "consistency"): flip(&item.oldRoot, below: 32)
        case (3, "inclusion"): flip(&item.leaf, below: 32)
        case (3, "consistency") where item.size > item.oldSize:
            (item.size, item.oldSize) = (item.oldSize, item.size)
            (item.root, item.oldRoot) = (item.oldRoot, item.root)
        case (4, "inclusion") where count > 0, (4, "consistency") where count > 0:
            flip(&item.proof[number(count)], below: 32)
        default: flip(&item.root, below: 32)
        }
    }
}
