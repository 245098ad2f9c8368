// SPDX-License-Identifier: Apache-2.0

import Sealing
package import Signing
import System

/// Reads a ring of this or the previous version beside the daemon.
///
/// It never writes to the ring and never moves its log.
package final class RingReader {
    /// A stored batch and its slot; ``RingReader/sealed(_:)`` reads its age file.
    package struct Entry: Equatable, Sendable {
        /// The batch's sequence number, as its row claims.
        package var sequence: UInt64
        /// The end of the batch in milliseconds since 1970, rounded up to the minute, as its row
        /// claims.
        package var end: Int64
        /// Whether these claims do not fit the rows around it, so that only the sealed content can
        /// tell.
        package var isDoubtful: Bool
        var slot: Int64
        /// The sequence number as the row stores it.
        var stored: Int64

        /// Whether it can hold events of a time range.
        ///
        /// - Parameter range: wall time in milliseconds since 1970.
        /// - Returns: true when the batch may overlap the range.
        package func touches(_ range: ClosedRange<Int64>) -> Bool {
            SealedBatch.touches(range, from: end, end: end)
        }
    }

    let path: String
    let connection: SQLiteConnection
    /// Whether the ring has the previous version, whose rows carry no proof.
    package let isOfEarlierVersion: Bool
    private let read: SQLiteStatement

    /// Opens the ring at a path.
    ///
    /// - Parameter path: of the database file.
    /// - Throws: ``StorageError``; `cannotOpen`, `damaged` or `unknownVersion` when it is not a
    ///   readable ring.
    package init(path: String) throws(StorageError) {
        guard Disk.exists(path) else { throw StorageError(.cannotOpen) }
        self.path = path
        connection = try SQLiteConnection(path: path, access: .read)
        guard try connection.integer("PRAGMA application_id") == RingFormat.applicationID else {
            throw StorageError(.damaged)
        }
        let version = try connection.integer("PRAGMA user_version")
        isOfEarlierVersion = version == RingFormat.versionBefore && EarlierRing.isOne(path)
        guard version == RingFormat.version || isOfEarlierVersion else {
            // A flipped bit changes the version number, but not the columns.
            let columns = "SELECT count(*) FROM pragma_table_info('ring') WHERE name='proof'"
            let isDamaged = try connection.integer(columns) == 1
            throw StorageError(isDamaged ? .damaged : .unknownVersion)
        }
        let schema = isOfEarlierVersion ? RingFormat.schemaBefore : RingFormat.schema
        guard try connection.hasSchema(schema) else { throw StorageError(.damaged) }
        try connection.execute("PRAGMA cache_size=16")
        read = try SQLiteStatement(
            connection,
            "SELECT seq, t_end, sealed, \(isOfEarlierVersion ? "x''" : "proof") "
                + "FROM ring WHERE slot=?1"
        )
    }

    /// Lists the stored batches, oldest first as far as their rows claim, and rows that may be
    /// batches.
    ///
    /// - Returns: an entry for each.
    /// - Throws: ``StorageError``.
    package func entries() throws(StorageError) -> [Entry] {
        let origin = RingFormat.valueOffset
        let intro = "x'\(Hex.encode(RingPage.intro))'"
        let rows = try SQLiteStatement(
            connection,
            """
            SELECT slot, seq, t_end, substr(sealed, 1, \(RingPage.intro.count)) = \(intro) FROM ring
            WHERE t_end <> \(origin) OR substr(sealed, 1, \(RingPage.intro.count)) = \(intro)
            """
        )
        let zero = isOfEarlierVersion ? 0 : origin
        var result: [Entry] = []
        while try rows.step() {
            let number = rows.integer(1).subtractingSaturated(origin)
            let end = rows.integer(2).subtractingSaturated(zero)
            let isPossible =
                RingFormat.numbers.contains(number) && RingFormat.ends.contains(end)
                && rows.integer(3) == 1
            result.append(
                Entry(
                    sequence: UInt64(clamping: number),
                    end: end,
                    isDoubtful: !isPossible,
                    slot: rows.integer(0),
                    stored: rows.integer(1)
                )
            )
        }
        result.sort { ($0.sequence, $0.slot) < ($1.sequence, $1.slot) }
        doubt(&result)
        return result
    }

    /// Marks entries that contradict the others.
    ///
    /// Ends are whole minutes and rise with the numbers, a number occurs once, and the head names
    /// the end of the newest. Next to a missing number, a wrong one would look right. An entry that
    /// passes is settled when the batch is opened, because a batch contains its own number.
    private func doubt(_ entries: inout [Entry]) {
        let head = isOfEarlierVersion ? nil : RingHead.unproven(path)
        for index in entries.indices {
            let entry = entries[index]
            if entry.end % SealedBatch.rounding != 0 && !entry.isEdge {
                entries[index].isDoubtful = true
            }
            if let head {
                let isKnown = head.first...max(head.first, head.newest) ~= entry.sequence
                if !isKnown || (entry.sequence == head.newest && entry.end != head.end) {
                    entries[index].isDoubtful = true
                }
            }
            guard index > 0 else { continue }
            let before = entries[index - 1]
            if before.sequence + 1 != entry.sequence || before.end > entry.end {
                entries[index].isDoubtful = true
                entries[index - 1].isDoubtful = true
            }
        }
    }

    /// Reads the age file of a batch.
    ///
    /// - Parameter entry: from ``entries()``.
    /// - Returns: the bytes; nil when another batch has taken the slot since.
    /// - Throws: ``StorageError``.
    package func sealed(_ entry: Entry) throws(StorageError) -> [UInt8]? {
        guard let row = try row(entry.slot), row.storedSequence == entry.stored else { return nil }
        return row.sealed
    }

    private func row(_ slot: Int64) throws(StorageError) -> RingPage? {
        read.reset()
        defer { read.reset() }
        try read.bind(slot, at: 1)
        guard try read.step() else { return nil }
        return RingPage(
            slot: slot,
            storedSequence: read.integer(0),
            storedEnd: read.integer(1),
            sealed: read.bytes(2),
            proof: read.bytes(3)
        )
    }

    // MARK: For verification

    /// A row as it is stored, and whether its proof is valid.
    package struct Row: Sendable {
        /// What a row holds.
        package enum Kind: Sendable {
            /// Nothing: every column is zero.
            case empty
            /// A sealed batch.
            case batch
            /// The tombstone of a batch.
            case note
            /// Neither: its numbers are impossible, or its content does not match them.
            case none
        }

        /// What the row holds.
        package var kind: Kind
        /// The sequence number that the row claims; 0 for none.
        package var sequence: UInt64
        /// The end that the row claims, in milliseconds since 1970; 0 for none.
        package var end: Int64
        /// The age file or the tombstone.
        package var sealed: [UInt8]
        /// Whether the recorder's signature over the row is valid; always true in the previous
        /// version.
        package var isProven: Bool
    }

    /// Begins a read transaction: later reads see this state, whatever is written meanwhile.
    ///
    /// ``endReading()`` ends it.
    ///
    /// - Parameter verifier: of the recorder's key.
    /// - Returns: the head at that moment, and how many of its records are damaged.
    /// - Throws: ``StorageError``; `busy` when the head kept changing through some seconds of
    ///   attempts.
    package func beginReading(
        _ verifier: DeviceVerifier
    ) throws(StorageError) -> (head: RingHead?, damaged: Int) {
        var before = RingHead.read(path, verifier)
        for attempt in Int32(0)..<100 {
            // On a machine with busy cores, a writer gets enough time between any two attempts.
            if attempt > 20 { SQLiteConnection.wait(milliseconds: attempt / 2) }
            try connection.execute("BEGIN")
            _ = try connection.integer("SELECT count(*) FROM meta")
            let after = RingHead.read(path, verifier)
            if after.head?.count == before.head?.count { return after }
            try connection.execute("COMMIT")
            before = after
        }
        throw StorageError(.busy)
    }

    /// Ends the read transaction of ``beginReading(_:)``.
    package func endReading() { try? connection.execute("COMMIT") }

    /// Lists the slots, empty ones included, in the order of the sequence numbers that their rows
    /// claim.
    ///
    /// - Returns: slot numbers.
    /// - Throws: ``StorageError`` when the tree around the rows is damaged.
    package func slots() throws(StorageError) -> [Int64] {
        let rows = try SQLiteStatement(connection, "SELECT slot FROM ring ORDER BY seq, slot")
        var slots: [Int64] = []
        while try rows.step() { slots.append(rows.integer(0)) }
        return slots
    }

    /// Reads a row and checks its proof.
    ///
    /// - Parameters:
    ///   - slot: from ``slots()``.
    ///   - ringID: the ring's id that the proof must name.
    ///   - verifier: of the recorder's key.
    /// - Returns: nil when the slot does not exist.
    /// - Throws: ``StorageError``.
    package func row(
        _ slot: Int64,
        _ ringID: [UInt8],
        _ verifier: DeviceVerifier
    ) throws(StorageError) -> Row? {
        guard let page = try row(slot) else { return nil }
        guard !isOfEarlierVersion else { return earlierRow(page) }
        let entry = page.entry
        let isEmpty = entry == SlotTable.Entry()
        let kind: Row.Kind =
            isEmpty ? .empty : entry.isBatch ? .batch : entry.isNote ? .note : .none
        let number = page.sequence
        return Row(
            kind: kind,
            sequence: RingFormat.numbers.contains(number) ? UInt64(number) : 0,
            end: entry.end,
            sealed: page.sealed,
            isProven: !isEmpty
                && Int(exactly: slot).map {
                    RowProof.isValid(page.proof, verifier, ringID, $0, entry, page.sealed)
                } == true
        )
    }

    private func earlierRow(_ page: RingPage) -> Row {
        let isBatch = page.storedEnd > RingFormat.valueOffset
        return Row(
            kind: isBatch ? .batch : page.sequence > 0 ? .note : .empty,
            sequence: UInt64(clamping: page.sequence),
            end: isBatch ? page.storedEnd : 0,
            sealed: page.sealed,
            isProven: true
        )
    }

    /// The end of a batch as its row stores it, clamped to the possible values.
    ///
    /// - Parameter end: in milliseconds since 1970.
    /// - Returns: milliseconds since 1970.
    package static func storedEnd(_ end: Int64) -> Int64 { RingFormat.storableEnd(end) }

    /// The id by which the ring's file names itself; it is not signed.
    package var namedID: [UInt8]? {
        guard let row = try? SQLiteStatement(connection, "SELECT value FROM meta WHERE key='ring'"),
            (try? row.step()) == true
        else { return nil }
        return row.bytes(0)
    }

    /// Computes the digest of the pages without rows, which the head records; nil on failure.
    package func structure() -> [UInt8]? {
        let size = Disk.size(path) ?? 0
        guard size % RingFormat.pageSize == 0 else { return nil }
        return RingStructure.digest(size / RingFormat.pageSize) {
            connection.page($0, size: RingFormat.pageSize)
        }
    }

    /// Whether parts of an old ring still wait to be moved into this one.
    package var isBeingRebuilt: Bool { !OldRing.paths(path).isEmpty }

    /// The path of the previous version's ring that is kept beside a ring; nil when there is none.
    ///
    /// - Parameter path: of the ring.
    /// - Returns: a path.
    package static func earlier(beside path: String) -> String? {
        let earlier = EarlierRing.path(path)
        return Disk.exists(earlier) ? earlier : nil
    }
}

extension RingReader.Entry {
    /// Whether the end is clamped, and so is not the batch's own.
    fileprivate var isEdge: Bool {
        end == RingFormat.ends.lowerBound || end == RingFormat.ends.upperBound - 1
    }
}

extension RingHead {
    /// The head as it is stored, whoever signed it; good enough to raise doubt, not to prove
    /// anything.
    static func unproven(_ path: String) -> RingHead? {
        (try? Disk.read(Self.path(path), limit: fileSize)).flatMap {
            read($0) { _, _ in true }.head
        }
    }
}
