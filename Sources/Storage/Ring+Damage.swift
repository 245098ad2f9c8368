// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing

/// What is known of rows whose proof fails, and how they are found.
///
/// Proofs are checked where a decision needs them, and the rest step by step after an opening:
/// checking takes three times as long as signing.
extension Ring {
    /// Sentences about the ring that the person should see.
    ///
    /// - Parameter isKnown: whether the person has acknowledged the incident of that name.
    /// - Returns: English sentences; empty when all is well.
    package func notices(_ isKnown: (String) -> Bool) -> [String] {
        var notices = head.incidents.filter { !isKnown($0.name) }.map(\.kind.words)
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if slots.damagedCount > 0 {
            notices.append(
                "Rows of the ring are damaged: \(slots.damagedCount). Their contents are kept."
            )
        }
        notices = notices.map { $0 + " See: mcictl verify" }
        if let earlier {
            notices.append(
                "A recording of an earlier version is kept until it expires "
                    + "(\(earlier.count) batches): mcictl log --ring \(EarlierRing.path(path))"
            )
        }
        return notices
    }

    /// A discovery about the ring or its files, to be reported once.
    package enum Finding: Equatable, Sendable {
        /// The number of rows whose proof fails; they are kept.
        case damagedRows(Int)
        /// Files of the ring were reset to an older state, removed or lost.
        case incident(RingHead.Incident.Kind)
        /// Pages around the rows were damaged and have been rebuilt.
        case mended
        /// A ring of the previous version was set aside.
        case earlierVersion
    }

    // MARK: Checking

    /// Whether ``checkStep()`` has work to do.
    package var isChecking: Bool { checking != nil && rebuilding == nil }

    /// Checks the proofs of at most ``RingFormat/maxProven`` rows, which takes some milliseconds.
    ///
    /// - Throws: ``StorageError``.
    package func checkStep() throws(StorageError) {
        guard let from = checking, rebuilding == nil else { return }
        let damagedBefore = slots.damagedCount
        var next = from
        try assignTogether { () throws(StorageError) in
            for _ in 0..<RingFormat.maxProven {
                guard let slot = slots.firstUnchecked(from: next) else {
                    checking = nil
                    break
                }
                _ = try check(slot)
                next = slot + 1
            }
        }
        if checking != nil { checking = next }
        if slots.damagedCount > damagedBefore {
            report(.damagedRows(slots.damagedCount - damagedBefore))
        }
        if checking == nil { try settleLosses() }
    }

    /// Completes a rebuilding and checks every proof that is still unchecked.
    ///
    /// - Throws: ``StorageError``.
    package func checkToEnd() throws(StorageError) {
        try rebuildToEnd()
        while isChecking { try checkStep() }
    }

    /// Handles the rows that are damaged even without a look at their proof.
    func settleImpossible() throws(StorageError) {
        try assignTogether { () throws(StorageError) in
            for slot in slots.damaged {
                guard let row = try file.row(slot) else { throw StorageError(.damaged) }
                try distrust(slot, row)
            }
        }
        if slots.damagedCount > 0 { report(.damagedRows(slots.damagedCount)) }
    }

    /// Checks the proof of a slot's row, unless that was done before.
    ///
    /// - Returns: whether its number and end are credible.
    func check(_ slot: Int) throws(StorageError) -> Bool {
        let entry = slots.entries[slot]
        switch entry.trust {
        case .proven: return true
        case .damaged: return entry.sequence > 0
        case .unchecked: break
        }
        if entry.isEmpty { return true }
        guard let row = try file.row(slot) else { throw StorageError(.damaged) }
        if row.entry.holdsSame(as: entry), isProven(row, slot) {
            slots.trust(slot)
            return true
        }
        try distrust(slot, row)
        return false
    }

    /// Whether this recorder signed exactly this row for exactly this slot.
    func isProven(_ row: RingPage, _ slot: Int) -> Bool {
        RowProof.isValid(row.proof, key.verifier, head.ringID, slot, row.entry, row.sealed)
    }

    /// Marks a row as damaged; one with only zeros as content is emptied at once.
    func distrust(_ slot: Int, _ row: RingPage) throws(StorageError) {
        slots.distrust(slot, turn: 0)
        if row.sealed.isZero {
            try file.write([.empty(slot)])
            slots.set(slot, .init())
            return report(.mended)
        }
        unassigned.append(slot)
        try assignTogether {}
    }

    /// Runs a check, and only then determines what the rows found damaged may be.
    ///
    /// That step checks the proofs of other rows, which may be damaged as well.
    func assignTogether(_ check: () throws(StorageError) -> Void) throws(StorageError) {
        if isPlacing { return try check() }
        isPlacing = true
        defer { isPlacing = false }
        defer { assignSlots() }
        try check()
    }

    private func assignSlots() {
        while !unassigned.isEmpty {
            let found = unassigned
            unassigned = []
            var assignments: [(slot: Int, turn: Int64)] = []
            for slot in found where slots.entries[slot].isDamaged {
                let numbers = possibleNumbers(of: slot)
                if numbers == nil || head.end == 0, head.found == 0 {
                    head.found = head.clock.now
                }
                assignments.append((slot, Int64(clamping: numbers?.upperBound ?? 0)))
            }
            for assignment in assignments where slots.entries[assignment.slot].isDamaged {
                slots.distrust(assignment.slot, turn: assignment.turn)
            }
        }
    }

    /// Reports a finding once until ``takeFindings()``.
    func report(_ finding: Finding) {
        if !findings.contains(finding) { findings.append(finding) }
    }

    /// Records an incident in the head and reports it.
    func note(_ incident: RingHead.Incident.Kind, _ numbers: ClosedRange<UInt64>? = nil) {
        head.add(
            RingHead.Incident(
                kind: incident,
                at: setting.clocks.wall,
                first: numbers?.lowerBound ?? 0,
                last: numbers?.upperBound ?? 0
            )
        )
        report(.incident(incident))
    }

    // MARK: What a damaged row may be

    /// Sequence numbers that should be there and that no row claims, in order.
    var missing: [ClosedRange<UInt64>] {
        let state = (slots.generation, head.first, head.newest)
        if let known = knownMissing, known.state == state { return known.numbers }
        let numbers = findMissing()
        knownMissing = (state, numbers)
        return numbers
    }

    private func findMissing() -> [ClosedRange<UInt64>] {
        guard head.newest > 0, head.first <= head.newest else { return [] }
        let present = slots.entries.lazy.filter { $0.sequence > 0 && !$0.isDamaged }
            .map { UInt64($0.sequence) }
            .filter { [head] in head.first <= $0 && $0 <= head.newest }
        var missing: [ClosedRange<UInt64>] = []
        var next = head.first
        for number in present.sorted() {
            if number > next { missing.append(next...number - 1) }
            next = max(next, number + 1)
        }
        if next <= head.newest { missing.append(next...head.newest) }
        return missing
    }

    /// The numbers that a damaged row can have; nil when nothing is known.
    ///
    /// Proven neighbours may leave exactly one number; otherwise it is any of the missing ones.
    func possibleNumbers(of slot: Int) -> ClosedRange<UInt64>? {
        let missing = missing
        if let number = numberBetweenNeighbours(of: slot),
            missing.contains(where: { $0.contains(number) })
        {
            return number...number
        }
        guard let first = missing.first, let last = missing.last else { return nil }
        return first.lowerBound...last.upperBound
    }

    /// Whether a row's proof is valid, without marking the row as damaged when it is not.
    ///
    /// Such a row is handled in its own turn. Otherwise one damaged row after another would be
    /// handled now.
    private func isSound(_ slot: Int) -> Bool {
        if slots.entries[slot].trust == .proven { return true }
        guard let row = try? file.row(slot), row.entry.holdsSame(as: slots.entries[slot]),
            isProven(row, slot)
        else { return false }
        slots.trust(slot)
        return true
    }

    /// The number that the two proven rows around a slot leave for it.
    ///
    /// Rows are in the order of their numbers: ascending as written, descending as moved by a
    /// rebuilding.
    private func numberBetweenNeighbours(of slot: Int) -> UInt64? {
        func neighbour(_ step: Int) -> (number: Int64, distance: Int64)? {
            var distance = 1
            while distance <= 3 {
                let index = slot + step * distance
                guard slots.entries.indices.contains(index) else { return nil }
                let entry = slots.entries[index]
                if entry.sequence > 0, !entry.isDamaged {
                    guard isSound(index) else { return nil }
                    return (entry.sequence, Int64(distance))
                }
                distance += 1
            }
            return nil
        }
        let (before, after) = (neighbour(-1), neighbour(1))
        var guesses: Set<Int64> = []
        if let before, let after {
            let gap = before.distance + after.distance
            if after.number - before.number == gap {
                guesses = [before.number + before.distance]
            } else if before.number - after.number == gap {
                guesses = [after.number + after.distance]
            }
        }
        return guesses.first.flatMap { UInt64(exactly: $0) }
    }

    /// The latest end that a damaged row can have, in age time; nil when nothing bounds it.
    func upperAge(of slot: Int) -> Int64? {
        guard let numbers = possibleNumbers(of: slot) else { return nil }
        if let next = nearest(above: numbers.upperBound) {
            return head.clock.ageEnd(UInt64(next.sequence), next.end)
        }
        guard head.end > 0 else { return nil }
        return head.clock.ageEnd(head.newest, head.end)
    }

    /// The wall times at which a damaged row can have ended; nil when nothing bounds them.
    func span(of slot: Int) -> ClosedRange<Int64>? {
        guard let numbers = possibleNumbers(of: slot), let upper = upperAge(of: slot) else {
            return nil
        }
        let before = nearest(below: numbers.lowerBound)
        let lower = before.map {
            head.clock.ageEnd(UInt64($0.sequence), $0.end) - SealedBatch.rounding
        }
        return head.clock.wall(min(lower ?? .min, upper)...upper, of: numbers)
    }

    private func nearest(above number: UInt64) -> SlotTable.Entry? {
        nearest {
            $0 > number
        } isBetter: {
            $0 < $1
        }
    }

    private func nearest(below number: UInt64) -> SlotTable.Entry? {
        nearest {
            $0 < number
        } isBetter: {
            $0 > $1
        }
    }

    /// The best batch by `isBetter` whose proof is valid.
    private func nearest(
        where isWanted: (UInt64) -> Bool,
        isBetter: (Int64, Int64) -> Bool
    ) -> SlotTable.Entry? {
        while true {
            var best: Int?
            for (slot, entry) in slots.entries.enumerated()
            where entry.isBatch && isWanted(UInt64(entry.sequence))
                && UInt64(entry.sequence) <= head.newest
                && best.map({ isBetter(entry.sequence, slots.entries[$0].sequence) }) ?? true
            {
                best = slot
            }
            guard let best else { return nil }
            let entry = slots.entries[best]
            if (try? check(best)) == true { return entry }
            // A row that cannot be read now is not a neighbour, and the search ends here.
            if !slots.entries[best].isDamaged { return nil }
        }
    }

    /// The number for the tombstone of an erased damaged row: a missing one that the row can have.
    ///
    /// - Parameters:
    ///   - slot: of the damaged row.
    ///   - others: rows that are about to be written.
    /// - Returns: nil when no number is missing.
    func number(ofErased slot: Int, _ others: [RingFile.Row]) -> UInt64? {
        let taken = Set(others.map { UInt64($0.entry.sequence) })
        guard let possible = possibleNumbers(of: slot) else { return nil }
        for range in missing {
            let clamped = range.clamped(to: possible)
            guard range.overlaps(possible) else { continue }
            if let free = clamped.prefix(taken.count + 1).first(where: { !taken.contains($0) }) {
                return free
            }
        }
        return nil
    }

    // MARK: Losses

    /// Determines which batches are finally missing, once every proof was checked.
    ///
    /// A damaged row may be any missing batch; only what is missing beyond that was lost.
    /// Tombstones for lost batches take empty slots and never the slot of a batch.
    func settleLosses() throws(StorageError) {
        let before = head
        raiseFirst()
        let missing = missing
        let count = missing.reduce(UInt64(0)) { $0 + ($1.upperBound - $1.lowerBound) + 1 }
        guard count > UInt64(slots.damagedCount) else { return finishSettling(before) }
        var lost = missing
        for slot in slots.damaged {
            guard let numbers = possibleNumbers(of: slot),
                numbers.lowerBound == numbers.upperBound
            else { continue }
            lost = lost.flatMap { $0.without(numbers.lowerBound) }
        }
        if let first = lost.first, let last = lost.last {
            losses += lost.map { loss($0) }
            note(.missing, first.lowerBound...last.upperBound)
        }
        let hasDoubt = slots.damaged.contains { slot in
            possibleNumbers(of: slot).map { $0.lowerBound < $0.upperBound } ?? true
        }
        if !hasDoubt { try writeTombstones(lost.last(slots.entries.count { $0.isEmpty }), .lost) }
        finishSettling(before)
    }

    /// Raises the lowest expected number: batches that a full ring has evicted were not lost.
    private func raiseFirst() {
        let numbers = slots.entries.lazy.filter { $0.sequence > 0 && !$0.isDamaged }.map(\.sequence)
        guard let oldest = numbers.min().map({ UInt64($0) }) else { return }
        let isFull = !slots.entries.contains { $0.isEmpty || $0.isDamaged }
        if isFull, oldest <= head.newest { head.first = max(head.first, oldest) }
    }

    private func finishSettling(_ before: RingHead) {
        let notes = UInt64(slots.entries.count { $0.isNote })
        if notes < head.notes { note(.putBack) }
        head.notes = notes
        if head != before { writeHead() }
    }

    private func loss(_ numbers: ClosedRange<UInt64>) -> Loss {
        let (before, after) = (
            nearest(below: numbers.lowerBound), nearest(above: numbers.upperBound)
        )
        let start =
            before?.end ?? (after?.end ?? head.end).subtractingSaturated(SealedBatch.maxSpan)
        return Loss(
            batches: Int(clamping: numbers.upperBound - numbers.lowerBound) + 1,
            stretch: start...max(start, after?.end ?? head.end)
        )
    }
}

extension [ClosedRange<UInt64>] {
    /// The highest numbers of all ranges, at most `count`, in order.
    fileprivate func last(_ count: Int) -> [UInt64] {
        var numbers: [UInt64] = []
        for range in reversed() {
            let room = UInt64(count - numbers.count)
            guard room > 0 else { break }
            let size = range.upperBound - range.lowerBound
            let first = size < room ? range.lowerBound : range.upperBound - room + 1
            numbers = [UInt64](first...range.upperBound) + numbers
        }
        return numbers
    }
}

extension ClosedRange<UInt64> {
    /// The parts of the range that remain without one number.
    fileprivate func without(_ number: UInt64) -> [ClosedRange<UInt64>] {
        guard contains(number) else { return [self] }
        var rest: [ClosedRange<UInt64>] = []
        if lowerBound < number { rest.append(lowerBound...number - 1) }
        if number < upperBound { rest.append(number + 1...upperBound) }
        return rest
    }
}

extension RingHead.Incident.Kind {
    /// What happened to the files, as an English sentence.
    package var words: String {
        switch self {
        case .putBack: "The ring was put back to an older state."
        case .ringGone: "The ring's file had been removed."
        case .headGone: "The ring's head had been removed or damaged."
        case .missing: "Batches were missing from the ring."
        }
    }
}
