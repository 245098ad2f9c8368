// SPDX-License-Identifier: Apache-2.0

/// How old what is stored is, whatever the wall clock does.
///
/// Upstream: the machine's clocks. Downstream: what has reached its age. Promise: while the machine
/// runs, ages advance by CLOCK_BOOTTIME alone, so that a wall clock that is set changes none. How long
/// it was off only the wall clock can tell; it is believed at once while the kernel calls it
/// synchronised, and otherwise when mcid has run with it for an hour. So a wrong clock erases nothing
/// within that hour, and nothing outlives its age by more than one hour of running time.
///
/// *Age time* is in milliseconds since 1970 like the wall clock's, and in ordinary life the same.
package struct AgeClock: Equatable, Sendable {
    /// One look at the machine's clocks.
    package struct Reading: Equatable, Sendable {
        /// The wall clock, in milliseconds since 1970.
        package var wall: Int64
        /// CLOCK_BOOTTIME and CLOCK_MONOTONIC, in milliseconds.
        package var boottime: Int64
        package var monotonic: Int64
        /// The kernel's name for this boot, 16 bytes.
        package var bootID: [UInt8]
        /// Whether the kernel calls the wall clock synchronised.
        package var isSynchronised: Bool

        package init(
            wall: Int64,
            boottime: Int64,
            monotonic: Int64,
            bootID: [UInt8],
            isSynchronised: Bool
        ) {
            self.wall = wall
            self.boottime = boottime
            self.monotonic = monotonic
            self.bootID = bootID
            self.isSynchronised = isSynchronised
        }
    }

    /// A time off that the wall clock claims and that is not believed yet.
    struct Claim: Equatable {
        /// Milliseconds.
        var elapsed: Int64
        /// How long mcid has run while the wall clock claimed at least that.
        var ran: Int64 = 0
        /// Batches from this number on came after the time off.
        var from: UInt64
    }

    /// Batches that were ended by one clock.
    struct Segment: Equatable {
        /// The first number.
        var from: UInt64
        /// Age time minus wall clock.
        var shift: Int64
        /// Age time when it began: what came before had ended by then.
        var start: Int64
    }

    /// A wall clock that was set while the machine ran, and is not synchronised.
    struct Trial: Equatable {
        /// Wall clock minus age time.
        var relation: Int64
        var ran: Int64 = 0
    }

    /// Age time at the last look.
    package internal(set) var now: Int64 = 0
    var boottime: Int64 = 0
    /// CLOCK_BOOTTIME minus CLOCK_MONOTONIC at the last look: it grows by the time asleep.
    var asleep: Int64 = 0
    var bootID = [UInt8](repeating: 0, count: 16)
    /// Wall clock minus age time, as last believed.
    var relation: Int64 = 0
    /// The same, as last seen while synchronised; nil when it never was.
    var synchronised: Int64?
    var trial: Trial?
    /// A clock that was on trial when the machine went off: it may be the one in force now.
    var untried: Int64?
    /// The first number after a time off of which it is not known how long it was; nil when all is
    /// known.
    var uncertainSince: UInt64?
    /// The first number after the latest time off.
    var latestStart: UInt64 = 0
    /// Whether that time was a sleep of which only the hardware clock tells: what the kernel calls
    /// synchronised is then from before.
    var isAfterSleep = false
    /// In the order of what they claim, the least first.
    var claims: [Claim] = []
    /// In the order of their numbers.
    var segments: [Segment] = []

    /// How long mcid must run with a doubtful clock before that counts.
    static let probation: Int64 = 3_600_000
    /// Less than this is no jump: clocks are slewed, and ends rounded up to the minute.
    static let tolerance: Int64 = 60_000
    static let maxClaims = 8
    static let maxSegments = 12

    /// A clock that was never looked at.
    package init() {}

    /// Whether it was looked at before.
    var isSet: Bool { !segments.isEmpty }

    /// Whether it is not known how long the machine was off, so that what may be too old is kept.
    package var isInDoubt: Bool { uncertainSince != nil }

    /// Milliseconds until a claim counts; nil when none waits.
    var timeToClaim: Int64? { claims.first.map { max(0, Self.probation - $0.ran) } }

    // MARK: Looking

    /// Takes note of what the clocks say now.
    ///
    /// - Parameters:
    ///   - reading: of all clocks at one moment.
    ///   - next: the number of the next new batch.
    ///   - isStart: whether mcid did not run since the last look.
    ///   - maxSleep: milliseconds; a longer sleep is doubted, for it comes from the hardware clock.
    mutating func look(
        _ reading: Reading,
        next: UInt64,
        isStart: Bool,
        maxSleep: Int64
    ) {
        guard isSet else { return begin(reading, next) }
        let ran = advance(reading, next, maxSleep)
        let isNewBoot = reading.bootID != bootID
        (boottime, bootID) = (reading.boottime, reading.bootID)
        asleep = reading.boottime - reading.monotonic
        if isNewBoot { wonder(from: next, afterSleep: false) }
        if uncertainSince != nil {
            settle(reading, ran: isStart ? 0 : ran)
        } else {
            follow(reading, ran: isStart ? 0 : ran)
        }
        noteShift(now - reading.wall, next)
    }

    /// Begins as of the end of what is known to be there, when no clock was looked at yet.
    mutating func begin(asOf end: Int64) {
        now = end
        segments = [Segment(from: 1, shift: 0, start: end)]
    }

    private mutating func begin(_ reading: Reading, _ next: UInt64) {
        now = reading.wall
        (boottime, bootID) = (reading.boottime, reading.bootID)
        asleep = reading.boottime - reading.monotonic
        synchronised = reading.isSynchronised ? 0 : nil
        segments = [Segment(from: next, shift: 0, start: now)]
    }

    /// Lets age time go on as far as the kernel knows.
    ///
    /// - Returns: how long the machine ran since the last look.
    private mutating func advance(
        _ reading: Reading,
        _ next: UInt64,
        _ maxSleep: Int64
    ) -> Int64 {
        guard reading.bootID == bootID else { return 0 }
        let passed = max(0, reading.boottime - boottime)
        let slept = min(passed, max(0, reading.boottime - reading.monotonic - asleep))
        guard slept > maxSleep else {
            now += passed
            return passed - slept
        }
        now += passed - slept
        wonder(from: next, afterSleep: true)
        return passed - slept
    }

    /// From here on it is not known how long the machine was off.
    private mutating func wonder(from next: UInt64, afterSleep: Bool) {
        uncertainSince = uncertainSince ?? next
        (latestStart, isAfterSleep) = (next, afterSleep)
        (untried, trial) = (trial?.relation ?? untried, nil)
        divide(at: next)
    }

    /// While it is not known how long the machine was off: believes the wall clock, or waits.
    private mutating func settle(_ reading: Reading, ran: Int64) {
        for index in claims.indices { claims[index].ran += ran }
        let elapsed = claimed(reading)
        if reading.isSynchronised, !isAfterSleep {
            let known = synchronised.map { reading.wall - $0 - now } ?? elapsed
            return believe(reading, known >= -Self.tolerance ? known : elapsed)
        }
        guard elapsed >= -Self.tolerance else {
            // It stands before what was there already: nothing can be told from it.
            claims = []
            return attempt(reading, ran: ran)
        }
        trial = nil
        guard elapsed > Self.tolerance || !claims.isEmpty else { return believe(reading, elapsed) }
        claim(elapsed)
        while let first = claims.first, first.ran >= Self.probation {
            age(by: first.elapsed, before: first.from)
            claims.removeFirst()
            for index in claims.indices { claims[index].elapsed -= first.elapsed }
            if claims.isEmpty { return believe(reading, 0) }
        }
    }

    /// The time off that the wall clock claims: the least that one of the clocks known from before
    /// would mean, for the one in force now may be any of them.
    private func claimed(_ reading: Reading) -> Int64 {
        let all = [relation, synchronised, untried].compactMap(\.self)
            .map { reading.wall - $0 - now }
        return all.filter { $0 >= -Self.tolerance }.min() ?? all.max() ?? 0
    }

    /// Takes note of a claim.
    ///
    /// What was claimed before and is claimed no more came from a clock that has jumped since.
    private mutating func claim(_ elapsed: Int64) {
        let highest = claims.last?.elapsed ?? 0
        if elapsed > highest + Self.tolerance {
            // With no room for another the one below it goes: it waits a little longer.
            if claims.count == Self.maxClaims { claims.removeLast() }
            let from = claims.isEmpty ? uncertainSince ?? latestStart : latestStart
            claims.append(Claim(elapsed: elapsed, from: from))
        } else if elapsed < highest - Self.tolerance {
            let dropped = claims.first { $0.elapsed > elapsed + Self.tolerance }
            claims.removeAll { $0.elapsed > elapsed + Self.tolerance }
            guard let dropped, elapsed > (claims.last?.elapsed ?? 0) + Self.tolerance else {
                return
            }
            claims.append(Claim(elapsed: elapsed, ran: dropped.ran, from: dropped.from))
        }
    }

    /// The wall clock is right: what came before each time off is older by it.
    private mutating func believe(_ reading: Reading, _ elapsed: Int64) {
        var counted: Int64 = 0
        for claim in claims where counted < claim.elapsed && claim.elapsed <= elapsed {
            age(by: claim.elapsed - counted, before: claim.from)
            counted = claim.elapsed
        }
        let rest = claims.isEmpty ? uncertainSince ?? latestStart : latestStart
        age(by: elapsed - counted, before: rest)
        relation = reading.wall - now
        if reading.isSynchronised, !isAfterSleep { synchronised = relation }
        (uncertainSince, isAfterSleep, trial, untried, claims) = (nil, false, nil, nil, [])
    }

    /// Lets age time go on, and with it the batches that came after the time it goes on by.
    private mutating func age(by elapsed: Int64, before number: UInt64) {
        guard elapsed > 0 else { return }
        now += elapsed
        for index in segments.indices where segments[index].from >= number {
            segments[index].shift += elapsed
            segments[index].start += elapsed
        }
    }

    /// While the machine runs: a wall clock that was set changes no age; the next time off is counted
    /// from the new one, at once where it is synchronised, and else after its time.
    private mutating func follow(_ reading: Reading, ran: Int64) {
        let isNear = abs(reading.wall - relation - now) <= Self.tolerance
        guard !isNear, !reading.isSynchronised else {
            relation = reading.wall - now
            if reading.isSynchronised { synchronised = relation }
            trial = nil
            return
        }
        attempt(reading, ran: ran)
    }

    /// Lets a clock that nobody vouches for run for its time, after which it counts.
    private mutating func attempt(_ reading: Reading, ran: Int64) {
        let new = reading.wall - now
        guard var trial, abs(trial.relation - new) <= Self.tolerance else {
            return trial = Trial(relation: new)
        }
        trial.ran += ran
        self.trial = trial
        guard trial.ran >= Self.probation else { return }
        relation = new
        (self.trial, untried, uncertainSince, isAfterSleep) = (nil, nil, nil, false)
    }

    // MARK: Segments

    /// Batches from a number on belong to a segment of their own.
    private mutating func divide(at next: UInt64) {
        guard let last = segments.last, last.from != next else { return }
        append(Segment(from: next, shift: last.shift, start: now))
    }

    private mutating func noteShift(_ shift: Int64, _ next: UInt64) {
        guard let last = segments.last else { return }
        if abs(last.shift - shift) > Self.tolerance {
            if last.from == next {
                segments[segments.count - 1].shift = shift
            } else {
                append(Segment(from: next, shift: shift, start: now))
            }
        }
        if uncertainSince == nil { merge() }
    }

    /// Segments with the same clock are one.
    private mutating func merge() {
        var merged: [Segment] = []
        for segment in segments {
            if let last = merged.last, abs(last.shift - segment.shift) <= Self.tolerance / 2 {
                continue
            }
            merged.append(segment)
        }
        segments = merged
    }

    private mutating func append(_ segment: Segment) {
        segments.append(segment)
        guard segments.count > Self.maxSegments else { return }
        // With no room for another the two oldest are one. What is in it counts as young as it can
        // have been, and ``ageEnd(_:_:)`` still bounds it by the beginning of the next.
        segments[0].shift = max(segments[0].shift, segments[1].shift)
        segments.remove(at: 1)
    }

    /// Leaves out what is about batches that are gone.
    ///
    /// - Parameter first: the lowest number that is still there.
    mutating func forget(before first: UInt64) {
        while segments.count > 1, segments[1].from <= first { segments.removeFirst() }
    }

    // MARK: Ages

    /// When a batch ended, in age time.
    ///
    /// - Parameters:
    ///   - number: of the batch.
    ///   - end: by the wall clock it was recorded under, in ms since 1970.
    /// - Returns: never later than the beginning of the next clock, or than now, rounded up.
    package func ageEnd(_ number: UInt64, _ end: Int64) -> Int64 {
        guard let index = segments.lastIndex(where: { $0.from <= number }) ?? segments.indices.first
        else { return end }
        let latest = index + 1 < segments.count ? segments[index + 1].start : now
        return min(end &+ segments[index].shift, latest + Self.tolerance)
    }

    /// The ends on the wall clock that a stretch of age time means for any of some numbers.
    func wall(_ ages: ClosedRange<Int64>, of numbers: ClosedRange<UInt64>) -> ClosedRange<Int64> {
        var (low, high) = (Int64.max, Int64.min)
        for (index, segment) in segments.enumerated() {
            let isBefore =
                index + 1 < segments.count && segments[index + 1].from <= numbers.lowerBound
            guard !isBefore, segment.from <= numbers.upperBound || index == 0 else { continue }
            low = min(low, ages.lowerBound.subtractingSaturated(segment.shift))
            high = max(high, ages.upperBound.subtractingSaturated(segment.shift))
        }
        return low <= high ? low...high : ages
    }
}

extension Int64 {
    /// The difference, or the end of the range that lies in its direction.
    func subtractingSaturated(_ other: Int64) -> Int64 {
        let (result, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : result
    }

    /// The sum, or the end of the range that lies in its direction.
    func addingSaturated(_ other: Int64) -> Int64 {
        let (result, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : result
    }
}
