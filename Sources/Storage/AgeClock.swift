// SPDX-License-Identifier: Apache-2.0

/// How old the stored batches are, whatever the wall clock does.
///
/// Upstream: the machine's clocks. Downstream: retention. Promise: while the machine runs, ages
/// advance by CLOCK_BOOTTIME alone, so setting the wall clock changes no age. Only the wall clock
/// says how long the machine was off. It is believed at once while the kernel reports it as
/// synchronised, and otherwise after mcid has run with it for an hour. So a wrong clock erases
/// nothing within that hour, and nothing exceeds its retention by more than one hour of running
/// time.
///
/// *Age time* is in milliseconds since 1970 like wall time, and normally the same.
package struct AgeClock: Equatable, Sendable {
    /// All clocks of the machine, read at one moment.
    package struct Reading: Equatable, Sendable {
        /// CLOCK_REALTIME, in milliseconds since 1970.
        package var wall: Int64
        /// CLOCK_BOOTTIME, in milliseconds since the boot, including sleep.
        package var boottime: Int64
        /// CLOCK_MONOTONIC, in milliseconds since the boot, excluding sleep.
        package var monotonic: Int64
        /// The kernel's `boot_id`, 16 bytes.
        package var bootID: [UInt8]
        /// Whether the kernel reports the wall clock as synchronised.
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

    /// An unproven time off that the wall clock claims.
    struct Claim: Equatable {
        /// The claimed time off, in milliseconds.
        var elapsed: Int64
        /// How long mcid has run while the wall clock claimed at least that much, in milliseconds.
        var ran: Int64 = 0
        /// The first batch that began after the time off.
        var from: UInt64
    }

    /// Batches that ended under one wall clock.
    struct Segment: Equatable {
        /// The first sequence number.
        var from: UInt64
        /// Age time minus wall time, in milliseconds.
        var shift: Int64
        /// Age time at its beginning: all earlier batches had ended by then.
        var start: Int64
    }

    /// A wall clock that was set while the machine ran and is not synchronised.
    struct Trial: Equatable {
        /// Wall time minus age time, in milliseconds.
        var relation: Int64
        /// How long mcid has run with it, in milliseconds.
        var ran: Int64 = 0
    }

    /// Age time at the last reading, in milliseconds since 1970.
    package internal(set) var now: Int64 = 0
    var boottime: Int64 = 0
    /// CLOCK_BOOTTIME minus CLOCK_MONOTONIC at the last reading; it grows by the time asleep.
    var asleep: Int64 = 0
    var bootID = [UInt8](repeating: 0, count: 16)
    /// Wall time minus age time, as last believed.
    var relation: Int64 = 0
    /// The same as last seen while synchronised; nil when the clock never was.
    var synchronised: Int64?
    var trial: Trial?
    /// Relation of a clock on trial when the machine went off: it may be the one in force now.
    var untried: Int64?
    /// The first sequence number after a time off of unknown length; nil when none is unknown.
    var uncertainSince: UInt64?
    /// The first sequence number after the latest time off.
    var latestStart: UInt64 = 0
    /// Whether that time was a sleep that only the hardware clock measured.
    ///
    /// The kernel's `synchronised` then still refers to the time before the sleep.
    var isAfterSleep = false
    /// Sorted by claimed time off, the smallest first.
    var claims: [Claim] = []
    /// Sorted by sequence number.
    var segments: [Segment] = []

    /// How long mcid must run with a doubtful clock before that clock counts, in milliseconds.
    static let probation: Int64 = 3_600_000
    /// The minimum difference that counts as a jump, in milliseconds: clocks are slewed, and ends
    /// rounded up.
    static let tolerance: Int64 = 60_000
    static let maxClaims = 8
    static let maxSegments = 12

    /// Makes a clock that has read nothing yet.
    package init() {}

    /// Whether it has read the clocks before.
    var isSet: Bool { !segments.isEmpty }

    /// Whether a time off of unknown length exists, because of which possibly expired batches are
    /// kept.
    package var isInDoubt: Bool { uncertainSince != nil }

    /// Milliseconds until a claim counts; nil when there is none.
    var timeToClaim: Int64? { claims.first.map { max(0, Self.probation - $0.ran) } }

    // MARK: Reading the clocks

    /// Takes a reading of the clocks and advances age time.
    ///
    /// - Parameters:
    ///   - reading: all clocks, read at one moment.
    ///   - next: the sequence number of the next new batch.
    ///   - isStart: whether mcid did not run since the last reading.
    ///   - maxSleep: in milliseconds; a longer sleep is doubted, because the hardware clock
    ///     measured it.
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

    /// Begins at the end of the newest known batch, when there was no reading yet.
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

    /// Advances age time as far as the kernel knows.
    ///
    /// - Returns: how long the machine ran since the last reading, in milliseconds.
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

    /// Notes a time off of unknown length.
    private mutating func wonder(from next: UInt64, afterSleep: Bool) {
        uncertainSince = uncertainSince ?? next
        (latestStart, isAfterSleep) = (next, afterSleep)
        (untried, trial) = (trial?.relation ?? untried, nil)
        divide(at: next)
    }

    /// While a time off is unknown: believes the wall clock, or waits.
    private mutating func settle(_ reading: Reading, ran: Int64) {
        for index in claims.indices { claims[index].ran += ran }
        let elapsed = claimed(reading)
        if reading.isSynchronised, !isAfterSleep {
            let known = synchronised.map { reading.wall - $0 - now } ?? elapsed
            return believe(reading, known >= -Self.tolerance ? known : elapsed)
        }
        guard elapsed >= -Self.tolerance else {
            // The wall clock is behind what was already there: it says nothing about the time off.
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

    /// The time off that the wall clock claims: the smallest that any earlier clock implies.
    ///
    /// Any of the clocks known from before may be in force now.
    private func claimed(_ reading: Reading) -> Int64 {
        let all = [relation, synchronised, untried].compactMap(\.self)
            .map { reading.wall - $0 - now }
        return all.filter { $0 >= -Self.tolerance }.min() ?? all.max() ?? 0
    }

    /// Records a claim.
    ///
    /// A claim that is no longer made came from a clock that has jumped since.
    private mutating func claim(_ elapsed: Int64) {
        let highest = claims.last?.elapsed ?? 0
        if elapsed > highest + Self.tolerance {
            // When the list is full, the claim below is dropped: its time then counts a little
            // later.
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

    /// Accepts the wall clock: everything before each time off becomes older by it.
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

    /// Advances age time, and with it the batches that came after the elapsed time.
    private mutating func age(by elapsed: Int64, before number: UInt64) {
        guard elapsed > 0 else { return }
        now += elapsed
        for index in segments.indices where segments[index].from >= number {
            segments[index].shift += elapsed
            segments[index].start += elapsed
        }
    }

    /// While the machine runs, setting the wall clock changes no age.
    ///
    /// The next time off is counted from the new clock: at once when it is synchronised, otherwise
    /// after its trial.
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

    /// Puts an unsynchronised clock on trial, and accepts it after ``probation``.
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

    /// Starts a new segment at a sequence number.
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

    /// Merges segments that have the same clock.
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
        // When the list is full, the two oldest segments become one. Its batches count as young as
        // they can be, and ``ageEnd(_:_:)`` still bounds them by the beginning of the next segment.
        segments[0].shift = max(segments[0].shift, segments[1].shift)
        segments.remove(at: 1)
    }

    /// Drops segments that only cover batches which are gone.
    ///
    /// - Parameter first: the lowest sequence number that is still stored.
    mutating func forget(before first: UInt64) {
        while segments.count > 1, segments[1].from <= first { segments.removeFirst() }
    }

    // MARK: Ages

    /// Converts the end of a batch to age time.
    ///
    /// - Parameters:
    ///   - number: the batch's sequence number.
    ///   - end: by the wall clock of its recording, in milliseconds since 1970.
    /// - Returns: milliseconds in age time, at most a minute after the next segment's beginning, or
    ///   after ``now`` in the last segment.
    package func ageEnd(_ number: UInt64, _ end: Int64) -> Int64 {
        guard let index = segments.lastIndex(where: { $0.from <= number }) ?? segments.indices.first
        else { return end }
        let latest = index + 1 < segments.count ? segments[index + 1].start : now
        return min(end &+ segments[index].shift, latest + Self.tolerance)
    }

    /// Converts a range of age time to the wall times it can mean for a range of sequence numbers.
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
    /// Subtracts, and clamps the result to the range of `Int64`.
    func subtractingSaturated(_ other: Int64) -> Int64 {
        let (result, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : result
    }

    /// Adds, and clamps the result to the range of `Int64`.
    func addingSaturated(_ other: Int64) -> Int64 {
        let (result, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : result
    }
}
