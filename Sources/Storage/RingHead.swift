// SPDX-License-Identifier: Apache-2.0

import Sealing
package import Signing
import System

/// What the ring must hold, kept outside of it and signed: without it nobody could tell that the
/// newest batches are missing, or that the whole ring was put back to an earlier state.
///
/// The file has four records. Those that wait for the disk are written into the first two in turn, so
/// that the one before is whole on disk at every moment; the others into the last two.
package struct RingHead: Equatable, Sendable {
    /// How often a record has been written.
    package private(set) var count: UInt64 = 0
    /// How often one that waited for the disk.
    private var durables: UInt64 = 0
    /// How often a head of this recorder was on disk for certain: the count that is kept outside as
    /// well.
    package var writings: UInt64 = 0
    /// The ring's name for itself, which every row's proof names: ``HighWaterMarks/ringIDSize`` bytes.
    package var ringID = [UInt8](repeating: 0, count: HighWaterMarks.ringIDSize)
    /// No batch with a lower number is expected in the ring.
    package var first: UInt64 = 1
    /// The newest batch: its number, its end (ms), its digest.
    package var newest: UInt64 = 0
    package var end: Int64 = 0
    package var digest = SealedBatch.noDigest
    /// The newest batch before the last writing, which a crash may have undone: the head is written
    /// first.
    package var before: UInt64 = 0
    package var digestBefore = SealedBatch.noDigest
    /// SHA-256 of the pages that hold no row and of the order of the others; zeros while the ring is being made or rebuilt.
    package var structure = SealedBatch.noDigest
    /// How many notes of erased batches the ring holds at the least.
    package var notes: UInt64 = 0
    /// How many batches were ever forgotten, expired and lost.
    package var erased = Erased()
    /// Age time at which damage was found that nothing bounds; 0 for none.
    var found: Int64 = 0
    package var clock = AgeClock()
    /// What befell the ring and its files, in the order in which it was found.
    package private(set) var incidents: [Incident] = []

    package init() {}

    /// Counts of what is gone on purpose, or noted as lost.
    package struct Erased: Equatable, Sendable {
        package var forgotten: UInt64 = 0
        package var expired: UInt64 = 0
        package var lost: UInt64 = 0

        mutating func add(_ count: Int, _ reason: Tombstone.Reason) {
            switch reason {
            case .forgotten: forgotten += UInt64(count)
            case .expired: expired += UInt64(count)
            case .lost: lost += UInt64(count)
            }
        }
    }

    /// Something that happened to the files and that no later writing undoes.
    package struct Incident: Equatable, Sendable {
        package enum Kind: UInt8, CaseIterable, Sendable {
            /// Ring and head are an older copy of themselves.
            case putBack = 1
            /// The ring's database was gone.
            case ringGone
            /// The head was gone or unreadable.
            case headGone
            /// Batches that must be there were not.
            case missing
        }

        /// What it is called where it is acknowledged, the same as long as nothing is added to it.
        package var name: String { "\(kind) \(first) \(last) \(at)" }

        package var kind: Kind
        /// The wall clock when it was found, in ms since 1970.
        package var at: Int64
        /// Numbers of the batches; 0 for none.
        package var first: UInt64 = 0
        package var last: UInt64 = 0
    }

    private static let maxIncidents = 8

    /// Notes what was found; with no room left the latest of the same kind takes it in.
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

    /// The path of the head of a ring.
    package static func path(_ ring: String) -> String { ring + ".head" }

    /// Reads all records.
    ///
    /// - Parameters:
    ///   - path: of the ring.
    ///   - verifier: of the recorder's key.
    /// - Returns: the newest one that is whole and signed, and how many records are not; nil where
    ///   there is none.
    package static func read(
        _ path: String,
        _ verifier: DeviceVerifier
    ) -> (head: RingHead?, damaged: Int) {
        var found = readOnce(path, verifier)
        // The recorder may be writing one at this moment: only what is still so a little later counts.
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

    /// Reads all records.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - isValid: whether a signature is one of a message by the recorder.
    /// - Returns: the newest one that is whole and signed, and how many records are not.
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
        // Until it is written for the second time each of two is empty.
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

    /// The bytes of a record that are signed.
    ///
    /// - Parameter index: of the record in the file.
    /// - Returns: all of it but the signature.
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

    /// Writes the head, on disk when this returns unless it need not be `durable`.
    ///
    /// - Returns: where the record stands and its bytes.
    /// - Throws: ``StorageError``; the record before is then still whole.
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

    /// A record as it was written.
    struct Record: Equatable {
        var start: Int
        var bytes: [UInt8]

        /// Whether the file still has it.
        func isThere(_ path: String) -> Bool {
            guard let file = try? DiskFile(RingHead.path(path)) else { return false }
            return file.read(at: start, count: bytes.count) == bytes
        }
    }

    // MARK: The version before

    /// The newest number and its end (ms) that the head of a ring of version 2 names; nil where there is
    /// no such head.
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
            // Behind the intro: count, lowest, newest, its end.
            var fields = HeadFields(record[24..<signed])
            return (fields.number(), fields.signed())
        }.max { $0.0 < $1.0 }
    }

    /// Whether a head is there that a version after this one has written.
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
    /// Stands for a time that is not there.
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

/// The fields of a head's record, one after the other: little-endian numbers and digests.
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
