// SPDX-License-Identifier: Apache-2.0

import Packing
import Storage
package import Timeline

/// The sealed ring as the virtual tables see it; no other file of the module knows ring, seal or
/// batch.
///
/// Upstream: the ring and the person's keys. Downstream: scans. Promise: a batch is opened only on
/// request, and all cursors that are open at the same time see the same batches.
package final class BatchSource {
    private let path: String
    fileprivate let opener: BatchOpener
    /// The listing that the currently open cursors share.
    private weak var shared: Listing?

    /// Whether the query has exceeded its time.
    var isOver: () -> Bool = { false }
    /// The number of batches opened so far, for tests.
    package fileprivate(set) var openings = 0
    /// Sequence numbers of the batches that did not open because they were sealed to another key.
    package fileprivate(set) var foreign: Set<UInt64> = []
    /// Sequence numbers of the batches that did not open because they are damaged or in a wrong
    /// slot.
    package fileprivate(set) var damaged: Set<UInt64> = []

    /// Makes a source, which opens the ring with the first cursor.
    ///
    /// - Parameters:
    ///   - path: of the ring's file.
    ///   - identities: the person's keys.
    package init(path: String, identities: [Identity]) {
        self.path = path
        opener = BatchOpener(identities)
    }

    /// Lists the batches stored now, or returns the listing that open cursors share.
    func listing() throws -> Listing {
        if let shared { return shared }
        let listing = Listing(self, try RingReader(path: path))
        try listing.read()
        shared = listing
        return listing
    }
}

/// The batches stored at one moment, oldest first, and access to each.
final class Listing {
    /// The result of opening a batch.
    enum Opened {
        /// It opened.
        case whole(OpenedBatch)
        /// It was sealed to another key.
        case foreign
        /// It is damaged, or its slot is not its own.
        case damaged
        /// Another batch took its slot after the listing was made.
        case gone
    }

    private let source: BatchSource
    private let ring: RingReader
    private var entries: [RingReader.Entry] = []
    /// The last two batches that were opened: cursors that are joined ask for the same ones.
    private var recent: [(index: Int, opened: Opened)] = []

    fileprivate init(_ source: BatchSource, _ ring: RingReader) {
        self.source = source
        self.ring = ring
    }

    fileprivate func read() throws { entries = try ring.settledEntries(source.opener) }

    var count: Int { entries.count }

    /// The sequence number of a batch, as far as it is known before the batch is opened.
    func sequence(_ index: Int) -> Int64 { Int64(clamping: entries[index].sequence) }

    /// The end of a batch in milliseconds since 1970, rounded up to the minute.
    func end(_ index: Int) -> Int64 { entries[index].end }

    /// The index of the next batch that may hold a wanted row; ``count`` when there is none.
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
    /// - Returns: the batch, or why it did not open.
    /// - Throws: `StorageError` when the ring cannot be read, ``QueryError`` when the time is up.
    func open(_ index: Int) throws -> Opened {
        if source.isOver() {
            throw QueryError(code: .tooLong, description: "The query took too long.")
        }
        if let known = recent.first(where: { $0.index == index }) { return known.opened }
        let opened = try reallyOpen(entries[index])
        if recent.count == 2 { recent.removeFirst() }
        recent.append((index, opened))
        return opened
    }

    private func reallyOpen(_ entry: RingReader.Entry) throws -> Opened {
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
