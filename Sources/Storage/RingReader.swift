// SPDX-License-Identifier: Apache-2.0

import Sealing
package import Signing
import System

/// Reads a ring beside the daemon, of this version or of the one before; it never writes and never
/// moves the log.
package final class RingReader {
    /// A stored batch by its slot; the age file is read with ``RingReader/sealed(_:)``.
    package struct Entry: Equatable, Sendable {
        /// The number of the batch, as its row claims.
        package var sequence: UInt64
        /// The end of the batch, in milliseconds since 1970, rounded up to the minute, as its row
        /// claims.
        package var end: Int64
        /// Whether what the row claims does not fit the rows around it, so that only what is sealed in
        /// it can tell.
        package var isDoubtful: Bool
        var slot: Int64
        /// As it stands in the row.
        var stored: Int64

        /// Whether it can hold anything of a stretch of time (ms since 1970).
        package func touches(_ range: ClosedRange<Int64>) -> Bool {
            SealedBatch.touches(range, from: end, end: end)
        }
    }

    let path: String
    let connection: SQLiteConnection
    /// Whether it is a ring of the version before, whose rows carry no proof.
    package let isOfEarlierVersion: Bool
    private let read: SQLiteStatement

    /// Opens the ring at a path.
    ///
    /// - Parameter path: of the database file.
    /// - Throws: ``StorageError``.
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
            // A changed bit makes another number, and not other columns.
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

    /// The batches stored, oldest first as far as their rows tell, and what may be one.
    ///
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

    /// Marks what cannot be as its row says.
    ///
    /// Ends are whole minutes and go on with the numbers, a number stands once, and the newest ended when
    /// the head says; beside a number that is not there a wrong one would look right. What passes is
    /// found out when it is opened: a batch says its own number.
    private func doubt(_ entries: inout [Entry]) {
        let head = isOfEarlierVersion ? nil : RingHead.unproven(path)
        for index in entries.indices {
            let entry = entries[index]
            if entry.end % 60_000 != 0 && !entry.isEdge { entries[index].isDoubtful = true }
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

    /// The age file of a batch; nil when the slot has been taken by another batch meanwhile.
    ///
    /// - Parameter entry: from ``entries()``.
    /// - Returns: the bytes.
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

    /// A row as it stands, and whether its proof holds.
    package struct Row: Sendable {
        package enum Kind: Sendable {
            case empty
            case batch
            case note
            /// Neither: its numbers are impossible, or nothing like that stands in it.
            case none
        }

        package var kind: Kind
        /// As the row claims; 0 where it claims none.
        package var sequence: UInt64
        /// Milliseconds since 1970, as the row claims; 0 where it claims none.
        package var end: Int64
        package var sealed: [UInt8]
        package var isProven: Bool
    }

    /// Keeps everything that is read until ``endReading()`` as it is now, whatever is written.
    ///
    /// - Returns: the head as it was at that moment, and how many of its records are damaged.
    /// - Throws: ``StorageError``; `busy` when the head was another one after each of some seconds' tries.
    package func beginReading(
        _ verifier: DeviceVerifier
    ) throws(StorageError) -> (head: RingHead?, damaged: Int) {
        var before = RingHead.read(path, verifier)
        for attempt in Int32(0)..<100 {
            // A machine whose cores are taken gives a writer time enough between any two looks.
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

    package func endReading() { try? connection.execute("COMMIT") }

    /// The slots with anything in them, in the order of the numbers that their rows claim.
    ///
    /// - Throws: ``StorageError`` when the tree around the rows is damaged.
    package func slots() throws(StorageError) -> [Int64] {
        let rows = try SQLiteStatement(connection, "SELECT slot FROM ring ORDER BY seq, slot")
        var slots: [Int64] = []
        while try rows.step() { slots.append(rows.integer(0)) }
        return slots
    }

    /// A row.
    ///
    /// - Parameters:
    ///   - slot: from ``slots()``.
    ///   - ringID: what its proof must name.
    ///   - verifier: of the recorder's key.
    /// - Returns: nil where the slot is not there.
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

    /// The end of a batch (ms since 1970) as its row must say it.
    package static func storedEnd(_ end: Int64) -> Int64 { RingFormat.storableEnd(end) }

    /// The id by which the ring's file names itself; nobody has signed that.
    package var namedID: [UInt8]? {
        guard let row = try? SQLiteStatement(connection, "SELECT value FROM meta WHERE key='ring'"),
            (try? row.step()) == true
        else { return nil }
        return row.bytes(0)
    }

    /// The digest of the pages without rows, as the head notes it; nil where they cannot be read.
    package func structure() -> [UInt8]? {
        let size = Disk.size(path) ?? 0
        guard size % RingFormat.pageSize == 0 else { return nil }
        return RingStructure.digest(size / RingFormat.pageSize) {
            connection.page($0, size: RingFormat.pageSize)
        }
    }

    /// Whether parts of the ring still wait to be moved out of an old one.
    package var isBeingRebuilt: Bool { !OldRing.paths(path).isEmpty }

    /// The file of the version before that is kept beside a ring; nil where there is none.
    package static func earlier(beside path: String) -> String? {
        let earlier = EarlierRing.path(path)
        return Disk.exists(earlier) ? earlier : nil
    }
}

extension RingReader.Entry {
    /// Whether the end is the nearest that a row can say and not the batch's own.
    fileprivate var isEdge: Bool {
        end == RingFormat.ends.lowerBound || end == RingFormat.ends.upperBound - 1
    }
}

extension RingHead {
    /// The head as it stands there, whoever signed it; enough to doubt by, and not to believe.
    static func unproven(_ path: String) -> RingHead? {
        (try? Disk.read(Self.path(path), limit: fileSize)).flatMap {
            read($0) { _, _ in true }.head
        }
    }
}
