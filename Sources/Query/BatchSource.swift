// SPDX-License-Identifier: Apache-2.0

import Packing
import Storage
package import Timeline

/// The sealed ring as the virtual tables see it; the only file of the module that knows the ring, the
/// seal and the batch.
///
/// Upstream: the ring and the person's keys. Downstream: scans. Promise: nothing is opened before it
/// is asked for, and every cursor that is open at the same time sees the same batches.
package final class BatchSource {
    private let path: String
    fileprivate let opener: BatchOpener
    /// The listing of the cursors that are open now.
    private weak var shared: Listing?

    /// Whether a query has taken its time.
    var isOver: () -> Bool = { false }
    /// How many batches were opened, for tests.
    package fileprivate(set) var openings = 0
    /// Numbers of the batches that did not open: sealed to another key.
    package fileprivate(set) var foreign: Set<UInt64> = []
    /// Numbers of the batches that did not open: damaged or not where they belong.
    package fileprivate(set) var damaged: Set<UInt64> = []

    /// A source that touches the ring when the first cursor is opened.
    ///
    /// - Parameters:
    ///   - path: of the ring's file.
    ///   - identities: the person's keys.
    package init(path: String, identities: [Identity]) {
        self.path = path
        opener = BatchOpener(identities)
    }

    /// The batches stored now, or those that other open cursors see.
    func listing() throws -> Listing {
        if let shared { return shared }
        let listing = Listing(self, try RingReader(path: path))
        try listing.read()
        shared = listing
        return listing
    }
}

/// The batches stored at one moment, oldest first, and the way to open each.
final class Listing {
    /// What became of a batch.
    enum Opened {
        case whole(OpenedBatch)
        case foreign
        case damaged
        /// Its slot was taken by another batch after the listing was made.
        case gone
    }

    private let source: BatchSource
    private let ring: RingReader
    private var entries: [RingReader.Entry] = []

    fileprivate init(_ source: BatchSource, _ ring: RingReader) {
        self.source = source
        self.ring = ring
    }

    fileprivate func read() throws { entries = try ring.settledEntries(source.opener) }

    var count: Int { entries.count }

    func sequence(_ index: Int) -> Int64 { Int64(clamping: entries[index].sequence) }

    /// The end of a batch in milliseconds since 1970, rounded up to the minute.
    func end(_ index: Int) -> Int64 { entries[index].end }

    /// The next batch that may hold a wanted row; ``count`` when there is none.
    func next(after index: Int, _ bounds: Bounds, reach: Int64) -> Int {
        var next = index + 1
        while next < count, !entries[next].isDoubtful,
            !bounds.mayTouch(sequence(next), end: end(next), reach: reach)
        {
            next += 1
        }
        return next
    }

    /// Opens a batch.
    ///
    /// - Parameter index: below ``count``.
    /// - Returns: the batch, or why there is none.
    /// - Throws: `StorageError` when the ring cannot be read.
    func open(_ index: Int) throws -> Opened {
        if source.isOver() {
            throw QueryError(code: .tooLong, description: "The query took too long.")
        }
        let entry = entries[index]
        guard let sealed = try ring.sealed(entry) else { return .gone }
        source.openings += 1
        switch source.opener.open(sealed) {
        case .opened(let batch) where batch.header.sequence == entry.sequence: return .whole(batch)
        case .foreign:
            source.foreign.insert(entry.sequence)
            return .foreign
        default:
            source.damaged.insert(entry.sequence)
            return .damaged
        }
    }
}
