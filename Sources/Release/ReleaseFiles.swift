// SPDX-License-Identifier: Apache-2.0

package import Events
import FoundationEssentials
package import Notes
import Packing
import Policy
import Sealing
import System
import Timeline

/// A grant of the person's with what belongs to it.
package struct GrantRecord: Sendable {
    /// The grant, signed by its key and its holders.
    package let grant: Signed<Grant>
    /// Its purpose.
    package let purpose: Signed<Purpose>
    /// The end of it; nil while it is in force.
    package var erasure: Signed<Erasure>?

    /// Creates a record of a grant in force.
    package init(grant: Signed<Grant>, purpose: Signed<Purpose>) {
        (self.grant, self.purpose) = (grant, purpose)
    }

    /// The id of the grant.
    package var id: String { grant.content.id }

    /// Whether it was withdrawn, and the holder has not said yet that its secret is gone.
    package var isUnfinished: Bool {
        guard let erasure, let holder = grant.content.holders.first else { return false }
        return (try? erasure.verify(holder.key, of: "holder")) == nil
    }

    /// Whether releases can be made and opened at a moment.
    package func isAlive(at now: WallTime) -> Bool {
        erasure == nil && now < grant.content.end
    }
}

/// What the person remembers of a release: it never leaves the machine.
package struct ReleaseRecord: Codable, Sendable, Redacted {
    /// The version of this file.
    package var schema = 1
    /// The number within the grant.
    package var number: Int
    /// The digest of the release note.
    package var release: String
    /// The digest of the payload.
    package var payload: String
    /// When it was approved, in UTC.
    package var approved: String
    /// What it was made from.
    package var recipe: Recipe
    /// The number of events in it.
    package var events: Int
    /// Bytes of the payload, which is padded.
    package var size: Int
    /// When the person discarded it, in UTC; nil if not.
    package var discarded: String?
}

/// The files of purposes, grants, drafts and releases.
///
/// `grants/ID` in the settings has `key`, `grant.note`, `purpose.note` and, once it ended,
/// `erasure.note`. `releases/ID` in the state has a record for each release and the last checkpoint
/// that was seen; `releases/drafts` the drafts. `outbox/ID` is what anything may fetch: the notes, and
/// for each release `NUMBER.release` and `NUMBER.age`.
package struct ReleaseFiles: Sendable {
    private let grantFolder: String
    private let purposeFolder: String
    private let releaseFolder: String
    /// The folder of what was released.
    package let outbox: String
    /// Maximum bytes of the outbox; beyond it nothing new is approved.
    package static let maxOutbox = 1 << 30
    private static let noteLimit = SignedNote.maxBytes

    /// Names the folders.
    package init(grants: String, purposes: String, releases: String, outbox: String) {
        (grantFolder, purposeFolder) = (grants, purposes)
        (releaseFolder, self.outbox) = (releases, outbox)
    }

    // MARK: Purposes

    /// The purposes that were imported, by id.
    package func purposes() -> [Signed<Purpose>] {
        names(purposeFolder, ".note").compactMap { name in
            (try? Disk.readOwn("\(purposeFolder)/\(name).note", limit: Self.noteLimit))
                .flatMap { try? Signed<Purpose>($0) }
        }
    }

    /// Stores a purpose, which the caller has verified.
    package func store(_ purpose: Signed<Purpose>) throws(ReleaseError) {
        try write(purpose.bytes, "\(purposeFolder)/\(purpose.content.id).note")
    }

    // MARK: Grants

    /// All grants, the oldest first; what is damaged is left out, and ``readGrants()`` names it.
    package func grants() -> [GrantRecord] { readGrants().records }

    /// All grants, the oldest first, and the folders of those that cannot be read, with the reason.
    package func readGrants() -> (
        records: [GrantRecord], damaged: [(folder: String, reason: String)]
    ) {
        var records: [GrantRecord] = []
        var damaged: [(folder: String, reason: String)] = []
        for id in Disk.names(in: grantFolder) ?? [] where Digest.isHex(id, 32) {
            let folder = "\(grantFolder)/\(id)"
            // A grant that was never finished has no note.
            guard Disk.exists("\(folder)/grant.note") else { continue }
            do throws(ReleaseError) {
                var record = GrantRecord(
                    grant: try read("\(folder)/grant.note"),
                    purpose: try read("\(folder)/purpose.note")
                )
                try record.grant.verify(for: record.purpose)
                if Disk.exists("\(folder)/erasure.note") {
                    record.erasure = try read("\(folder)/erasure.note")
                }
                records.append(record)
            } catch {
                damaged.append((folder, error.reason))
            }
        }
        records.sort { ($0.grant.content.issued, $0.id) < ($1.grant.content.issued, $1.id) }
        return (records, damaged)
    }

    private func read<Content>(_ path: String) throws(ReleaseError) -> Signed<Content> {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try Disk.readOwn(path, limit: Self.noteLimit)
        } catch {
            throw ReleaseError("\(path) cannot be read (\(error)).")
        }
        return try Signed(bytes)
    }

    /// The key of a grant.
    package func key(of id: String) throws(ReleaseError) -> NoteSigner {
        let bytes = (try? Disk.readOwn("\(grantFolder)/\(id)/key")) ?? []
        guard let key = NoteSigner(String(decoding: bytes, as: UTF8.self)) else {
            throw ReleaseError(
                "The key of this grant is missing, so nothing more can be released or withdrawn with it."
                    + " It ends by itself when its time is over.",
                next: "restore \(grantFolder) from a backup"
            )
        }
        return key
    }

    /// Stores a grant: first its key, and last the grant itself.
    package func store(
        _ grant: Signed<Grant>,
        _ purpose: Signed<Purpose>,
        _ key: NoteSigner
    ) throws(ReleaseError) {
        let folder = "\(grantFolder)/\(grant.content.id)"
        try write(Array(key.file.utf8), "\(folder)/key")
        try write(purpose.bytes, "\(folder)/purpose.note")
        try write(grant.bytes, "\(folder)/grant.note")
    }

    /// Stores the end of a grant; from then on nothing is released with it.
    package func store(_ erasure: Signed<Erasure>) throws(ReleaseError) {
        try write(erasure.bytes, "\(grantFolder)/\(erasure.content.grant)/erasure.note")
    }

    /// Removes what was released with a grant from the outbox, and informs readers of its end.
    ///
    /// - Parameters:
    ///   - record: the grant, which has ended.
    ///   - erasure: what readers get; nil where only its time is over.
    /// - Throws: ``ReleaseError`` when the outbox cannot be written.
    package func empty(_ record: GrantRecord, _ erasure: Signed<Erasure>?) throws(ReleaseError) {
        let folder = "\(outbox)/\(record.id)"
        guard Disk.exists(folder) else { return }
        for name in Disk.names(in: folder) ?? []
        where name.hasSuffix(".age") || name.hasSuffix(".release") {
            Disk.remove("\(folder)/\(name)")
        }
        if let erasure { try write(erasure.bytes, "\(folder)/erasure.note") }
    }

    // MARK: Drafts

    /// The numbers of the drafts.
    package var drafts: [Int] {
        names("\(releaseFolder)/drafts", ".json").compactMap { Int($0) }.sorted()
    }

    /// A draft by its number.
    package func draft(_ number: Int) throws(ReleaseError) -> Recipe {
        let bytes =
            (try? Disk.readOwn("\(releaseFolder)/drafts/\(number).json", limit: 1 << 20)) ?? []
        guard let recipe = Recipe.read(bytes) else {
            throw ReleaseError("There is no draft \(number).", next: "mcictl release list")
        }
        return recipe
    }

    /// Stores a draft.
    package func store(_ draft: Recipe, as number: Int) throws(ReleaseError) {
        try write(draft.bytes, "\(releaseFolder)/drafts/\(number).json")
    }

    /// Removes a draft.
    package func removeDraft(_ number: Int) {
        Disk.remove("\(releaseFolder)/drafts/\(number).json")
    }

    // MARK: Releases

    /// What is remembered of the releases of a grant, the oldest first.
    package func records(of id: String) -> [ReleaseRecord] {
        names("\(releaseFolder)/\(id)", ".json").compactMap { name in
            (try? Disk.readOwn("\(releaseFolder)/\(id)/\(name).json", limit: 1 << 20))
                .flatMap { try? JSONDecoder().decode(ReleaseRecord.self, from: Data($0)) }
        }
        .sorted { $0.number < $1.number }
    }

    /// Seals a payload for the holder of a grant, signs it, and puts it into the outbox.
    ///
    /// The release counts once its note is there, which is written last.
    ///
    /// - Parameters:
    ///   - payload: what the person approved.
    ///   - events: the number of events in it.
    ///   - recipe: what it was made from.
    ///   - record: the grant.
    ///   - now: the time of the approval.
    /// - Returns: what is remembered.
    /// - Throws: ``ReleaseError``; nothing was released then.
    package func release(
        _ payload: [UInt8],
        events: Int,
        _ recipe: Recipe,
        _ record: GrantRecord,
        now: WallTime
    ) throws(ReleaseError) -> ReleaseRecord {
        let lock = try lockApprovals()
        let made = try releaseLocked(payload, events, recipe, record, now)
        _ = consume lock
        return made
    }

    /// Waits until no other approval goes on.
    private func lockApprovals() throws(ReleaseError) -> FileLock {
        do throws(FileError) {
            guard let lock = try FileLock.take("\(releaseFolder)/lock", patience: 30_000) else {
                throw FileError.locked
            }
            return lock
        } catch {
            throw ReleaseError(
                "\(releaseFolder)/lock is not free (\(error)). Nothing was released."
            )
        }
    }

    private func releaseLocked(
        _ payload: [UInt8],
        _ events: Int,
        _ recipe: Recipe,
        _ record: GrantRecord,
        _ now: WallTime
    ) throws(ReleaseError) -> ReleaseRecord {
        guard record.isAlive(at: now) else {
            throw ReleaseError("The grant is over.", next: "mcictl release grant")
        }
        let key = try key(of: record.id)
        guard let holder = record.grant.content.holders.first,
            let recipient = Recipient(holder.recipient)
        else { throw ReleaseError("The grant has no holder.") }
        let folder = "\(outbox)/\(record.id)"
        let used = Disk.size(ofFoldersIn: outbox)
        guard used + payload.count < Self.maxOutbox else {
            throw ReleaseError(
                "The outbox is full (\(used >> 20) MiB). Nothing was released.",
                next: "mcictl release discard, or mcictl release withdraw"
            )
        }
        let salted = ReleasePayload.salted(payload, Age.random(ReleasePayload.saltSize))
        let sealed: SealedObject
        do throws(AgeError) {
            sealed = try SealedObject(salted, to: [recipient])
        } catch {
            throw ReleaseError("The payload could not be sealed. Nothing was released.")
        }
        // A number is never given again, also where the records are lost.
        let numbers =
            names("\(releaseFolder)/\(record.id)", ".json") + names(folder, ".release")
            + names(folder, ".age")
        let number = (numbers.compactMap { Int($0) }.max() ?? 0) + 1
        var release = try Signed(
            Release(
                grant: record.id,
                number: number,
                object: sealed.digest,
                headers: [sealed.headerDigest],
                plaintext: Digest.hex(salted),
                size: payload.count
            )
        )
        try release.sign(key)
        let remembered = ReleaseRecord(
            number: number,
            release: release.digest,
            payload: Digest.hex(payload),
            approved: now.text,
            recipe: recipe,
            events: events,
            size: payload.count
        )
        let name = "\(folder)/\(Self.name(number))"
        do throws(ReleaseError) {
            try store(remembered, of: record.id)
            try write(record.purpose.bytes, "\(folder)/purpose.note")
            try write(record.grant.bytes, "\(folder)/grant.note")
            try write(sealed.bytes, "\(name).age")
            try write(release.bytes, "\(name).release")
        } catch {
            // The note may have its name already: it goes before what it names.
            for suffix in ["release", "release.new", "age", "age.new"] {
                Disk.remove("\(name).\(suffix)")
            }
            Disk.remove("\(releaseFolder)/\(record.id)/\(Self.name(number)).json")
            throw ReleaseError("\(error.reason) Nothing was released.")
        }
        return remembered
    }

    /// Stores what is remembered of a release.
    package func store(_ record: ReleaseRecord, of id: String) throws(ReleaseError) {
        let path = "\(releaseFolder)/\(id)/\(Self.name(record.number)).json"
        try write(JSONText.file(record) ?? [], path)
    }

    /// Takes a release out of the outbox; what was fetched before is not reached by this.
    package func discard(_ record: ReleaseRecord, of id: String, now: WallTime) throws(ReleaseError)
    {
        var record = record
        record.discarded = now.text
        let name = "\(outbox)/\(id)/\(Self.name(record.number))"
        Disk.remove("\(name).release")
        Disk.remove("\(name).age")
        try store(record, of: id)
    }

    /// Whether a release lies in the outbox.
    package func isInOutbox(_ number: Int, of id: String) -> Bool {
        Disk.exists("\(outbox)/\(id)/\(Self.name(number)).release")
    }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    // MARK: What was seen of a log

    /// The checkpoint that was seen last; empty if none was.
    package func checkpoint(of id: String) -> [UInt8] {
        (try? Disk.readOwn("\(releaseFolder)/\(id)/checkpoint.note", limit: Self.noteLimit)) ?? []
    }

    /// Remembers a checkpoint.
    package func store(checkpoint: [UInt8], of id: String) throws(ReleaseError) {
        try write(checkpoint, "\(releaseFolder)/\(id)/checkpoint.note")
    }

    /// The answers of readers to the end of a grant, which lie in the outbox.
    package func answers(of id: String) -> [Signed<PurgeAnswer>] {
        names("\(outbox)/\(id)/answers", ".note").compactMap { name in
            (try? Disk.readOwn("\(outbox)/\(id)/answers/\(name).note", limit: Self.noteLimit))
                .flatMap { try? Signed<PurgeAnswer>($0) }
        }
        .filter {
            $0.content.grant == id && (try? $0.verify($0.content.reader, of: "reader")) != nil
        }
    }

    // MARK: Files

    private func names(_ folder: String, _ suffix: String) -> [String] {
        (Disk.names(in: folder) ?? []).filter { $0.hasSuffix(suffix) }
            .map { String($0.dropLast(suffix.count)) }.sorted()
    }

    func standingPath(_ id: String) -> String { "\(grantFolder)/\(id)/standing.json" }

    func write(_ bytes: [UInt8], _ path: String) throws(ReleaseError) {
        do throws(FileError) {
            try Disk.write(bytes, to: path)
        } catch {
            throw ReleaseError("\(path) cannot be written (\(error)).")
        }
    }
}
