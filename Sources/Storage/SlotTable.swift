// SPDX-License-Identifier: Apache-2.0

/// What each slot of the ring holds, and which is the oldest: kept in memory, so that storing costs the
/// same in a small ring and in a large one.
struct SlotTable {
    /// What a slot holds; number 0 is nothing, a number without an end is a tombstone.
    struct Entry: Equatable {
        var sequence: Int64 = 0
        var end: Int64 = 0

        var isBatch: Bool { sequence > 0 && end > 0 }
    }

    private(set) var entries: [Entry]
    /// The highest number; 0 when all is empty.
    private(set) var newest: Int64
    private var newestSlot: Int?
    /// The slots in the order of their numbers, empty ones first, from `turn` on; nil when unknown.
    ///
    /// A new batch in the place of the oldest only turns the wheel.
    private var wheel: [Int]?
    private var turn = 0
    /// The earliest end and its slot; nil when unknown.
    private var earliest: (end: Int64, slot: Int)?

    init(_ entries: [Entry]) {
        self.entries = entries
        newestSlot = entries.indices.max { entries[$0].sequence < entries[$1].sequence }
        newest = newestSlot.map { entries[$0].sequence } ?? 0
    }

    var count: Int { entries.count }

    var batches: some Sequence<Entry> { entries.lazy.filter(\.isBatch) }

    /// The slot with the lowest number, an empty one where there is one; nil without any slot.
    mutating func oldest() -> Int? {
        guard !entries.isEmpty else { return nil }
        if wheel == nil {
            wheel = entries.indices.sorted { entries[$0].sequence < entries[$1].sequence }
            turn = 0
        }
        return wheel?[turn]
    }

    /// The slots in which a number stands: one, but for damage.
    func slots(of sequence: Int64) -> [Int] {
        if sequence == newest { return newestSlot.map { [$0] } ?? [] }
        return sequence > newest ? [] : entries.indices.filter { entries[$0].sequence == sequence }
    }

    /// All slots by their numbers.
    func index() -> [Int64: [Int]] {
        Dictionary(grouping: entries.indices) { entries[$0].sequence }
    }

    /// Adds a slot behind the others.
    mutating func add(_ entry: Entry) {
        entries.append(entry)
        (wheel, earliest) = (nil, nil)
        noteNewest(entries.count - 1)
    }

    /// Puts something else into a slot.
    mutating func set(_ slot: Int, _ entry: Entry) {
        let isTurn = wheel?[turn] == slot && entry.sequence > newest
        let isSame = entries[slot].sequence == entry.sequence
        entries[slot] = entry
        // A later end of a newer batch is not the earliest.
        if let known = earliest,
            slot == known.slot || entry.end < known.end || entry.sequence < newest
        {
            earliest = nil
        }
        if isTurn { turn = (turn + 1) % count } else if !isSame { wheel = nil }
        noteNewest(slot)
    }

    private mutating func noteNewest(_ slot: Int) {
        guard entries[slot].sequence > newest else { return }
        (newest, newestSlot) = (entries[slot].sequence, slot)
    }

    /// The end of a batch as its age counts, the smallest of all.
    ///
    /// - Parameter bound: the latest end that a batch can have had, where that is known.
    /// - Returns: milliseconds since 1970; nil without a batch.
    mutating func earliestEnd(_ bound: (UInt64) -> Int64?) -> Int64? {
        if let earliest { return earliest.end }
        for slot in entries.indices where entries[slot].isBatch {
            let entry = entries[slot]
            let end = min(entry.end, bound(UInt64(entry.sequence)) ?? .max)
            if end < earliest?.end ?? .max { earliest = (end, slot) }
        }
        return earliest?.end
    }

    /// The bound of the ends has changed.
    mutating func forgetEarliest() { earliest = nil }
}
