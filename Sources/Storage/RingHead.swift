// SPDX-License-Identifier: Apache-2.0

import Files
package import Sealing

/// What the ring must hold, kept outside of it and signed: without it nobody could tell that the
/// newest batches are missing, or that the whole ring was put back to an earlier state.
///
/// The file has two records that are written in turn, so that one is whole at every moment.
package struct RingHead: Equatable, Sendable {
    /// How often a record has been written.
    private var count: UInt64 = 0
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
    /// Batches up to this number ended at this moment (ms) at the latest, whatever they say: their
    /// clock was ahead.
    package var boundedUpTo: UInt64 = 0
    package var bound: Int64 = 0
    /// SHA-256 of the pages that hold no row; zeros while the ring is being made or rebuilt.
    package var structure = SealedBatch.noDigest

    package init() {}

    private static let intro = Array("MCIHEAD1".utf8)
    private static let recordSize = 512
    private static let numbers = 8
    private static let signed = intro.count + 8 * numbers + 3 * 32

    /// The path of the head of a ring.
    package static func path(_ ring: String) -> String { ring + ".head" }

    /// Reads both records.
    ///
    /// - Parameters:
    ///   - path: of the ring.
    ///   - verifier: of the recorder's key.
    /// - Returns: the newer one that is whole and signed, and how many records are not; nil where
    ///   there is none.
    package static func read(
        _ path: String,
        _ verifier: DeviceVerifier
    ) -> (head: RingHead?, damaged: Int) {
        guard let bytes = try? Disk.read(Self.path(path), limit: 2 * recordSize) else {
            return (nil, 0)
        }
        return read(bytes) { verifier.isValid($0, of: $1) }
    }

    /// Reads both records.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - isValid: whether a signature is one of a message by the recorder.
    /// - Returns: the newer one that is whole and signed, and how many records are not.
    static func read(
        _ bytes: [UInt8],
        _ isValid: (ArraySlice<UInt8>, [UInt8]) -> Bool
    ) -> (head: RingHead?, damaged: Int) {
        guard !bytes.isEmpty else { return (nil, 0) }
        guard bytes.count == 2 * recordSize else { return (nil, 2) }
        let records = [bytes.prefix(recordSize), bytes.suffix(recordSize)]
        let whole = records.enumerated().compactMap { index, record -> RingHead? in
            guard let head = RingHead(Array(record), isValid), head.count % 2 == UInt64(index)
            else { return nil }
            return head
        }
        // Until it is written for the second time one record is empty.
        let empty = records.filter { $0.allSatisfy { $0 == 0 } }.count
        let isYoung = whole.count == 1 && empty == 1 && whole[0].count == 1
        return (whole.max { $0.count < $1.count }, isYoung ? 0 : 2 - whole.count)
    }

    private init?(_ record: [UInt8], _ isValid: (ArraySlice<UInt8>, [UInt8]) -> Bool) {
        let end = Self.signed + 64
        guard record.starts(with: Self.intro), record[end...].allSatisfy({ $0 == 0 }),
            isValid(record[Self.signed..<end], Array(record[..<Self.signed]))
        else { return nil }
        func number(_ index: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(record[8 + 8 * index + $1]) << (8 * $1) }
        }
        (count, first, newest, before) = (number(0), number(1), number(2), number(4))
        self.end = Int64(bitPattern: number(3))
        boundedUpTo = number(5)
        bound = Int64(bitPattern: number(6))
        digest = Array(record[72..<104])
        digestBefore = Array(record[104..<136])
        structure = Array(record[136..<168])
    }

    /// The bytes of a record that are signed.
    var content: [UInt8] {
        var bytes = Self.intro
        let ends = [UInt64(bitPattern: end), before, boundedUpTo, UInt64(bitPattern: bound), 0]
        for number in [count, first, newest] + ends {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return bytes + digest + digestBefore + structure
    }

    /// Writes the head, on disk when this returns unless it need not be `durable`.
    ///
    /// - Throws: ``StorageError``; the record before is then still whole.
    mutating func write(
        _ path: String,
        _ key: DeviceKey,
        durable: Bool = true
    ) throws(StorageError) {
        count += 1
        var record = content
        guard let signature = key.sign(record) else { throw StorageError(.failed) }
        record += signature
        record += [UInt8](repeating: 0, count: Self.recordSize - record.count)
        do {
            let place = Self.path(path)
            let isNew = Disk.size(place) != 2 * Self.recordSize
            if isNew {
                try Disk.write([UInt8](repeating: 0, count: 2 * Self.recordSize), to: place)
            }
            let start = Int(count % 2) * Self.recordSize
            try DiskFile(place).write(record, at: start, durable: durable)
        } catch {
            throw StorageError(.failed)
        }
    }
}
