// SPDX-License-Identifier: Apache-2.0

import Events

/// Decides from looks at the mark which input may be handed on, and when the mark is shown again.
///
/// Input is handed on only if it lies between two good looks without a change of the mark between
/// them. The earlier look is the last one of the round before. If it is more than ``maxInterval``
/// ago, because nothing happened, the input must have been read within ``maxAge``. A look is made
/// after a round was read and before anything of it is handed on.
///
/// It has no clock and no window: both are given to it.
struct MarkKeeper {
    /// Milliseconds between two looks while input comes.
    static let maxInterval: Int64 = 1000
    /// Milliseconds from input after a rest to the look after it.
    static let maxAge: Int64 = 100
    /// Milliseconds between two tries to show the mark again after somebody changed it.
    static let tryInterval: Int64 = 45
    /// Milliseconds for which a mark that was shown is awaited on the screen; a compositor takes
    /// some.
    static let patience: Int64 = 200
    /// Milliseconds after which a compositor's picture is certainly newer than what was shown.
    static let painting: Int64 = 100
    /// Tries within a second after which the mark is left where it is: another program fights for
    /// the place.
    static let maxTries = 20
    /// Tries in a row without success after which it is left, too.
    static let maxVainTries = 10
    /// Milliseconds between two looks, and between two tries, from then on.
    static let resignedLook: Int64 = 1000
    static let resignedTry: Int64 = 10_000

    /// The clocks at a look.
    struct Clocks {
        var now: EventTime
        /// CLOCK_BOOTTIME minus CLOCK_MONOTONIC in milliseconds, which grows during sleep.
        var suspended: Int64
    }

    /// The end of the first and the begin of the last of the good looks; nil if the last look was
    /// not good.
    private var (streak, last): (EventTime?, EventTime?) = (nil, nil)
    private var isFirst = false
    private var suspended: Int64?
    /// The last good look before the mark was hidden.
    private var hiddenSince: EventTime?
    private var cause: MarkReport.Cause?
    /// The recent tries, and how many of them in a row were in vain.
    private var tries: [EventTime] = []
    private var vainTries = 0
    private var isResigned = false
    /// Whether somebody changed the mark since it was last shown.
    private var isChanged = false
    private var shown: EventTime?
    /// Milliseconds from then on in which a look may see an older picture.
    private var delay: Int64 = 0
    private var looked: EventTime?
    private var changes: [MarkChange] = []

    /// Whether the mark was seen at the last look.
    var isSeen: Bool { streak != nil }

    /// Whether the mark is no longer shown again several times a second.
    var hasGivenUp: Bool { !isSeen && isResigned }

    /// Why it is not seen; nil if it is.
    var reason: MarkReport.Cause? { isSeen ? nil : cause ?? .new }

    /// When the present state began.
    var since: EventTime { streak ?? hiddenSince ?? looked ?? EventTime(0) }

    /// The time at which to look without an event, in ms of CLOCK_MONOTONIC; nil for never.
    var lookDue: Int64? {
        guard !isSeen, let looked else { return nil }
        return looked.milliseconds + (hasGivenUp ? Self.resignedLook : Self.tryInterval)
    }

    /// The changes since the last call.
    mutating func takeChanges() -> [MarkChange] {
        defer { changes = [] }
        return changes
    }

    /// Judges a round that was read.
    ///
    /// - Parameters:
    ///   - notices: The number of changes of the mark that were reported since the last round.
    ///   - oldest: The time of the oldest input of the round; nil for none.
    ///   - clocks: Reads the clocks.
    ///   - look: Looks at the mark.
    ///   - show: Shows the mark anew, above all other windows; returns whether a compositor paints
    ///     it.
    /// - Returns: The moment after which input may be handed on; nil if none may.
    mutating func judge(
        notices: Int,
        oldest: EventTime?,
        _ clocks: () -> Clocks,
        look: () -> Bool,
        show: () -> Bool
    ) -> EventTime? {
        let begin = clocks()
        if notices == 0, isPainted(begin.now), look() {
            let end = clocks()
            let hasSlept = suspended.map { end.suspended - $0 > Self.tryInterval } ?? false
            suspended = end.suspended
            if !hasSlept, let last, let streak, isBetween(last, begin.now, oldest, end.now) {
                self.last = begin.now
                looked = begin.now
                defer { isFirst = false }
                return isFirst ? streak : .distantPast
            }
            hide(at: begin.now, nil)
            see(at: end.now)
            return nil
        }
        suspended = begin.suspended
        isChanged = isChanged || notices > 0
        hide(at: begin.now, isChanged ? .changed : .covered)
        if mayShow(begin.now) {
            noteTry(at: begin.now)
            delay = show() ? Self.painting : 0
            if delay == 0, look() { see(at: clocks().now) }
        }
        return nil
    }

    private func isPainted(_ now: EventTime) -> Bool {
        shown.map { now.milliseconds - $0.milliseconds >= delay } ?? true
    }

    private mutating func noteTry(at now: EventTime) {
        tries = tries.filter { now.milliseconds - $0.milliseconds < 1000 } + [now]
        vainTries += 1
        isResigned = tries.count >= Self.maxTries || vainTries >= Self.maxVainTries
        (shown, isChanged) = (now, false)
    }

    private func isBetween(
        _ last: EventTime,
        _ begin: EventTime,
        _ oldest: EventTime?,
        _ end: EventTime
    ) -> Bool {
        guard begin.milliseconds - last.milliseconds > Self.maxInterval, let oldest else {
            return true
        }
        return end.milliseconds - oldest.milliseconds <= Self.maxAge
    }

    private func mayShow(_ now: EventTime) -> Bool {
        guard let shown else { return true }
        let age = now.milliseconds - shown.milliseconds
        if isResigned { return age >= Self.resignedTry }
        return age >= (isChanged ? Self.tryInterval : Self.patience)
    }

    /// Notes that the mark was shown without a look.
    ///
    /// - Parameters:
    ///   - now: The present time.
    ///   - isComposited: Whether a compositor paints it.
    mutating func noteShown(at now: EventTime, isComposited: Bool) {
        (shown, looked, delay) = (now, now, isComposited ? Self.painting : 0)
    }

    private mutating func hide(at now: EventTime, _ cause: MarkReport.Cause?) {
        if let last {
            hiddenSince = last
            changes.append(MarkChange(isSeen: false, at: last))
        }
        hiddenSince = hiddenSince ?? now
        (streak, last, self.cause, looked) = (nil, nil, cause, now)
    }

    private mutating func see(at now: EventTime) {
        (streak, last, isFirst, looked) = (now, now, true, now)
        (hiddenSince, vainTries) = (nil, 0)
        isResigned = tries.count >= Self.maxTries
        changes.append(MarkChange(isSeen: true, at: now))
    }
}
