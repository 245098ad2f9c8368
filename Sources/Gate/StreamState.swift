// SPDX-License-Identifier: Apache-2.0

import Events

/// The context of one stream, the verdict on it, and the gap that is open.
struct StreamState {
    let stream: InputStream
    private(set) var context = AppContext.unknown
    private var verdict = Verdict()
    /// Former verdicts, each for events from before the rule change.
    private var earlier: [(verdict: Verdict, until: EventTime)] = []
    private var gap: Gap?
    /// When the verdict began to apply.
    private(set) var since = EventTime(0)
    /// Whether input of an excluded device has come since then.
    private var hasDroppedDevice = false

    init(_ stream: InputStream) {
        self.stream = stream
    }

    /// The reason for excluding all input of the window in front; nil if it is not.
    var refusal: GapReason? {
        guard case .window = context else { return nil }
        return verdict.refusal
    }

    /// How an event is rejected; nil if it may be recorded.
    func rejection(_ event: RawEvent) -> Drop? {
        switch context {
        case .unknown: return .because(.unknownContext)
        case .grabbed: return .because(.keyboardGrabbed)
        case .window: break
        }
        if let refusal = verdict.refusal { return .because(refusal) }
        if verdict.rejection(event.device) { return .device }
        for (verdict, until) in earlier where event.time < until && verdict.rejection(event.device)
        {
            return .earlier
        }
        return nil
    }

    /// Events from this time on are admitted for every device; nil if a rule drops some.
    var admitsAllSince: EventTime? {
        guard case .window = context, !verdict.dropsAny else { return nil }
        return earlier.lazy.filter(\.verdict.dropsAny).map(\.until).max() ?? .distantPast
    }

    /// How an event is rejected.
    enum Drop {
        case because(GapReason)
        /// Rules exclude its device.
        case device
        /// It is older than the end of a rule, whose gap covers it.
        case earlier
    }

    /// Handles a change of the context or of the rules.
    ///
    /// - Parameters:
    ///   - new: The new context.
    ///   - verdict: The verdict on it.
    ///   - earlier: Former verdicts.
    ///   - time: A moment that is not after the change.
    /// - Returns: The gaps that have ended.
    mutating func enter(
        _ new: AppContext,
        _ verdict: Verdict,
        earlier: [(verdict: Verdict, until: EventTime)],
        at time: EventTime
    ) -> [Gap] {
        var ended = endDeviceGap(at: time)
        // The gap covers the whole time, with or without input: otherwise it would reveal when
        // input came.
        if refusal != nil { extend(to: time) }
        context = new
        self.verdict = verdict
        self.earlier = earlier
        since = time
        guard case .window = new else { return ended }
        if let refusal {
            ended += begin(refusal, at: time)
        } else {
            ended += endGap(at: time)
        }
        return ended
    }

    /// Opens a gap at `time`, or extends the open one of the same reason until then.
    ///
    /// - Returns: The gap of another reason that ends, if any.
    mutating func begin(_ reason: GapReason, at time: EventTime) -> [Gap] {
        if gap?.reason == reason {
            extend(to: time)
            return []
        }
        defer { gap = Gap(reason: reason, from: time, to: time, stream: stream) }
        return endGap(at: time)
    }

    /// Records that input of an excluded device was dropped.
    mutating func noteDroppedDevice() {
        hasDroppedDevice = true
    }

    /// Ends all gaps and forgets the context.
    mutating func close(at time: EventTime) -> [Gap] {
        if refusal != nil { extend(to: time) }
        let ended = endDeviceGap(at: time) + endGap(at: time)
        self = StreamState(stream)
        return ended
    }

    private mutating func extend(to time: EventTime) {
        guard let old = gap else { return }
        gap?.from = min(old.from, time)
        gap?.to = max(old.to, time)
    }

    private mutating func endGap(at time: EventTime) -> [Gap] {
        // A grab ends when focus returns; other gaps end with the last event that was omitted.
        if gap?.reason == .keyboardGrabbed { extend(to: time) }
        defer { gap = nil }
        return gap.map { [$0] } ?? []
    }

    /// Ends the gap of excluded devices, which spans the whole verdict: the times of their input
    /// would reveal it.
    private mutating func endDeviceGap(at time: EventTime) -> [Gap] {
        guard hasDroppedDevice, let reason = verdict.deviceReason else { return [] }
        hasDroppedDevice = false
        return [Gap(reason: reason, from: since, to: max(since, time), stream: stream)]
    }
}
