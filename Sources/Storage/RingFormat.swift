// SPDX-License-Identifier: Apache-2.0

import Sealing

/// Constants of the ring's files.
package enum RingFormat {
    /// SQLite's `application_id`: "MCID".
    static let applicationID: Int64 = 0x4D43_4944
    /// SQLite's `user_version`.
    static let version: Int64 = 3
    /// The version whose rows carry no proof: it is read and erased, and no longer written.
    static let versionBefore: Int64 = 2
    /// SQLite's `page_size`, in bytes.
    package static let pageSize = 4096
    /// Offset added to stored numbers and times, so that all values have the same width.
    ///
    /// Because of it an update overwrites in place.
    package static let valueOffset: Int64 = 1 << 40
    /// The sequence numbers that a batch can have.
    static let numbers: Range<Int64> = 1..<valueOffset
    /// The ends that a batch can have, in milliseconds since 1970: beyond the year 5400.
    static let ends: Range<Int64> = 1..<(1 << 47) - valueOffset
    /// Bytes of one sealed batch; together with its row it fills a page.
    package static let slotSize = Sealer.sealedSize
    /// Bytes of a row's Ed25519 signature.
    static let proofSize = 64
    /// Maximum number of frames in the write-ahead log.
    static let maxFrames = 256
    /// Maximum number of rows written in one commit.
    static let maxRowsPerCommit = 128
    /// Maximum number of rows checked or moved in one step, which takes some ten milliseconds.
    static let maxProven = 48
    /// Bytes of a full log: its header, and for each frame a header and a page.
    static let logSize = 32 + maxFrames * (24 + pageSize)
    /// Bytes of the shared-memory index (`-shm`) beside the log.
    static let indexSize = 32 * 1024
    /// Maximum number of pages of damaged rings that are kept for an expert to examine.
    static let maxKeptPages = 32
    /// Bytes that a ring being rebuilt may take before the old one is cut by as much.
    private static let rebuildSize = (maxRowsPerCommit + 16) * pageSize
    /// Bytes of everything that is not a page of the ring.
    static let overheadBytes = logSize + indexSize + maxKeptPages * pageSize + rebuildSize
    /// The smallest cap that leaves room to work, in bytes.
    package static let smallestCap = 3 << 20
    /// The cap when none is configured, in bytes.
    package static let defaultCap = 64 << 20

    /// Computes how many slots fit into a cap.
    ///
    /// - Parameter cap: maximum size of all files together, in bytes.
    /// - Returns: the number of slots.
    package static func slots(cap: Int) -> Int {
        let pages = (max(cap, smallestCap) - overheadBytes) / pageSize
        // A leaf page per slot, an interior page for some 400 of them, and the schema.
        return pages - pages / 300 - 8
    }

    /// Clamps the end of a batch to the values that a row can store.
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

    /// The schema of the current version.
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
