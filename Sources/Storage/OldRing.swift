// SPDX-License-Identifier: Apache-2.0

import System

/// A ring that was set aside, damaged or of another size or version, and what is still readable of
/// it.
///
/// Pages are taken from the end and then cut off. So both rings together never take more space than
/// one, and an interrupted rebuilding continues where it was.
struct OldRing {
    /// Why a ring is set aside; the raw value is part of the file's name.
    enum Reason: String, CaseIterable {
        case damaged = ".old-damaged"
        case resized = ".old-resized"
        /// It has the previous version.
        case earlier = ".old-version"
    }

    let reason: Reason
    private let path: String
    private let file: DiskFile?
    /// What some pages contained.
    struct Found {
        /// Rows of the current version, proven or not.
        var rows: [RingPage] = []
        /// Batches of the previous version.
        var earlier: [RingPage] = []
        /// Pages with unreadable contents.
        var unreadable: [[UInt8]] = []

        mutating func add(_ page: [UInt8], isFirst: Bool, slots: [Int]) {
            if let row = RingPage(page, .before) {
                if row.sequence > 0, row.isSealed { earlier.append(row) }
                return
            }
            var row = RingPage(page) ?? RingPage(whatever: page)
            if row.isPlausible {
                row.guesses = slots
                rows.append(row)
            } else if OldRing.mayHoldBatch(page, isFirst: isFirst) {
                unreadable.append(page)
            }
        }
    }

    /// Rows of the write-ahead log, the newest first; nil once they were taken.
    private var logged: Found?
    private var size: Int

    /// The suffixes of the names; they bound the number of old rings, whoever put them there.
    private static let numbers = 1...99

    /// The paths of all rings set aside beside a ring.
    static func paths(_ ring: String) -> [(path: String, reason: Reason)] {
        Reason.allCases.flatMap { reason in
            numbers.map { ("\(ring)\(reason.rawValue)-\($0)", reason) }
        }
        .filter { Disk.isFile($0.0) || Disk.isFile($0.0 + "-wal") }
    }

    /// Removes the remains of old rings that were moved, because a power cut may bring their names
    /// back.
    static func removeEmpty(_ ring: String) {
        for (path, _) in paths(ring) where (Disk.size(path) ?? 0) == 0 {
            // A log without a frame is empty, too.
            guard (Disk.size(path + "-wal") ?? 0) <= 32 else { continue }
            Disk.remove(path)
            Disk.remove(path + "-wal")
        }
    }

    /// Sets a ring aside with its log; it stays when it cannot be moved or no name is free.
    ///
    /// - Parameters:
    ///   - ring: the path of the database.
    ///   - reason: why.
    ///   - name: the path of the ring beside which it is kept; nil for `ring` itself.
    static func setAside(_ ring: String, _ reason: Reason, as name: String? = nil) {
        let name = name ?? ring
        if reason == .damaged { copyOddRows(ring) }
        let free = numbers.map { "\(name)\(reason.rawValue)-\($0)" }
            .first { !Disk.exists($0) && !Disk.exists($0 + "-wal") }
        guard let path = free else { return }
        // The log first: a ring without its log would pass for a complete one.
        if Disk.exists(ring + "-wal") { try? Disk.move(ring + "-wal", to: path + "-wal") }
        if Disk.exists(ring) { try? Disk.move(ring, to: path) }
        Disk.remove(ring + "-shm")
    }

    /// Copies rows that SQLite can read although they do not fill a page in the regular way.
    ///
    /// The file has another page size, or a proof is too short or too long.
    private static func copyOddRows(_ ring: String) {
        let free = numbers.map { "\(ring)\(Reason.damaged.rawValue)-\($0)" }
            .first { !Disk.exists($0) && !Disk.exists($0 + "-wal") }
        guard let free, let connection = try? SQLiteConnection(path: ring, access: .read),
            // A view of that name could run forever.
            (try? connection.integer(
                "SELECT count(*) FROM sqlite_schema WHERE name='ring' AND type='table'"
            )) == 1,
            let size = try? connection.integer("PRAGMA page_size"),
            let rows = try? SQLiteStatement(
                connection,
                """
                SELECT slot, seq, t_end, sealed, substr(proof, 1, \(RingFormat.proofSize)) FROM ring
                WHERE length(sealed) = \(RingFormat.slotSize) AND (\(size) <> \(RingFormat.pageSize)
                  OR length(proof) <> \(RingFormat.proofSize))
                """
            )
        else { return }
        let maxIndex = (Disk.size(ring) ?? 0) / RingFormat.slotSize
        var copy: DiskFile?
        for index in 0...maxIndex {
            guard (try? rows.step()) == true else { return }
            var proof = rows.bytes(4)
            proof += [UInt8](repeating: 0, count: RingFormat.proofSize - proof.count)
            let row = RingPage(
                slot: max(0, rows.integer(0)),
                storedSequence: rows.integer(1),
                storedEnd: rows.integer(2),
                sealed: rows.bytes(3),
                proof: proof
            )
            copy = copy ?? (try? DiskFile(free, makes: true))
            try? copy?.write(row.bytes, at: index * RingFormat.pageSize, durable: false)
        }
    }

    init(_ path: String, _ reason: Reason) {
        (self.path, self.reason) = (path, reason)
        if Disk.exists(path) { Disk.makeReadable(path) }
        file = try? DiskFile(path)
        size = file?.size ?? 0
        Disk.makeReadable(path + "-wal")
        logged = Self.rows(ofLog: path + "-wal")
        if logged.map({ $0.rows.isEmpty && $0.earlier.isEmpty }) == true {
            logged = nil
            Disk.remove(path + "-wal")
        }
    }

    /// Whether nothing is left of it.
    var isEmpty: Bool { size == 0 && logged == nil }

    /// Returns the contents of the next pages from the end; ``cut(_:)`` must follow.
    mutating func take(_ count: Int) -> Found {
        if let logged { return logged }
        let start = max(0, size - count * RingFormat.pageSize) / RingFormat.pageSize
        var found = Found()
        for index in (start..<start + count).reversed() {
            let offset = index * RingFormat.pageSize
            guard offset < size, let bytes = file?.read(at: offset, count: RingFormat.pageSize)
            else {
                continue
            }
            guard bytes.count == RingFormat.pageSize else {
                found.unreadable.append(bytes)
                continue
            }
            // A row is a few pages further than its slot: the first page, the schema and the tree
            // precede it.
            found.add(bytes, isFirst: index == 0, slots: slots(near: index))
        }
        return found
    }

    /// Slots that a page's row may have when its own number is unreadable.
    private func slots(near index: Int) -> [Int] {
        // The neighbouring pages show it, because the rows were created one after the other.
        for step in [1, 2] {
            let (before, after) = (slot(ofPage: index - step), slot(ofPage: index + step))
            if let before { return [before + step] }
            if let after, after >= step { return [after - step] }
        }
        return []
    }

    private func slot(ofPage index: Int) -> Int? {
        guard index >= 0,
            let bytes = file?.read(
                at: index * RingFormat.pageSize,
                count: RingFormat.pageSize
            ), bytes.count == RingFormat.pageSize
        else { return nil }
        return RingPage(bytes)?.slot.flatMap { Int(exactly: $0) }
    }

    /// Cuts off the pages that the last ``take(_:)`` returned.
    mutating func cut(_ count: Int) {
        if logged != nil {
            logged = nil
            Disk.remove(path + "-wal")
        } else {
            size =
                max(0, size - count * RingFormat.pageSize) / RingFormat.pageSize
                * RingFormat.pageSize
            try? file?.truncate(to: size)
        }
        if isEmpty { Disk.remove(path) }
    }

    /// Whether a page without a readable row may be a damaged row.
    private static func mayHoldBatch(_ page: [UInt8], isFirst: Bool) -> Bool {
        if let row = RingPage(page), row.sequence == 0 || row.sealed.isZero { return false }
        let isTree = page.first.map { [0, 2, 5, 10].contains($0) } ?? true
        let isMeta = page.first == 13 && page.count > 4 && page[4] > 1
        return !isFirst && !isTree && !isMeta
    }

    /// Reads the rows of a write-ahead log, the newest first; nil when there is no log.
    private static func rows(ofLog path: String) -> Found? {
        guard let size = Disk.size(path) else { return nil }
        guard let file = try? DiskFile(path) else { return Found() }
        return rows(ofLog: size) { file.read(at: $0, count: $1) }
    }

    /// Reads the rows of a write-ahead log, the newest first.
    ///
    /// Frames of an earlier round of the log, which have other salts, are skipped. The format is
    /// SQLite's "WAL-mode File Format".
    ///
    /// - Parameters:
    ///   - size: of the log, in bytes.
    ///   - read: reads a number of bytes at an offset, and returns fewer when it cannot.
    /// - Returns: the rows that may hold a batch.
    static func rows(ofLog size: Int, read: (Int, Int) -> [UInt8]) -> Found {
        guard size > 32 else { return Found() }
        let header = read(0, 32)
        let isWhole = header.count == 32 && header.starts(with: [0x37, 0x7F, 0x06])
        let frame = 24 + RingFormat.pageSize
        var salts = isWhole ? Array(header[16..<24]) : nil
        var frames: [[UInt8]] = []
        for offset in stride(from: 32, through: size - frame, by: frame) {
            // No recorder writes a log of that length.
            guard frames.count < 2 * RingFormat.maxFrames else { break }
            let bytes = read(offset, frame)
            guard bytes.count == frame else { break }
            let found = Array(bytes[8..<16])
            salts = salts ?? found
            if found == salts { frames.append(Array(bytes[24...])) }
        }
        var found = Found()
        for page in frames.reversed() where RingPage(page) != nil || RingPage(page, .before) != nil
        {
            found.add(page, isFirst: false, slots: [])
        }
        return found
    }
}
