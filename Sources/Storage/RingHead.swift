// SPDX-License-Identifier: Apache-2.0

import Files
import Sealing
package import Signing

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
    /// What is known of clocks that were ahead, in the order in which it was found.
    package private(set) var bounds: [Bound] = []
    /// SHA-256 of the pages that hold no row; zeros while the ring is being made or rebuilt.
    package var structure = SealedBatch.noDigest

    package init() {}

    /// Batches up to a number ended at a moment (ms) at the latest, whatever they say.
    package struct Bound: Equatable, Sendable {
        package var upTo: UInt64
        package var end: Int64
    }

    /// The latest end that a batch can have had; nil where its clock was never found ahead.
    func bound(of sequence: UInt64) -> Int64? {
        bounds.lazy.filter { sequence <= $0.upTo }.map(\.end).min()
    }

    /// Notes that the clock was found behind the newest batch.
    mutating func add(_ bound: Bound) {
        bounds.removeAll { $0.upTo < first || ($0.upTo <= bound.upTo && $0.end >= bound.end) }
        bounds.append(bound)
        // With no room for another, the two oldest are taken together, the stricter way.
        guard bounds.count > Self.mostBounds else { return }
        bounds[1].end = min(bounds[0].end, bounds[1].end)
        bounds.removeFirst()
    }

    private static let mostBounds = 16
    private static let intro = Array("MCIHEAD1".utf8)
    private static let recordSize = 512
    private static let numbers = 5 + 2 * mostBounds
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
        bounds = (0..<Self.mostBounds).map { index in
            Bound(upTo: number(5 + 2 * index), end: Int64(bitPattern: number(6 + 2 * index)))
        }.filter { $0.upTo > 0 }
        let digests = Self.intro.count + 8 * Self.numbers
        digest = Array(record[digests..<digests + 32])
        digestBefore = Array(record[digests + 32..<digests + 64])
        structure = Array(record[digests + 64..<digests + 96])
    }

    /// The bytes of a record that are signed.
    var content: [UInt8] {
        var bytes = Self.intro
        var numbers = [count, first, newest, UInt64(bitPattern: end), before]
        for bound in bounds { numbers += [bound.upTo, UInt64(bitPattern: bound.end)] }
        numbers += [UInt64](repeating: 0, count: Self.numbers - numbers.count)
        for number in numbers {
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
