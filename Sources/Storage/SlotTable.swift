// SPDX-License-Identifier: Apache-2.0

/// What each slot of the ring holds, and which is the oldest: kept in memory, so that storing costs the
/// same in a small ring and in a large one.
struct SlotTable {
    /// What a slot holds; number 0 is nothing, a number without an end is a note.
    ///
    /// Of a damaged row nobody knows number and end: it has the number by which its turn comes.
    struct Entry: Equatable {
        var sequence: Int64 = 0
        var end: Int64 = 0
        var trust = Trust.unchecked

        var isEmpty: Bool { sequence == 0 && trust != .damaged }
        var isBatch: Bool { sequence > 0 && end > 0 && trust != .damaged }
        var isNote: Bool { sequence > 0 && end == 0 && trust != .damaged }
        var isDamaged: Bool { trust == .damaged }

        /// Where it stands in the order in which rows give way to new ones.
        fileprivate var turn: Int64 { isDamaged && sequence == 0 ? .max : sequence }

        /// Whether the same stands in both, believed or not.
        func holdsSame(as other: Entry) -> Bool {
            (sequence, end, isDamaged) == (other.sequence, other.end, other.isDamaged)
        }
    }

    /// What is known of a row's proof.
    enum Trust: UInt8 {
        case unchecked
        case proven
        case damaged
    }

    private(set) var entries: [Entry]
    /// The highest number; 0 when all is empty.
    private(set) var newest: Int64 = 0
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

    /// The slots that are damaged.
    var damaged: [Int] { damagedCount == 0 ? [] : entries.indices.filter { entries[$0].isDamaged } }

    private(set) var damagedCount = 0

    /// Changes with everything that stands in a slot.
    private(set) var generation = 0

    /// The first slot from one on whose proof was not checked.
    func firstUnchecked(from slot: Int) -> Int? {
        entries[slot...].firstIndex { $0.sequence > 0 && $0.trust == .unchecked }
    }

    var count: Int { entries.count }

    var batches: some Sequence<Entry> { entries.lazy.filter(\.isBatch) }

    /// The slot with the lowest number, an empty one where there is one; nil without any slot.
    mutating func oldest() -> Int? {
        guard !entries.isEmpty else { return nil }
        if wheel == nil {
            wheel = entries.indices.sorted { entries[$0].turn < entries[$1].turn }
            turn = 0
        }
        return wheel?[turn]
    }

    /// The slots that claim a number: one, but for damage.
    func slots(of sequence: Int64) -> [Int] {
        if sequence == newest { return newestSlot.map { [$0] } ?? [] }
        guard sequence < newest else { return [] }
        return entries.indices.filter {
            entries[$0].sequence == sequence && !entries[$0].isDamaged
        }
    }

    /// Adds a slot behind the others.
    mutating func add(_ entry: Entry) {
        entries.append(entry)
        if entry.isDamaged { damagedCount += 1 }
        generation += 1
        (wheel, earliest) = (nil, nil)
        noteNewest(entries.count - 1)
    }

    /// Puts something else into a slot.
    mutating func set(_ slot: Int, _ entry: Entry) {
        let isTurn = wheel?[turn] == slot && entry.sequence > newest
        let before = entries[slot]
        let isSame = before.sequence == entry.sequence
        entries[slot] = entry
        generation += 1
        damagedCount += (entry.isDamaged ? 1 : 0) - (before.isDamaged ? 1 : 0)
        // A later end of a newer batch is not the earliest.
        if let known = earliest,
            slot == known.slot || entry.end < known.end || entry.sequence < newest
        {
            earliest = nil
        }
        if isTurn { turn = (turn + 1) % count } else if !isSame { wheel = nil }
        if slot == newestSlot, entry.isDamaged || entry.sequence < newest { return findNewest() }
        noteNewest(slot)
    }

    /// The proof of a slot's row was found good.
    mutating func trust(_ slot: Int) { entries[slot].trust = .proven }

    /// The slot's row was found damaged; its turn comes with a number, or last of all.
    mutating func distrust(_ slot: Int, turn number: Int64) {
        set(slot, Entry(sequence: number, trust: .damaged))
        wheel = nil
    }

    private mutating func noteNewest(_ slot: Int) {
        guard entries[slot].sequence > newest, !entries[slot].isDamaged else { return }
        (newest, newestSlot) = (entries[slot].sequence, slot)
    }

    /// The end of a batch as its age counts, the smallest of all.
    ///
    /// - Parameter age: the end of a batch in age time, from its number and its end.
    /// - Returns: age time; nil without a batch.
    mutating func earliestEnd(_ age: (UInt64, Int64) -> Int64) -> Int64? {
        if let earliest { return earliest.end }
        for slot in entries.indices where entries[slot].isBatch {
            let entry = entries[slot]
            let end = age(UInt64(entry.sequence), entry.end)
            if end < earliest?.end ?? .max { earliest = (end, slot) }
        }
        return earliest?.end
    }

    /// Ages are reckoned otherwise now.
    mutating func forgetEarliest() { earliest = nil }
}
