// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Notes
import Packing
import System

@testable import Release

extension Target {
    /// What a program gives to a person, a holder to a reader, and a store to both.
    static let note = Target(name: "note", run: NoteTarget.run, seeds: NoteTarget.seeds)
    /// The plaintext of a release.
    static let release = Target(
        name: "release",
        run: NoteTarget.runPayload,
        seeds: NoteTarget.payloads
    )
}

private enum NoteTarget {
    /// Reads notes, and writes each again.
    static func run(_ input: ArraySlice<UInt8>) {
        let bytes = Array(input)
        if let note = try? SignedNote(bytes) {
            check(note.bytes == bytes, "A note is kept byte for byte.")
            if let checkpoint = try? Checkpoint(note.text) {
                check(checkpoint.text == note.text, "A checkpoint has one text.")
                let hash = [UInt8](repeating: 0, count: 32)
                try? MerkleTree.verify(leaf: hash, at: 0, [hash, hash], in: checkpoint)
                try? MerkleTree.verify(checkpoint, isIn: checkpoint, [])
            }
        }
        read(Purpose.self, bytes)
        read(Grant.self, bytes)
        read(Release.self, bytes)
        read(Derived.self, bytes)
        read(Certificate.self, bytes)
        read(Opening.self, bytes)
        read(Erasure.self, bytes)
        read(PurgeAnswer.self, bytes)
        _ = NoteVerifier(String(decoding: bytes, as: UTF8.self))
        _ = NoteSigner(String(decoding: bytes, as: UTF8.self))
        if let recipe = Recipe.read(bytes) {
            check(Recipe.read(recipe.bytes) == recipe, "A draft is what was written.")
        }
    }

    private static func read<Content: Statement>(_ type: Content.Type, _ bytes: [UInt8]) {
        guard let signed = try? Signed<Content>(bytes) else { return }
        check(signed.content.defect == nil, "What is read has no defect.")
        check((try? Signed<Content>(signed.bytes)) == signed, "A note reads again as itself.")
    }

    static func seeds() -> [[UInt8]] {
        let (one, two) = (NoteSigner(name: "one"), NoteSigner(name: "two"))
        let purpose = Purpose(
            id: "p",
            title: "t",
            text: "text",
            controller: "c",
            contact: "d",
            fields: ReleaseFields(),
            days: 1,
            expires: "2099-01-01T00:00:00Z",
            holders: ["self"],
            readers: one.verifier.text,
            authority: one.verifier.text,
            steward: two.verifier.text,
            weights: false
        )
        let digest = Digest.hex([])
        let id = String(repeating: "a", count: 32)
        var checkpoint = SignedNote(
            text: Checkpoint(origin: "o", size: 3, root: [UInt8](repeating: 1, count: 32)).text
        )
        try? checkpoint?.sign(one)
        var notes: [[UInt8]] = [checkpoint?.bytes ?? []]
        if var signed = try? Signed(purpose) {
            try? signed.sign(one)
            notes.append(signed.bytes)
        }
        let release = Release(
            grant: id,
            number: 1,
            object: digest,
            headers: [digest],
            plaintext: digest,
            size: 1
        )
        if var signed = try? Signed(release) {
            try? signed.sign(one)
            notes.append(signed.bytes)
        }
        let erasure = Erasure(grant: id, cause: .withdrawn, time: "2026-12-01T00:00:00Z")
        if var signed = try? Signed(erasure) {
            try? signed.sign(one)
            notes.append(signed.bytes)
        }
        notes.append(Array(one.verifier.text.utf8))
        notes.append(Recipe(grant: id, span: .init(from: 0, to: 1)).bytes)
        return notes
    }

    /// Reads a payload, filled up to its size.
    static func runPayload(_ input: ArraySlice<UInt8>) {
        let rest = [UInt8](
            repeating: 0,
            count: ReleasePayload.unit - input.count % ReleasePayload.unit
        )
        guard let frames = try? ReleasePayload.read(Array(input) + rest) else { return }
        for frame in frames { _ = frame.items.count }
        var events = ReleasedEvents()
        try? events.read(Array(input) + rest) { _ in }
    }

    static func payloads() -> [[UInt8]] {
        let payload = ReleasePayload(keyDetail: .shortcuts)
        payload.use(.init(width: 100, height: 100))
        payload.append(.init(time: .init(5000), device: 0, payload: .focus(app: "Editor")))
        payload.append(
            .init(time: .init(5000), device: 2, payload: .input(.typing(.init(10_000))))
        )
        payload.append(
            .init(time: .init(10_000), device: 3, payload: .input(.motion(dx: 1, dy: -300)))
        )
        return [payload.finish().map { Array($0.prefix(1000)) } ?? []]
    }
}
