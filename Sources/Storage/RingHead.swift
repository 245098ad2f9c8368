// SPDX-License-Identifier: Apache-2.0

import Sealing
package import Signing
import System

/// What the ring must hold, kept and signed in a file outside of the ring.
///
/// Without it nobody could notice that the newest batches are missing, or that the whole ring was
/// reset to an earlier state.
///
/// The file has four records. Writes that wait for the disk alternate between the first two, so
/// that the previous one is always complete on disk. The other writes alternate between the last
/// two.
package struct RingHead: Equatable, Sendable {
    /// How many records have been written.
    package private(set) var count: UInt64 = 0
    /// How many of them waited for the disk.
    private var durables: UInt64 = 0
    /// How many heads this recorder has written to disk, over all its rings; the marks outside keep
    /// the same count.
    package var writings: UInt64 = 0
    /// The ring's id, which every row's proof names: ``HighWaterMarks/ringIDSize`` bytes.
    package var ringID = [UInt8](repeating: 0, count: HighWaterMarks.ringIDSize)
    /// The lowest sequence number that is expected in the ring.
    package var first: UInt64 = 1
    /// The sequence number of the newest batch; 0 for none.
    package var newest: UInt64 = 0
    /// The end of the newest batch in milliseconds since 1970, rounded up to the minute; 0 for
    /// none.
    package var end: Int64 = 0
    /// SHA-256 of the newest batch as it is sealed, or of its tombstone.
    package var digest = SealedBatch.noDigest
    /// The newest batch before the last write, which a crash may have undone.
    ///
    /// The head is written before the row.
    package var before: UInt64 = 0
    /// SHA-256 of that batch.
    package var digestBefore = SealedBatch.noDigest
    /// SHA-256 of the pages that hold no row and of the order of the others.
    ///
    /// All zeros while the ring is made or rebuilt.
    package var structure = SealedBatch.noDigest
    /// The minimum number of tombstones that the ring holds.
    package var notes: UInt64 = 0
    /// How many batches were ever forgotten, expired and lost.
    package var erased = Erased()
    /// Age time at which unbounded damage was found; 0 for none.
    var found: Int64 = 0
    /// The clock by which the ages of batches are counted.
    package var clock = AgeClock()
    /// What happened to the ring's files, in the order of discovery.
    package private(set) var incidents: [Incident] = []

    /// Makes the head of a new ring, with zeros for its id.
    package init() {}

    /// How many batches are gone on purpose, or noted as lost.
    package struct Erased: Equatable, Sendable {
        /// Batches that the person had erased.
        package var forgotten: UInt64 = 0
        /// Batches that exceeded their retention.
        package var expired: UInt64 = 0
        /// Batches that went missing.
        package var lost: UInt64 = 0

        mutating func add(_ count: Int, _ reason: Tombstone.Reason) {
            switch reason {
            case .forgotten: forgotten += UInt64(count)
            case .expired: expired += UInt64(count)
            case .lost: lost += UInt64(count)
            }
        }
    }

    /// Something that happened to the files and that no later write undoes.
    package struct Incident: Equatable, Sendable {
        /// What happened.
        package enum Kind: UInt8, CaseIterable, Sendable {
            /// Ring and head are an older copy of themselves.
            case putBack = 1
            /// The ring's database was missing.
            case ringGone
            /// The head was missing or unreadable.
            case headGone
            /// Batches that should be there were missing.
            case missing
        }

        /// The name under which it is acknowledged; it changes when something is added to the
        /// incident.
        package var name: String { "\(kind) \(first) \(last) \(at)" }

        /// What happened.
        package var kind: Kind
        /// The wall clock at the discovery, in milliseconds since 1970.
        package var at: Int64
        /// The lowest affected sequence number; 0 for none.
        package var first: UInt64 = 0
        /// The highest affected sequence number; 0 for none.
        package var last: UInt64 = 0
    }

    private static let maxIncidents = 8

    /// Adds an incident; when the list is full, the latest one of the same kind absorbs it.
    mutating func add(_ incident: Incident) {
        guard incidents.count >= Self.maxIncidents else { return incidents.append(incident) }
        let index = incidents.lastIndex { $0.kind == incident.kind } ?? incidents.count - 1
        let old = incidents[index]
        incidents[index] = Incident(
            kind: incident.kind,
            at: incident.at,
            first: old.first == 0 ? incident.first : min(old.first, max(1, incident.first)),
            last: max(old.last, incident.last)
        )
    }

    // MARK: The file

    private static let intro = Array("MCIHEAD3".utf8)
    static let recordSize = 2048
    static let recordCount = 4
    static let fileSize = recordCount * recordSize
    private static let signed = recordSize - 64

    /// The path of the head that belongs to a ring.
    ///
    /// - Parameter ring: path of the ring's database file.
    /// - Returns: the path.
    package static func path(_ ring: String) -> String { ring + ".head" }

    /// Reads the newest valid record.
    ///
    /// - Parameters:
    ///   - path: of the ring.
    ///   - verifier: of the recorder's key.
    /// - Returns: the newest record that is complete and signed, nil when there is none, and how
    ///   many records are damaged.
    package static func read(
        _ path: String,
        _ verifier: DeviceVerifier
    ) -> (head: RingHead?, damaged: Int) {
        var found = readOnce(path, verifier)
        // The recorder may be writing a record right now: only damage that persists counts.
        for _ in 0..<4 where found.damaged > 0 { found = readOnce(path, verifier) }
        return found
    }

    private static func readOnce(
        _ path: String,
        _ verifier: DeviceVerifier
    ) -> (head: RingHead?, damaged: Int) {
        guard let bytes = try? Disk.read(Self.path(path), limit: fileSize) else {
            return (nil, Disk.exists(Self.path(path)) ? recordCount : 0)
        }
        return read(bytes) { verifier.isValid($0, of: $1) }
    }

    /// Parses the records of a head file.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - isValid: whether a signature is the recorder's for a message.
    /// - Returns: the newest record that is complete and signed, and how many records are damaged.
    static func read(
        _ bytes: [UInt8],
        _ isValid: (ArraySlice<UInt8>, [UInt8]) -> Bool
    ) -> (head: RingHead?, damaged: Int) {
        guard !bytes.isEmpty else { return (nil, 0) }
        guard bytes.count == fileSize else { return (nil, recordCount) }
        var whole: [RingHead] = []
        var changed = 0
        for index in 0..<recordCount {
            let record = Array(bytes[index * recordSize..<(index + 1) * recordSize])
            if let head = RingHead(record, index, isValid) {
                whole.append(head)
            } else if !record.isZero {
                changed += 1
            }
        }
        guard let newest = whole.max(by: { $0.count < $1.count }) else {
            return (nil, recordCount)
        }
        // A record is still empty while its pair was written fewer than two times.
        let written = min(2, newest.durables) + min(2, newest.count - newest.durables)
        return (newest, max(changed, Int(written) - whole.count))
    }

    private init?(
        _ record: [UInt8],
        _ index: Int,
        _ isValid: (ArraySlice<UInt8>, [UInt8]) -> Bool
    ) {
        guard record.starts(with: Self.intro),
            isValid(record[Self.signed...], Array(record[..<Self.signed]))
        else { return nil }
        var fields = HeadFields(record[Self.intro.count..<Self.signed])
        guard fields.number() == UInt64(index) else { return nil }
        (count, durables) = (fields.number(), fields.number())
        guard durables <= count else { return nil }
        writings = fields.number()
        (first, newest, end, before) = (
            fields.number(), fields.number(), fields.signed(), fields.number()
        )
        (notes, found) = (fields.number(), fields.signed())
        erased = Erased(
            forgotten: fields.number(),
            expired: fields.number(),
            lost: fields.number()
        )
        ringID = fields.take(HighWaterMarks.ringIDSize)
        digest = fields.take(32)
        digestBefore = fields.take(32)
        structure = fields.take(32)
        clock = AgeClock(&fields)
        incidents = (0..<Self.maxIncidents).compactMap { _ in Incident(&fields) }
    }

    /// Encodes the signed bytes of a record.
    ///
    /// - Parameter index: of the record in the file.
    /// - Returns: the whole record except the signature.
    func content(_ index: Int) -> [UInt8] {
        var fields = HeadFields()
        fields.add(UInt64(index), count, durables, writings, first, newest)
        fields.add(end)
        fields.add(before, notes)
        fields.add(found)
        fields.add(erased.forgotten, erased.expired, erased.lost)
        fields.bytes += ringID + digest + digestBefore + structure
        clock.add(to: &fields)
        for incident in incidents {
            fields.add(UInt64(incident.kind.rawValue))
            fields.add(incident.at)
            fields.add(incident.first, incident.last)
        }
        let bytes = Self.intro + fields.bytes
        return bytes + [UInt8](repeating: 0, count: Self.signed - bytes.count)
    }

    /// Writes the head and, when `durable`, waits until it is on disk.
    ///
    /// - Returns: the record and its offset in the file.
    /// - Throws: ``StorageError``; the previous record is then still intact.
    @discardableResult
    mutating func write(
        _ path: String,
        _ key: DeviceKey,
        durable: Bool = true
    ) throws(StorageError) -> Record {
        count += 1
        if durable { (durables, writings) = (durables + 1, writings + 1) }
        let index = durable ? Int(durables % 2) : 2 + Int((count - durables) % 2)
        let record = content(index)
        guard let signature = key.sign(record) else { throw StorageError(.failed) }
        do {
            let file = Self.path(path)
            if Disk.size(file) != Self.fileSize {
                try Disk.write([UInt8](repeating: 0, count: Self.fileSize), to: file)
            }
            let start = index * Self.recordSize
            try DiskFile(file).write(record + signature, at: start, durable: durable)
            return Record(start: start, bytes: record + signature)
        } catch {
            throw StorageError(.failed)
        }
    }

    /// A record as it was written, and its offset in the file.
    struct Record: Equatable {
        var start: Int
        var bytes: [UInt8]

        /// Whether the file still contains it.
        func isThere(_ path: String) -> Bool {
            guard let file = try? DiskFile(RingHead.path(path)) else { return false }
            return file.read(at: start, count: bytes.count) == bytes
        }
    }

    // MARK: The version before

    /// Reads the newest sequence number and its end in milliseconds from a version 2 head.
    ///
    /// - Parameters:
    ///   - path: of the ring.
    ///   - verifier: of the recorder's key.
    /// - Returns: nil when there is no such head.
    static func before(
        _ path: String,
        _ verifier: DeviceVerifier
    ) -> (newest: UInt64, end: Int64)? {
        let (recordSize, signed) = (512, 400)
        guard let bytes = try? Disk.read(Self.path(path), limit: 2 * recordSize),
            bytes.count == 2 * recordSize
        else { return nil }
        return [0, recordSize].compactMap { start -> (UInt64, Int64)? in
            let record = Array(bytes[start..<start + recordSize])
            guard record.starts(with: Array("MCIHEAD1".utf8)),
                verifier.isValid(record[signed..<signed + 64], of: Array(record[..<signed]))
            else { return nil }
            // After the intro: count, lowest number, newest number, its end.
            var fields = HeadFields(record[24..<signed])
            return (fields.number(), fields.signed())
        }.max { $0.0 < $1.0 }
    }

    /// Whether a later version has written a head there.
    static func isOfAnotherVersion(_ path: String) -> Bool {
        guard let file = try? DiskFile(Self.path(path)) else { return false }
        return (0..<recordCount).map { $0 * recordSize }.contains { start in
            let intro = file.read(at: start, count: Self.intro.count)
            return intro.starts(with: Array("MCIHEAD".utf8)) && intro.count == Self.intro.count
                && intro > Self.intro
        }
    }
}

extension [UInt8] {
    fileprivate static func > (left: [UInt8], right: [UInt8]) -> Bool {
        right.lexicographicallyPrecedes(left)
    }
}

extension RingHead.Incident {
    fileprivate init?(_ fields: inout HeadFields) {
        let kind = Kind(rawValue: UInt8(truncatingIfNeeded: fields.number()))
        let (at, first, last) = (fields.signed(), fields.number(), fields.number())
        guard let kind else { return nil }
        self.init(kind: kind, at: at, first: first, last: last)
    }
}

extension AgeClock {
    /// Encodes an absent time.
    private static let none = Int64.min

    fileprivate init(_ fields: inout HeadFields) {
        self.init()
        func optional(_ value: Int64) -> Int64? { value == Self.none ? nil : value }
        (now, boottime, asleep, relation) = (
            fields.signed(), fields.signed(), fields.signed(), fields.signed()
        )
        (synchronised, untried) = (optional(fields.signed()), optional(fields.signed()))
        let (tried, ran) = (optional(fields.signed()), fields.signed())
        trial = tried.map { Trial(relation: $0, ran: ran) }
        let since = fields.number()
        (uncertainSince, latestStart) = (since == 0 ? nil : since, fields.number())
        isAfterSleep = fields.number() == 1
        bootID = fields.take(16)
        claims = (0..<Self.maxClaims).compactMap { _ in
            let claim = Claim(
                elapsed: fields.signed(),
                ran: fields.signed(),
                from: fields.number()
            )
            return claim.elapsed == 0 ? nil : claim
        }
        segments = (0..<Self.maxSegments).compactMap { _ in
            let segment = Segment(
                from: fields.number(),
                shift: fields.signed(),
                start: fields.signed()
            )
            return segment.from == 0 ? nil : segment
        }
    }

    fileprivate func add(to fields: inout HeadFields) {
        for number in [now, boottime, asleep, relation] { fields.add(number) }
        fields.add(synchronised ?? Self.none)
        fields.add(untried ?? Self.none)
        fields.add(trial?.relation ?? Self.none)
        fields.add(trial?.ran ?? 0)
        fields.add(uncertainSince ?? 0, latestStart, isAfterSleep ? 1 : 0)
        fields.bytes += bootID
        for index in 0..<Self.maxClaims {
            let claim = claims.indices.contains(index) ? claims[index] : nil
            fields.add(claim?.elapsed ?? 0)
            fields.add(claim?.ran ?? 0)
            fields.add(claim?.from ?? 0)
        }
        for index in 0..<Self.maxSegments {
            let segment = segments.indices.contains(index) ? segments[index] : nil
            fields.add(segment?.from ?? 0)
            fields.add(segment?.shift ?? 0)
            fields.add(segment?.start ?? 0)
        }
    }
}

/// The fields of a head's record in order: little-endian 64-bit numbers and digests.
private struct HeadFields {
    var bytes: [UInt8] = []
    private var next = 0

    init() {}

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

    mutating func add(_ numbers: UInt64...) {
        for number in numbers {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
    }

    mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { next += count }
        return Array(bytes[next..<next + count])
    }

    mutating func number() -> UInt64 {
        take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func signed() -> Int64 { Int64(bitPattern: number()) }
}
