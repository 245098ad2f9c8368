// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing
import System

/// The ring's database: its rows, its log, and whether its files are still the ones it opened.
final class RingFile {
    /// A row to be written.
    struct Row {
        var slot: Int
        var entry: SlotTable.Entry
        var sealed: [UInt8]
        /// The signature over the row; zeros for an empty row.
        var proof: [UInt8] = []
        /// The column values of a damaged row, which is kept as it was found.
        var claims: (sequence: Int64, end: Int64)?
        /// Whether the row is inserted rather than updated.
        var isNew = false

        /// Makes an empty row.
        static func empty(_ slot: Int, isNew: Bool = false) -> Row {
            Row(
                slot: slot,
                entry: .init(),
                sealed: RingPage.empty.sealed,
                proof: RingPage.empty.proof,
                isNew: isNew
            )
        }
    }

    private let path: String
    private let connection: SQLiteConnection
    private let update: SQLiteStatement
    private let insert: SQLiteStatement
    private let select: SQLiteStatement
    /// The ring's id as its file names it; nil when it names none.
    let ringID: [UInt8]?
    /// The inode of the database file that was opened.
    private let identity: UInt64?
    /// The inode of the write-ahead log; nil before the first check.
    private var log: UInt64?

    /// Opens an existing ring.
    ///
    /// - Throws: ``StorageError``.
    init(_ path: String) throws(StorageError) {
        self.path = path
        connection = try SQLiteConnection(path: path, access: .write)
        guard try connection.integer("PRAGMA application_id") == RingFormat.applicationID else {
            throw StorageError(.damaged)
        }
        guard try connection.integer("PRAGMA user_version") == RingFormat.version else {
            throw StorageError(.unknownVersion)
        }
        guard try connection.hasSchema(RingFormat.schema),
            try connection.integer("PRAGMA page_size") == Int64(RingFormat.pageSize)
        else { throw StorageError(.damaged) }
        ringID = try Self.ringID(connection)
        try connection.execute(
            """
            PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
            PRAGMA journal_size_limit=\(RingFormat.logSize);
            PRAGMA temp_store=MEMORY; PRAGMA cache_size=64;
            """
        )
        update = try SQLiteStatement(
            connection,
            "UPDATE ring SET seq=?2, t_end=?3, sealed=?4, proof=?5 WHERE slot=?1"
        )
        insert = try SQLiteStatement(connection, "INSERT INTO ring VALUES(?1, ?2, ?3, ?4, ?5)")
        select = try SQLiteStatement(
            connection,
            "SELECT seq, t_end, sealed, proof FROM ring WHERE slot=?1"
        )
        identity = Disk.inode(path)
    }

    private static func ringID(_ connection: SQLiteConnection) throws(StorageError) -> [UInt8]? {
        let row = try SQLiteStatement(connection, "SELECT value FROM meta WHERE key='ring'")
        guard try row.step() else { return nil }
        let id = row.bytes(0)
        return id.count == HighWaterMarks.ringIDSize ? id : nil
    }

    /// Reads what the rows claim, in the order of their slots.
    ///
    /// - Returns: an entry for each slot.
    /// - Throws: ``StorageError`` `damaged` when the slots are not numbered from 0 without a gap,
    ///   or a value has another type or size.
    func load() throws(StorageError) -> [SlotTable.Entry] {
        let rows = try SQLiteStatement(
            connection,
            """
            SELECT slot, seq, t_end, typeof(sealed)='blob' AND typeof(proof)='blob'
              AND typeof(seq)='integer' AND typeof(t_end)='integer',
              length(sealed), length(proof), sealed, proof FROM ring ORDER BY slot
            """
        )
        var entries: [SlotTable.Entry] = []
        while try rows.step() {
            guard rows.integer(0) == entries.count, rows.integer(3) == 1,
                rows.integer(4) == RingFormat.slotSize, rows.integer(5) == RingFormat.proofSize
            else { throw StorageError(.damaged) }
            let (sequence, end) = (rows.integer(1), rows.integer(2))
            // For a batch, the numbers tell everything that is examined here.
            let isBatch = sequence > RingFormat.valueOffset && end > RingFormat.valueOffset
            entries.append(
                SlotTable.Entry(
                    claiming: sequence,
                    end,
                    isBatch ? [] : rows.bytes(6),
                    isBatch ? [] : rows.bytes(7)
                )
            )
        }
        return entries
    }

    /// Reads the row of a slot; nil when there is none.
    func row(_ slot: Int) throws(StorageError) -> RingPage? {
        select.reset()
        defer { select.reset() }
        try select.bind(Int64(slot), at: 1)
        guard try select.step() else { return nil }
        return RingPage(
            slot: Int64(slot),
            storedSequence: select.integer(0),
            storedEnd: select.integer(1),
            sealed: select.bytes(2),
            proof: select.bytes(3)
        )
    }

    /// Checks that the files at the paths are the opened ones, and complete.
    ///
    /// - Parameter rows: the number of rows that the ring has.
    /// - Throws: ``StorageError`` `moved` or `damaged`.
    func check(rows: Int) throws(StorageError) {
        guard identity == Disk.inode(path) else { throw StorageError(.moved) }
        // New rows may still be only in the log.
        let frames = connection.framesInLog
        guard let size = Disk.size(path), size % RingFormat.pageSize == 0,
            size > (rows - frames) * RingFormat.pageSize
        else { throw StorageError(.damaged) }
        // A log without a name would take batches with it when mcid ends; a truncated one already
        // has.
        let now = Disk.inode(path + "-wal")
        if let log, log != now { throw StorageError(.moved) }
        log = now
        if frames > 0, (Disk.size(path + "-wal") ?? 0) < 32 + frames * (24 + RingFormat.pageSize) {
            throw StorageError(.moved)
        }
    }

    /// Writes rows in one commit, on disk when this returns.
    ///
    /// - Parameter rows: at most ``RingFormat/maxRowsPerCommit``.
    /// - Throws: ``StorageError``; nothing is then written.
    func write(_ rows: some Collection<Row>) throws(StorageError) {
        guard !rows.isEmpty else { return }
        // A log without room for these rows is first moved into the file. New rows also touch the
        // interior page above them and the first page.
        if connection.framesInLog + rows.count + 8 > RingFormat.maxFrames {
            try connection.checkpoint(truncating: false)
        }
        if rows.count > 1 { try connection.execute("BEGIN IMMEDIATE") }
        do throws(StorageError) {
            for row in rows {
                if row.isNew { try write(row, insert) } else { try write(row, update) }
            }
            if rows.count > 1 { try connection.execute("COMMIT") }
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private func write(_ row: Row, _ statement: borrowing SQLiteStatement) throws(StorageError) {
        statement.reset()
        defer { statement.reset() }
        try statement.bind(Int64(row.slot), at: 1)
        try statement.bind(
            row.claims?.sequence ?? RingFormat.valueOffset + row.entry.sequence,
            at: 2
        )
        try statement.bind(row.claims?.end ?? RingFormat.valueOffset + row.entry.end, at: 3)
        try statement.bind(row.sealed, at: 4)
        try statement.bind(row.proof, at: 5)
        _ = try statement.step()
    }

    /// The digest of the pages that hold no row; the log must be empty.
    func structure() -> [UInt8]? {
        let count = (Disk.size(path) ?? 0) / RingFormat.pageSize
        return RingStructure.digest(count) { connection.page($0, size: RingFormat.pageSize) }
    }

    /// Moves the log into the file and truncates it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    func emptyLog() throws(StorageError) {
        try connection.checkpoint(truncating: true)
        // SQLite truncates the log without syncing it: a power cut could bring it back.
        do {
            try Disk.sync(path + "-wal")
        } catch {
            throw StorageError(.failed)
        }
    }

    /// Creates a ring beside the path and moves it there when it is complete.
    ///
    /// - Parameters:
    ///   - path: of the database file.
    ///   - id: of the ring, ``HighWaterMarks/ringIDSize`` bytes.
    ///   - slots: how many empty slots to create.
    /// - Throws: ``StorageError``.
    static func make(_ path: String, id: [UInt8], slots: Int) throws(StorageError) {
        let draft = path + ".new"
        for suffix in ["", "-wal", "-shm"] { Disk.remove(draft + suffix) }
        // A log without its ring would be replayed into the new one.
        for suffix in ["-wal", "-shm"] { Disk.remove(path + suffix) }
        do throws(StorageError) {
            let connection = try SQLiteConnection(path: draft, access: .create)
            let zero = RingFormat.valueOffset
            try connection.execute(
                """
                PRAGMA page_size=\(RingFormat.pageSize); PRAGMA auto_vacuum=NONE;
                PRAGMA application_id=\(RingFormat.applicationID);
                PRAGMA user_version=\(RingFormat.version);
                PRAGMA secure_delete=ON; PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;
                BEGIN;
                \(RingFormat.schema)
                INSERT INTO meta VALUES('format', \(RingFormat.version)),
                  ('slot', \(RingFormat.slotSize)), ('ring', x'\(Hex.encode(id))');
                WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1 < \(slots))
                INSERT INTO ring SELECT i, \(zero), \(zero), zeroblob(\(RingFormat.slotSize)),
                  zeroblob(\(RingFormat.proofSize)) FROM n WHERE i < \(slots);
                COMMIT;
                PRAGMA journal_mode=WAL;
                """
            )
            // Closing the connection moves the log into the draft.
        } catch {
            Disk.remove(draft)
            throw error
        }
        do {
            try Disk.move(draft, to: path)
        } catch {
            throw StorageError(.cannotOpen)
        }
    }
}
