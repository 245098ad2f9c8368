// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing

/// What is known of rows whose proof fails, and how they are found.
///
/// Proofs are checked where a decision needs them, and all of them little by little after an opening:
/// checking takes three times as long as signing.
extension Ring {
    /// What the person should know of the ring, in sentences.
    ///
    /// - Parameter isKnown: whether the person said of an incident, by its name, that it is known.
    /// - Returns: none where all is well.
    package func notices(_ isKnown: (String) -> Bool) -> [String] {
        var notices = head.incidents.filter { !isKnown($0.name) }.map(\.kind.words)
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if slots.damagedCount > 0 {
            notices.append(
                "Rows of the ring are damaged: \(slots.damagedCount). What is in them is kept."
            )
        }
        notices = notices.map { $0 + " See mcictl verify." }
        if let earlier {
            notices.append(
                "A recording of an earlier version is kept until it has reached its age "
                    + "(\(earlier.count) batches): mcictl log --ring \(EarlierRing.path(path))"
            )
        }
        return notices
    }

    /// Something found in the ring or its files, to be said once.
    package enum Finding: Equatable, Sendable {
        /// So many rows whose proof fails; they are kept.
        case damagedRows(Int)
        /// Files of the ring were put back, removed or lost.
        case incident(RingHead.Incident.Kind)
        /// Pages around the rows were damaged, and were made anew.
        case mended
        /// A ring of the version before was set aside.
        case earlierVersion
    }

    // MARK: Checking

    /// Whether ``checkStep()`` has something to do.
    package var isChecking: Bool { checking != nil && rebuilding == nil }

    /// Checks the proofs of some rows, which takes some milliseconds.
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

    /// Checks all that was not checked yet.
    ///
    /// - Throws: ``StorageError``.
    package func checkToEnd() throws(StorageError) {
        try rebuildToEnd()
        while isChecking { try checkStep() }
    }

    /// Looks at the rows that no proof is needed for to call them damaged.
    func settleImpossible() throws(StorageError) {
        try assignTogether { () throws(StorageError) in
            for slot in slots.damaged {
                guard let row = try file.row(slot) else { throw StorageError(.damaged) }
                try distrust(slot, row)
            }
        }
        if slots.damagedCount > 0 { report(.damagedRows(slots.damagedCount)) }
    }

    /// Checks the proof of a slot's row where that was not done yet.
    ///
    /// - Returns: whether it stands: then its number and end may be believed.
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

    /// Whether this recorder put just this into just this slot.
    func isProven(_ row: RingPage, _ slot: Int) -> Bool {
        RowProof.isValid(row.proof, key.verifier, head.ringID, slot, row.entry, row.sealed)
    }

    /// Notes that a row is damaged; one in which nothing stands is emptied at once.
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

    /// Checks rows, and finds out only then what those that were found damaged may be: to find out asks
    /// other rows for their proof, which may be damaged likewise.
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

    func report(_ finding: Finding) {
        if !findings.contains(finding) { findings.append(finding) }
    }

    /// Notes something for good and reports it.
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

    /// Numbers that should be there and that no row claims, in order.
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

    /// The numbers that a damaged row can have: the one between its neighbours where those are proven
    /// and leave just one, else any that is missing; nil when nothing is known.
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

    /// Whether a row's proof stands.
    ///
    /// One whose proof does not is found out in its turn, or one damaged row after the other would be now.
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
    /// Rows follow each other by their numbers, upwards as they are written and downwards as they are
    /// moved.
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

    /// The latest end, in age time, that a damaged row can have had; nil when nothing bounds it.
    func upperAge(of slot: Int) -> Int64? {
        guard let numbers = possibleNumbers(of: slot) else { return nil }
        if let next = nearest(above: numbers.upperBound) {
            return head.clock.ageEnd(UInt64(next.sequence), next.end)
        }
        guard head.end > 0 else { return nil }
        return head.clock.ageEnd(head.newest, head.end)
    }

    /// The stretch of wall time that a damaged row can have been recorded in, as its end may be; nil
    /// when nothing bounds it.
    func span(of slot: Int) -> ClosedRange<Int64>? {
        guard let numbers = possibleNumbers(of: slot), let upper = upperAge(of: slot) else {
            return nil
        }
        let before = nearest(below: numbers.lowerBound)
        let lower = before.map { head.clock.ageEnd(UInt64($0.sequence), $0.end) - 60_000 } ?? .min
        return head.clock.wall(min(lower, upper)...upper, of: numbers)
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

    /// The best batch by its number whose proof stands.
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
            // One that cannot be read now is no neighbour, and looked for no longer.
            if !slots.entries[best].isDamaged { return nil }
        }
    }

    /// The number that the note of an erased damaged row has: the one it had, or one that is missing.
    ///
    /// - Parameters:
    ///   - slot: of the damaged row.
    ///   - others: rows that are about to be written.
    /// - Returns: nil where nothing is missing.
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

    /// Once every proof was checked: notes which batches are missing for good.
    ///
    /// A damaged row may be any batch that is missing; only what is missing beyond that was lost. Notes
    /// of it take empty slots and never the place of a batch.
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

    /// What a full ring has no room for was not lost, and what is older than all that is left is gone.
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
    /// The highest numbers of all, so many at the most, in order.
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
    /// What is left of it without one number.
    fileprivate func without(_ number: UInt64) -> [ClosedRange<UInt64>] {
        guard contains(number) else { return [self] }
        var rest: [ClosedRange<UInt64>] = []
        if lowerBound < number { rest.append(lowerBound...number - 1) }
        if number < upperBound { rest.append(number + 1...upperBound) }
        return rest
    }
}

extension RingHead.Incident.Kind {
    /// What befell the files, in a sentence.
    package var words: String {
        switch self {
        case .putBack: "The ring was put back to an older state."
        case .ringGone: "The ring's file had been removed."
        case .headGone: "The ring's head had been removed or damaged."
        case .missing: "Batches were missing from the ring."
        }
    }
}
