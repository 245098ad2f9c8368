// SPDX-License-Identifier: Apache-2.0

package import Events
import Notes
package import Release
import Sealing
import Storage
import System
import Timeline

/// A party that holds one lock of each grant, and opens it only after writing down for whom.
///
/// Upstream: requests of the person and of readers. Downstream: headers for readers, logs for the
/// person. Promise: an opening is a leaf of the grant's log on disk before its header is unwrapped; the
/// holder sees headers and never payloads; a destroyed secret opens nothing any more.
package final class Holder {
    private let store: HolderStore
    private let clock: () -> WallTime
    /// Grants that were verified, by id.
    private var known: [String: Known] = [:]
    /// The trees of logs as they are on disk, by the number of the grant.
    private var trees: [Int64: MerkleTree] = [:]
    /// Certificates that were verified, by the digest of all their bytes.
    private var certificates: [String: Signed<Certificate>] = [:]

    /// Whether a secret that was destroyed may still be in the log of the database.
    private var mustTruncate = true

    /// What does not change of a grant.
    private struct Known {
        var number: Int64
        var grant: Signed<Grant>
        var purpose: Signed<Purpose>
        /// The end of the grant.
        var end: WallTime
    }

    /// Creates a holder.
    ///
    /// - Parameters:
    ///   - store: its file.
    ///   - clock: the wall clock.
    package init(_ store: HolderStore, clock: @escaping () -> WallTime) {
        (self.store, self.clock) = (store, clock)
    }

    /// Answers a request.
    ///
    /// - Parameters:
    ///   - request: as it was read.
    ///   - isPerson: whether it lay in the person's own folder.
    /// - Returns: the answer; it names the reason where something is refused.
    package func answer(_ request: HolderRequest, isPerson: Bool) -> HolderAnswer {
        guard request.schema == 1 else {
            return HolderAnswer(refusal: "The request is of another version of mci.")
        }
        guard isPerson || request.kind == .open else {
            return HolderAnswer(refusal: "Only the person may ask for this.")
        }
        do {
            switch request.kind {
            case .offer: return try offer(request)
            case .grant: return try sign(request)
            case .open: return try open(request.items ?? [])
            case .log: return try log(request)
            case .erase: return try erase(request)
            }
        } catch let error as ReleaseError {
            return HolderAnswer(refusal: error.description)
        } catch let error as StorageError where error.code == .full {
            return HolderAnswer(refusal: "The disk is full, so nothing was written or opened.")
        } catch {
            let number = (error as? StorageError)?.result ?? 0
            return HolderAnswer(refusal: "The holder's file could not be used (SQLite \(number)).")
        }
    }

    /// Makes changes together; after a failure the trees are read again.
    private func change<Result>(
        _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        do throws(StorageError) {
            return try store.change(body)
        } catch {
            trees = [:]
            throw error
        }
    }

    // MARK: Grants

    private func offer(_ request: HolderRequest) throws -> HolderAnswer {
        guard let id = request.id, Digest.isHex(id, 32), try store.entry(id) == nil else {
            throw ReleaseError("A grant with this id exists already, or the id is malformed.")
        }
        let (identity, rows) = (Identity(), Identity())
        try change { () throws(StorageError) in try store.offer(id, identity, rows) }
        var answer = HolderAnswer()
        answer.holder = Grant.Holder(
            kind: "self",
            key: store.key.verifier.text,
            clock: store.clock.verifier.text,
            recipient: identity.recipient,
            rows: rows.recipient
        )
        return answer
    }

    private func sign(_ request: HolderRequest) throws -> HolderAnswer {
        var grant = try Signed<Grant>(text: request.grant)
        let purpose = try Signed<Purpose>(text: request.purpose)
        try purpose.verify()
        try grant.verify(grant.content.key, of: "grant key")
        guard let entry = try store.entry(grant.content.id),
            let identity = entry.identity, let rows = entry.rowIdentity
        else { throw ReleaseError("No recipient was made for this grant.") }
        guard
            let holder = grant.content.holders.first(where: {
                $0.recipient == identity.recipient && $0.rows == rows.recipient
                    && $0.key == store.key.verifier.text
                    && $0.clock == store.clock.verifier.text
            })
        else { throw ReleaseError("The grant names another holder or another recipient.") }
        guard entry.note.isEmpty else {
            // The same request again has the same answer.
            let signed = try Signed<Grant>(entry.note)
            guard signed.digest == grant.digest else {
                throw ReleaseError("Another grant with this id was signed already.")
            }
            return answer(grant: signed)
        }
        try grant.sign(store.key)
        try grant.verify(for: purpose)
        let now = try change { () throws(StorageError) in try store.advance(to: clock()) }
        guard holder.kind == "self", grant.content.end > now else {
            throw ReleaseError(
                "The grant would be over already: this holder has seen a clock at \(now.text)."
                    + " A clock that goes back is not believed."
            )
        }
        try change { () throws(StorageError) in
            try store.put(grant.bytes, purpose.bytes, of: entry.number)
            try append([(grant.bytes, grant.digest)], grant.content.id, entry.number)
        }
        return answer(grant: grant)
    }

    private func answer(grant: Signed<Grant>) -> HolderAnswer {
        var answer = HolderAnswer()
        answer.grant = grant.text
        return answer
    }

    private func known(_ id: String) throws -> Known {
        if let known = known[id] { return known }
        guard let entry = try store.entry(id), !entry.note.isEmpty else {
            throw ReleaseError("This holder has no such grant.")
        }
        let grant = try Signed<Grant>(entry.note)
        let known = Known(
            number: entry.number,
            grant: grant,
            purpose: try Signed(entry.purpose),
            end: grant.content.end
        )
        self.known[id] = known
        return known
    }

    // MARK: The log

    /// Appends leaves to a log and signs its new checkpoint; within ``HolderStore/change(_:)``.
    private func append(
        _ notes: [(note: [UInt8], digest: String)],
        _ id: String,
        _ number: Int64
    ) throws(StorageError) {
        // It is put back only when everything is done: after a failure it is read again.
        var tree = try self.tree(of: number)
        trees[number] = nil
        let leaves = notes.map { ($0.note, $0.digest, MerkleTree.hash(leaf: $0.note)) }
        try store.append(leaves, from: tree.leaves.count, of: number)
        for leaf in leaves { tree.append(leaf.2) }
        let checkpoint = Checkpoint(
            origin: Grant.origin(id),
            size: tree.leaves.count,
            root: tree.root
        )
        guard var note = SignedNote(text: checkpoint.text), (try? note.sign(store.key)) != nil
        else {
            throw StorageError(.failed)
        }
        try store.put(checkpoint: note.bytes, of: number)
        trees[number] = tree
    }

    /// The tree of a log: as it was last, or read.
    private func tree(of number: Int64) throws(StorageError) -> MerkleTree {
        if let tree = trees[number] { return tree }
        let tree = MerkleTree(try store.hashes(of: number))
        trees[number] = tree
        return tree
    }

    private func log(_ request: HolderRequest) throws -> HolderAnswer {
        guard let id = request.id, let entry = try store.entry(id) else {
            throw ReleaseError("This holder has no such grant.")
        }
        var answer = HolderAnswer()
        answer.leaves = try store.notes(of: entry.number, from: request.from ?? 0)
            .map { String(decoding: $0, as: UTF8.self) }
        answer.checkpoints = [id: String(decoding: entry.checkpoint, as: UTF8.self)]
        return answer
    }

    // MARK: Opening

    /// A release that may be opened.
    private struct Checked {
        var id: String
        var number: Int64
        var opening: Signed<Opening>
        /// The digest of the opening's text.
        var digest: String
        var header: AgeFile
        var recipient: Recipient
        /// Whether it is of derived rows, which have a lock of their own.
        var isDerived: Bool
    }

    private func open(_ items: [HolderRequest.Item]) throws -> HolderAnswer {
        guard items.count <= HolderRequest.maxItems else {
            throw ReleaseError("A request has at most \(HolderRequest.maxItems) releases.")
        }
        let now = try change { () throws(StorageError) in
            try store.advance(to: clock())
        }
        var answers = [HolderAnswer.Item](repeating: HolderAnswer.Item(), count: items.count)
        var checked: [(index: Int, item: Checked)] = []
        var alive: [String: Bool] = [:]
        for (index, item) in items.enumerated() {
            do {
                let item = try check(item, now, &alive)
                answers[index].grant = item.id
                checked.append((index, item))
            } catch let error as ReleaseError {
                answers[index].refusal = error.description
            }
        }
        // The leaves first, on disk; only then is anything unwrapped.
        let leaves = try change { () throws(StorageError) in
            try write(checked.map(\.item), now)
        }
        var result = HolderAnswer()
        result.checkpoints = [:]
        for (id, group) in Dictionary(grouping: checked, by: { $0.item.id }) {
            guard let entry = try store.entry(id), let identity = entry.identity,
                let rows = entry.rowIdentity
            else {
                for (index, _) in group { answers[index].refusal = Self.over }
                continue
            }
            result.checkpoints?[id] = String(decoding: entry.checkpoint, as: UTF8.self)
            let tree = try self.tree(of: entry.number)
            for (index, item) in group {
                guard let leaf = leaves[item.digest] else { continue }
                do throws(AgeError) {
                    let header = try item.header.rewrapped(
                        by: item.isDerived ? rows : identity,
                        for: item.recipient
                    )
                    answers[index].header = Self.base64(header)
                    answers[index].leaf = String(decoding: leaf.note, as: UTF8.self)
                    answers[index].index = leaf.index
                    answers[index].proof = tree.inclusion(of: leaf.index).map(Self.base64)
                } catch {
                    answers[index].refusal =
                        "The header was not sealed for this grant (\(error.code.rawValue))."
                }
            }
        }
        result.items = answers
        return result
    }

    private static let over = "The grant is over: its secret was destroyed."

    private static func base64(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encodePadded(bytes), as: UTF8.self)
    }

    /// Writes the openings that the logs do not have yet.
    ///
    /// - Returns: for each opening its leaf, by the digest of its text.
    private func write(
        _ items: [Checked],
        _ now: WallTime
    ) throws(StorageError) -> [String: (index: Int, note: [UInt8])] {
        var leaves: [String: (index: Int, note: [UInt8])] = [:]
        for (id, group) in Dictionary(grouping: items, by: \.id) {
            guard let number = group.first?.number else { continue }
            var next = try tree(of: number).leaves.count
            var new: [(note: [UInt8], digest: String)] = []
            leaves.merge(try store.leaves(group.map(\.digest), of: number)) { first, _ in first }
            for item in group where leaves[item.digest] == nil {
                let digest = item.digest
                var opening = item.opening
                let seconds = UInt64(max(0, now.milliseconds / 1000))
                guard (try? opening.sign(store.clock, at: seconds)) != nil else {
                    throw StorageError(.failed)
                }
                leaves[digest] = (next, opening.bytes)
                new.append((opening.bytes, digest))
                next += 1
            }
            if !new.isEmpty { try append(new, id, number) }
        }
        return leaves
    }

    /// Checks all that can be checked before the leaf is written.
    ///
    /// - Parameters:
    ///   - item: of a request.
    ///   - now: the present, which never goes back.
    ///   - alive: whether grants of this request have their secrets, as far as was looked.
    /// - Returns: what may be opened.
    /// - Throws: a `ReleaseError` for what may not, or a `StorageError`.
    private func check(
        _ item: HolderRequest.Item,
        _ now: WallTime,
        _ alive: inout [String: Bool]
    ) throws -> Checked {
        guard item.opening.utf8.count <= Opening.maxBytes else {
            throw ReleaseError("The opening is longer than \(Opening.maxBytes) bytes.")
        }
        let opening = try Signed<Opening>(text: item.opening)
        let release = try Signed<Release>(text: item.release)
        let known = try known(release.content.grant)
        let (grant, purpose) = (known.grant, known.purpose)
        let id = grant.content.id
        let isAlive = try alive[id] ?? (store.entry(id)?.isAlive == true)
        alive[id] = isAlive
        guard isAlive, now < known.end else { throw ReleaseError(Self.over) }
        try release.verify(grant.content.key, of: "grant key")
        let certificate = try certificate(opening.content.certificate, for: purpose)
        guard certificate.content.holds(at: now) else {
            throw ReleaseError("The reader's certificate does not hold at this time.")
        }
        guard certificate.content.key == opening.content.reader else {
            throw ReleaseError("The certificate is for another reader.")
        }
        try opening.verify(opening.content.reader, of: "reader")
        var (named, headers) = (release.digest, release.content.headers)
        if let text = item.derived {
            let derived = try Signed<Derived>(text: text)
            guard derived.content.parent == release.digest,
                derived.content.grant == grant.content.id
            else { throw ReleaseError("The rows were not derived from this release.") }
            try derived.verify(derived.content.reader, of: "reader")
            (named, headers) = (derived.digest, derived.content.headers)
        }
        guard let header = Base64.decodePadded(Array(item.header.utf8)),
            opening.content.release == named, opening.content.header == Digest.hex(header),
            headers.first == opening.content.header,
            let recipient = Recipient(opening.content.recipient)
        else { throw ReleaseError("The opening is for another release or another header.") }
        let file: AgeFile
        do throws(AgeError) {
            file = try AgeFile(header)
        } catch {
            throw ReleaseError("The header is damaged (\(error.code.rawValue)).")
        }
        return Checked(
            id: grant.content.id,
            number: known.number,
            opening: opening,
            digest: opening.digest,
            header: file,
            recipient: recipient,
            isDerived: item.derived != nil
        )
    }

    private func certificate(
        _ text: String,
        for purpose: Signed<Purpose>
    ) throws -> Signed<Certificate> {
        // Not by the text itself: Swift takes two spellings of a name for the same.
        let digest = Digest.hex(Array(text.utf8))
        if let certificate = certificates[digest], certificate.content.purpose == purpose.digest {
            return certificate
        }
        let certificate = try Signed<Certificate>(text: text)
        try certificate.verify(purpose.content.readers, of: "reader authority")
        guard certificate.content.purpose == purpose.digest else {
            throw ReleaseError("The reader is certified for another purpose.")
        }
        certificates[digest] = certificate
        return certificate
    }

    // MARK: Erasing

    private func erase(_ request: HolderRequest) throws -> HolderAnswer {
        let erasure = try Signed<Erasure>(text: request.erasure)
        var answer = HolderAnswer()
        answer.erasure = String(decoding: try destroy(by: erasure).bytes, as: UTF8.self)
        return answer
    }

    /// Destroys the secret that an erasure names, and writes the erasure into the log.
    ///
    /// - Parameter erasure: signed by the grant key.
    /// - Returns: the erasure with this holder's signature; the same for the same erasure again.
    /// - Throws: ``ReleaseError``, ``StorageError``.
    @discardableResult
    package func destroy(by erasure: Signed<Erasure>) throws -> Signed<Erasure> {
        let known = try known(erasure.content.grant)
        try erasure.verify(known.grant.content.key, of: "grant key")
        return try destroy(erasure, known.number)
    }

    private func destroy(_ erasure: Signed<Erasure>, _ number: Int64) throws -> Signed<Erasure> {
        var signed = erasure
        if (try? signed.verify(store.key.verifier.text, of: "holder")) == nil {
            try signed.sign(store.key)
        }
        let (bytes, digest, id) = (signed.bytes, signed.digest, erasure.content.grant)
        try change { () throws(StorageError) in
            // A grant ends once, whatever ends it.
            guard let entry = try store.entry(id), entry.isAlive else { return }
            try store.destroySecret(of: number)
            try append([(bytes, digest)], id, number)
        }
        // The log of the database may still have the secret: without this nothing is confirmed.
        do throws(StorageError) {
            try store.truncateLog()
        } catch {
            mustTruncate = true
            throw ReleaseError(
                "Another program is reading the holder's file, so the secret is not gone from it yet.",
                next: "end that program (a backup?), then withdraw again"
            )
        }
        return signed
    }

    /// Ends what is over: erasures that the person kept, and grants whose time has passed.
    ///
    /// A restored copy of the store may have secrets that were destroyed: they are destroyed again
    /// before anything is answered.
    ///
    /// - Parameter kept: the erasure of a grant, if there is one.
    /// - Returns: the end of the grant that ends next; nil if there is none.
    /// - Throws: ``StorageError``.
    @discardableResult
    package func endWhatIsOver(
        kept: (String) -> Signed<Erasure>?
    ) throws -> WallTime? {
        let now = try change { () throws(StorageError) in try store.advance(to: clock()) }
        // What an earlier try could not overwrite everywhere.
        if mustTruncate { mustTruncate = (try? store.truncateLog()) == nil }
        var next: WallTime?
        for id in try store.ids() {
            guard let entry = try store.entry(id), entry.isAlive, !entry.note.isEmpty else {
                continue
            }
            let known = try known(id)
            if let erasure = kept(id), erasure.content.grant == id,
                (try? destroy(by: erasure)) != nil
            {
                continue
            }
            guard now >= known.grant.content.end else {
                next = min(next ?? known.grant.content.end, known.grant.content.end)
                continue
            }
            let erasure = Erasure(grant: id, cause: .expired, time: now.text)
            _ = try destroy(try Signed(erasure), known.number)
        }
        return next
    }

    /// How often releases of living and ended grants were opened, and the last opening.
    ///
    /// - Returns: the number, and the opening with the holder's time.
    /// - Throws: ``StorageError``.
    package func openings() throws -> (count: Int, last: Signed<Opening>?) {
        var (count, last): (Int, Signed<Opening>?) = (0, nil)
        var latest: UInt64 = 0
        for id in try store.ids() {
            guard let entry = try store.entry(id), !entry.note.isEmpty else { continue }
            // The first leaf is the grant, and the last one may be its end.
            let (leaves, notes) = try store.end(of: entry.number, 2)
            count += max(0, leaves - (entry.isAlive ? 1 : 2))
            guard let opening = notes.lazy.compactMap({ try? Signed<Opening>($0) }).first else {
                continue
            }
            let time = (try? opening.verify(store.clock.verifier.text, of: "holder")) ?? 0
            if time >= latest { (latest, last) = (time, opening) }
        }
        return (count, last)
    }
}
