// SPDX-License-Identifier: Apache-2.0

/// The numbers of the ring's file.
package enum RingFormat {
    /// "MCID".
    static let applicationID: Int64 = 0x4D43_4944
    static let version: Int64 = 1
    static let pageSize = 4096
    /// Sequence numbers and times are stored above 2^40, so that every value has the same width and
    /// an update overwrites in place.
    static let origin: Int64 = 1 << 40
    /// Bytes of one sealed batch: with its row a page is full.
    package static let slotSize = 4037
    /// The write-ahead log never has more frames.
    static let mostFrames = 256
    /// Slots that are erased in one commit.
    static let mostErased = 200
    /// The log with that many frames: header and, for each, a header and a page.
    static let logSize = 32 + mostFrames * (24 + pageSize)
    /// The shared-memory index beside the log.
    static let indexSize = 32 * 1024
    /// The smallest cap that leaves room for work.
    package static let smallestCap = 2 << 20
    /// The cap where nobody chose another, in bytes.
    package static let defaultCap = 64 << 20

    /// The slots that fit a cap of all files together, in bytes.
    package static func slots(cap: Int) -> Int {
        let pages = (max(cap, smallestCap) - logSize - indexSize) / pageSize
        // A leaf page each, an interior page for some 400 of them, and the schema.
        return pages - pages / 300 - 8
    }

    static let schema = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        CREATE TABLE ring(
          slot   INTEGER PRIMARY KEY,
          seq    INTEGER NOT NULL,
          t_end  INTEGER NOT NULL,
          sealed BLOB NOT NULL
        ) STRICT;
        """
}
