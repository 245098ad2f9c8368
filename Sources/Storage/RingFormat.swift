// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The numbers of the ring's files.
package enum RingFormat {
    /// "MCID".
    static let applicationID: Int64 = 0x4D43_4944
    /// SQLite's `user_version`.
    static let version: Int64 = 3
    /// The version whose rows carried no proof: read, erased, and written no more.
    static let versionBefore: Int64 = 2
    package static let pageSize = 4096
    /// Numbers and times are stored above 2^40, so that every value has the same width and an update
    /// overwrites in place.
    package static let valueOffset: Int64 = 1 << 40
    /// The numbers that a batch can have.
    static let numbers: Range<Int64> = 1..<valueOffset
    /// The ends that a batch can have, in ms since 1970: to the year 5400 and more.
    static let ends: Range<Int64> = 1..<(1 << 47) - valueOffset
    /// Bytes of one sealed batch: with its row a page is full.
    package static let slotSize = Sealer.sealedSize
    /// Bytes of the signature of a row.
    static let proofSize = 64
    /// The write-ahead log never has more frames.
    static let maxFrames = 256
    /// Rows that are written in one commit.
    static let maxRowsPerCommit = 128
    /// Rows whose proofs are checked, or that are moved, in one go: some ten milliseconds.
    static let maxProven = 48
    /// The log with that many frames: header and, for each, a header and a page.
    static let logSize = 32 + maxFrames * (24 + pageSize)
    /// The shared-memory index beside the log.
    static let indexSize = 32 * 1024
    /// Pages of a damaged ring that are kept for an expert's eye.
    static let maxKeptPages = 32
    /// What a ring being rebuilt may take before the old one is cut by as much.
    private static let rebuildSize = (maxRowsPerCommit + 16) * pageSize
    /// All that is not pages of the ring, in bytes.
    static let overheadBytes = logSize + indexSize + maxKeptPages * pageSize + rebuildSize
    /// The smallest cap that leaves room for work.
    package static let smallestCap = 3 << 20
    /// The cap where nobody chose another, in bytes.
    package static let defaultCap = 64 << 20

    /// The slots that fit a cap of all files together, in bytes.
    package static func slots(cap: Int) -> Int {
        let pages = (max(cap, smallestCap) - overheadBytes) / pageSize
        // A leaf page each, an interior page for some 400 of them, and the schema.
        return pages - pages / 300 - 8
    }

    /// The end of a batch as it stands in a row: what no row can say becomes the nearest that can.
    static func storableEnd(_ end: Int64) -> Int64 {
        min(max(end, ends.lowerBound), ends.upperBound - 1)
    }

    /// The schema of version 2.
    static let schemaBefore = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        CREATE TABLE ring(
          slot   INTEGER PRIMARY KEY,
          seq    INTEGER NOT NULL,
          t_end  INTEGER NOT NULL,
          sealed BLOB NOT NULL
        ) STRICT;
        """

    static let schema = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        CREATE TABLE ring(
          slot   INTEGER PRIMARY KEY,
          seq    INTEGER NOT NULL,
          t_end  INTEGER NOT NULL,
          sealed BLOB NOT NULL,
          proof  BLOB NOT NULL
        ) STRICT;
        """
}
