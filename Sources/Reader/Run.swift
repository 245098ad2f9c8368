// SPDX-License-Identifier: Apache-2.0

package import Holder
package import Notes
import Packing
package import Release
import Sealing
import System
import Timeline

/// One run of a job: asks for releases to be opened, and opens them.
///
/// Upstream: a store and a holder. Downstream: the job. Promise: nothing is used whose opening is not
/// in the grant's log, under the holder's signature; the key that opens is in one locked page, and
/// gone with the process.
package final class Run {
    /// What a release became: its plaintext, or why not.
    package enum Result: Sendable {
        case opened([UInt8])
        case refused(String)
    }

    /// The id of the run, 32 hexadecimal digits.
    package let id = Hex.encode(Age.random(16))
    private let memory: LockedMemory
    private let recipient: String
    private let key: NoteSigner
    private let certificate: String
    private let reason: String

    /// Maximum plaintext and ciphertext bytes of one object.
    private static let maxObject = 2 * ReleasePayload.maxBytes

    /// Begins a run with a key of its own.
    ///
    /// - Parameters:
    ///   - key: the reader's key, which the certificate names.
    ///   - certificate: the note of the reader authority.
    ///   - reason: why the releases are read, 1 to 1,000 bytes.
    package init(key: NoteSigner, certificate: [UInt8], reason: String) {
        (self.key, self.reason) = (key, reason)
        self.certificate = String(decoding: certificate, as: UTF8.self)
        let identity = Identity()
        recipient = identity.recipient
        memory = LockedMemory(size: 4096)
        unsafe memory.bytes.copyBytes(from: identity.raw)
    }

    /// Whether the kernel keeps the key of the run out of swap and dumps.
    package var isKeyLocked: Bool { memory.isLocked }

    private var identity: Identity? {
        Identity(raw: unsafe Array(memory.bytes.prefix(32)))
    }

    // MARK: Asking

    /// A release that was asked for.
    package struct Asked: Sendable {
        /// The release.
        package let release: StoredRelease
        /// The opening, or why none could be asked for.
        let opening: Swift.Result<Signed<Opening>, ReleaseError>
    }

    /// Makes the request to open releases.
    ///
    /// - Parameter releases: from a store.
    /// - Returns: the request, and what it asks for, in the order of the releases.
    package func request(
        _ releases: [StoredRelease]
    ) -> (request: HolderRequest, asked: [Asked]) {
        var request = HolderRequest(.open)
        var items: [HolderRequest.Item] = []
        var asked: [Asked] = []
        for release in releases {
            do throws(ReleaseError) {
                let header = try header(release)
                let opening = try opening(of: release, header)
                items.append(
                    HolderRequest.Item(
                        opening: opening.text,
                        release: release.release.text,
                        derived: release.derived.map { String(decoding: $0.bytes, as: UTF8.self) },
                        header: String(decoding: Base64.encodePadded(header), as: UTF8.self)
                    )
                )
                asked.append(Asked(release: release, opening: .success(opening)))
            } catch {
                asked.append(Asked(release: release, opening: .failure(error)))
            }
        }
        request.items = items
        return (request, asked)
    }

    private func opening(
        of release: StoredRelease,
        _ header: [UInt8]
    ) throws(ReleaseError) -> Signed<Opening> {
        var opening = try Signed(
            Opening(
                release: release.digest,
                header: Digest.hex(header),
                reader: key.verifier.text,
                recipient: recipient,
                certificate: certificate,
                reason: reason,
                run: id,
                nonce: Hex.encode(Age.random(16))
            )
        )
        try opening.sign(key)
        return opening
    }

    private func object(_ release: StoredRelease) throws(ReleaseError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try Disk.read(release.object, limit: Self.maxObject)
        } catch {
            throw ReleaseError("\(release.object) cannot be read (\(error)).")
        }
        guard Digest.hex(bytes) == release.objectDigest else {
            throw ReleaseError("\(release.object) is not the object that was released.")
        }
        return bytes
    }

    private func header(_ release: StoredRelease) throws(ReleaseError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(FileError) {
            // A header of one recipient has some 200 bytes.
            bytes = try Disk.read(release.object, prefix: 4096)
        } catch {
            throw ReleaseError("\(release.object) cannot be read (\(error)).")
        }
        guard let size = try? AgeFile(bytes).headerSize else {
            throw ReleaseError("\(release.object) is not an age file.")
        }
        return Array(bytes.prefix(size))
    }

    // MARK: Opening

    /// What does not change of a grant's answer: its checkpoint, verified.
    private func checkpoint(
        of release: StoredRelease,
        in answer: HolderAnswer,
        _ holder: Grant.Holder
    ) throws(ReleaseError) -> Checkpoint {
        let grant = release.grant.content
        guard let key = NoteVerifier(holder.key),
            let note = answer.checkpoints?[grant.id]
        else { throw ReleaseError("The holder's answer has no checkpoint.") }
        do throws(NoteError) {
            return try Checkpoint.verified(Array(note.utf8), origin: grant.origin, by: key)
        } catch {
            throw ReleaseError("The checkpoint in the holder's answer \(error).")
        }
    }

    /// Opens releases with the answer of their holder, one after the other.
    ///
    /// - Parameters:
    ///   - asked: as ``request(_:)`` made it.
    ///   - answer: of the holder.
    ///   - body: takes each result in the order of the releases.
    /// - Throws: what `body` throws.
    package func open(
        _ asked: [Asked],
        _ answer: HolderAnswer,
        _ body: (StoredRelease, Result) throws -> Void
    ) throws {
        var checkpoints: [String: Checkpoint] = [:]
        var items = (answer.items ?? [])[...]
        for one in asked {
            var item: HolderAnswer.Item?
            if case .success = one.opening { item = items.popFirst() }
            let result: Result
            do throws(ReleaseError) {
                result = .opened(try open(one, item, answer, &checkpoints))
            } catch {
                result = .refused(error.reason)
            }
            try body(one.release, result)
        }
    }

    private func open(
        _ asked: Asked,
        _ item: HolderAnswer.Item?,
        _ answer: HolderAnswer,
        _ checkpoints: inout [String: Checkpoint]
    ) throws(ReleaseError) -> [UInt8] {
        let (release, opening) = (asked.release, try asked.opening.get())
        guard let item else {
            throw ReleaseError(answer.refusal ?? "The holder did not answer to this.")
        }
        if let refusal = item.refusal { throw ReleaseError(refusal) }
        guard let holder = release.grant.content.holders.first else {
            throw ReleaseError("The grant has no holder.")
        }
        let id = release.grant.content.id
        if checkpoints[id] == nil {
            checkpoints[id] = try checkpoint(of: release, in: answer, holder)
        }
        guard let checkpoint = checkpoints[id] else {
            throw ReleaseError("There is no checkpoint.")
        }
        try verify(item, opening, checkpoint, holder)
        return try plaintext(release, item)
    }

    /// Verifies that the opening is in the grant's log.
    private func verify(
        _ item: HolderAnswer.Item,
        _ opening: Signed<Opening>,
        _ checkpoint: Checkpoint,
        _ holder: Grant.Holder
    ) throws(ReleaseError) {
        guard let leaf = item.leaf, let index = item.index, let proof = item.proof else {
            throw ReleaseError("The holder did not say where it wrote this down.")
        }
        do throws(NoteError) {
            let written = try SignedNote(Array(leaf.utf8))
            guard written.text.utf8.elementsEqual(opening.note.text.utf8),
                let clock = NoteVerifier(holder.clock)
            else { throw NoteError(.forged) }
            try written.verify(clock)
            try MerkleTree.verify(
                leaf: MerkleTree.hash(leaf: Array(leaf.utf8)),
                at: index,
                proof.map { Base64.decodePadded(Array($0.utf8)) ?? [] },
                in: checkpoint
            )
        } catch {
            throw ReleaseError("The opening \(error).")
        }
    }

    private func plaintext(
        _ release: StoredRelease,
        _ item: HolderAnswer.Item
    ) throws(ReleaseError) -> [UInt8] {
        guard let header = item.header.flatMap({ Base64.decodePadded(Array($0.utf8)) }),
            let identity
        else { throw ReleaseError("The holder's answer has no header.") }
        let object = try object(release)
        do throws(AgeError) {
            let size = try AgeFile(object).headerSize
            let plaintext = try AgeFile(header + object[size...]).open([identity])
            guard Digest.hex(plaintext) == release.plaintext else {
                throw AgeError(.payloadFailure)
            }
            guard release.derived != nil else { return plaintext }
            guard let rows = DerivedRows.rows(plaintext) else { throw AgeError(.payloadFailure) }
            return rows
        } catch {
            throw ReleaseError("\(release.object) does not open to what was approved.")
        }
    }

    // MARK: Derived rows

    /// Seals rows that were derived from a release to the grant of that release.
    ///
    /// - Parameters:
    ///   - rows: any bytes.
    ///   - release: the one that they come from.
    ///   - run: the id of the run.
    ///   - key: the reader's key.
    ///   - folder: where the sealed object and its note go.
    /// - Returns: the digest of the note.
    /// - Throws: ``ReleaseError``.
    package static func seal(
        _ rows: [UInt8],
        derivedFrom release: StoredRelease,
        run: String,
        key: NoteSigner,
        into folder: String
    ) throws(ReleaseError) -> String {
        let recipients = release.grant.content.holders.compactMap { Recipient($0.rows) }
        let padded = DerivedRows.padded(rows)
        let sealed: SealedObject
        do throws(AgeError) {
            sealed = try SealedObject(padded, to: recipients)
        } catch {
            throw ReleaseError("The rows could not be sealed.")
        }
        var note = try Signed(
            Derived(
                parent: release.release.digest,
                grant: release.grant.content.id,
                object: sealed.digest,
                headers: [sealed.headerDigest],
                plaintext: Digest.hex(padded),
                size: padded.count,
                run: run,
                reader: key.verifier.text
            )
        )
        try note.sign(key)
        let name = "\(folder)/\(note.digest.prefix(32))"
        do throws(FileError) {
            try Disk.write(sealed.bytes, to: name + ".age")
            try Disk.write(note.bytes, to: name + ".derived")
        } catch {
            throw ReleaseError("\(folder) cannot be written (\(error)).")
        }
        return note.digest
    }
}
