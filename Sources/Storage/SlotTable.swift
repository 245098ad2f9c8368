// SPDX-License-Identifier: Apache-2.0

/// The state of every slot, and which one is the oldest.
///
/// It is kept in memory, so that storing costs the same in a small ring and in a large one.
struct SlotTable {
    /// The contents of a slot: sequence number 0 means empty, a number without an end means a
    /// tombstone.
    ///
    /// A damaged row has no known number or end: its number is the one by which its turn comes.
    struct Entry: Equatable {
        var sequence: Int64 = 0
        var end: Int64 = 0
        var trust = Trust.unchecked

        var isEmpty: Bool { sequence == 0 && trust != .damaged }
        var isBatch: Bool { sequence > 0 && end > 0 && trust != .damaged }
        var isNote: Bool { sequence > 0 && end == 0 && trust != .damaged }
        var isDamaged: Bool { trust == .damaged }

        /// The position in the order in which rows are evicted.
        fileprivate var turn: Int64 { isDamaged && sequence == 0 ? .max : sequence }

        /// Whether both have the same contents, whatever their trust.
        func holdsSame(as other: Entry) -> Bool {
            (sequence, end, isDamaged) == (other.sequence, other.end, other.isDamaged)
        }
    }

    /// The state of a row's proof.
    enum Trust: UInt8 {
        case unchecked
        case proven
        case damaged
    }

    private(set) var entries: [Entry]
    /// The highest sequence number; 0 when all slots are empty.
    private(set) var newest: Int64 = 0
    private var newestSlot: Int?
    /// The slots in eviction order from `turn` on, empty ones first; nil when unknown.
    ///
    /// A new batch in the oldest slot only advances `turn`.
    private var wheel: [Int]?
    private var turn = 0
    /// The earliest end in age time and its slot; nil when unknown.
    private var earliest: (end: Int64, slot: Int)?

    init(_ entries: [Entry]) {
        self.entries = entries
        findNewest()
    }

    private mutating func findNewest() {
        damagedCount = entries.count { $0.isDamaged }
        newestSlot = nil
        for slot in entries.indices where !entries[slot].isDamaged {
            guard let known = newestSlot else {
                newestSlot = slot
                continue
            }
            if entries[slot].sequence >= entries[known].sequence { newestSlot = slot }
        }
        newest = newestSlot.map { entries[$0].sequence } ?? 0
    }

    /// The damaged slots.
    var damaged: [Int] { damagedCount == 0 ? [] : entries.indices.filter { entries[$0].isDamaged } }

    private(set) var damagedCount = 0

    /// Changes whenever the contents of a slot change.
    private(set) var generation = 0

    /// The first slot from a given one on whose proof is unchecked.
    func firstUnchecked(from slot: Int) -> Int? {
        entries[slot...].firstIndex { $0.sequence > 0 && $0.trust == .unchecked }
    }

    var count: Int { entries.count }

    var batches: some Sequence<Entry> { entries.lazy.filter(\.isBatch) }

    /// The slot to evict next, an empty one if there is one; nil without any slot.
    mutating func oldest() -> Int? {
        guard !entries.isEmpty else { return nil }
        if wheel == nil {
            wheel = entries.indices.sorted { entries[$0].turn < entries[$1].turn }
            turn = 0
        }
        return wheel?[turn]
    }

    /// The slots that claim a number: one at most, unless the ring is damaged.
    func slots(of sequence: Int64) -> [Int] {
        if sequence == newest { return newestSlot.map { [$0] } ?? [] }
        guard sequence < newest else { return [] }
        return entries.indices.filter {
            entries[$0].sequence == sequence && !entries[$0].isDamaged
        }
    }

    /// Appends a slot.
    mutating func add(_ entry: Entry) {
        entries.append(entry)
        if entry.isDamaged { damagedCount += 1 }
        generation += 1
        (wheel, earliest) = (nil, nil)
        noteNewest(entries.count - 1)
    }

    /// Replaces the contents of a slot.
    mutating func set(_ slot: Int, _ entry: Entry) {
        let isTurn = wheel?[turn] == slot && entry.sequence > newest
        let before = entries[slot]
        let isSame = before.sequence == entry.sequence
        entries[slot] = entry
        generation += 1
        damagedCount += (entry.isDamaged ? 1 : 0) - (before.isDamaged ? 1 : 0)
        // The later end of a newer batch cannot be the earliest.
        if let known = earliest,
            slot == known.slot || entry.end < known.end || entry.sequence < newest
        {
            earliest = nil
        }
        if isTurn { turn = (turn + 1) % count } else if !isSame { wheel = nil }
        if slot == newestSlot, entry.isDamaged || entry.sequence < newest { return findNewest() }
        noteNewest(slot)
    }

    /// Marks the proof of a slot's row as valid.
    mutating func trust(_ slot: Int) { entries[slot].trust = .proven }

    /// Marks a slot's row as damaged; it is evicted by `number`, or last when that is 0.
    mutating func distrust(_ slot: Int, turn number: Int64) {
        set(slot, Entry(sequence: number, trust: .damaged))
        wheel = nil
    }

    private mutating func noteNewest(_ slot: Int) {
        guard entries[slot].sequence > newest, !entries[slot].isDamaged else { return }
        (newest, newestSlot) = (entries[slot].sequence, slot)
    }

    /// The earliest end of all batches, in age time.
    ///
    /// - Parameter age: converts a batch's sequence number and end to age time.
    /// - Returns: milliseconds in age time; nil without a batch.
    mutating func earliestEnd(_ age: (UInt64, Int64) -> Int64) -> Int64? {
        if let earliest { return earliest.end }
        for slot in entries.indices where entries[slot].isBatch {
            let entry = entries[slot]
            let end = age(UInt64(entry.sequence), entry.end)
            if end < earliest?.end ?? .max { earliest = (end, slot) }
        }
        return earliest?.end
    }

    /// Discards the cached earliest end, because ages are now computed differently.
    mutating func forgetEarliest() { earliest = nil }
}
