// SPDX-License-Identifier: Apache-2.0

import Events

/// Where one stream's input goes, what the rules say of it, and what is being left out of it.
struct StreamState {
    let stream: InputStream
    private(set) var context = AppContext.unknown
    private var verdict = Verdict()
    /// What rules said that have changed since, each for the events from before its change.
    private var earlier: [(verdict: Verdict, until: EventTime)] = []
    private var gap: Gap?
    /// Since when the verdict holds, and whether it left out what a device made meanwhile.
    private(set) var since = EventTime(0)
    private var hasDroppedDevice = false

    init(_ stream: InputStream) {
        self.stream = stream
    }

    /// Why all input of the window in front is left out; nil where it is not.
    var refusal: GapReason? {
        guard case .window = context else { return nil }
        return verdict.refusal
    }

    /// Why an event is left out; nil when it may be recorded.
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

    /// From when on all that comes may be recorded, whatever its device; nil where something speaks
    /// against it.
    var admitsAllSince: EventTime? {
        guard case .window = context, !verdict.dropsAny else { return nil }
        return earlier.lazy.filter(\.verdict.dropsAny).map(\.until).max() ?? .distantPast
    }

    /// How an event is left out.
    enum Drop {
        case because(GapReason)
        /// What its device makes is left out.
        case device
        /// It is from before a rule was lifted; the gap of that rule covers it.
        case earlier
    }

    /// The stream's input goes to another context, or the rules changed.
    ///
    /// - Parameters:
    ///   - new: the context.
    ///   - verdict: what the rules say of it.
    ///   - earlier: what rules said that have changed since.
    ///   - time: a moment that is not after the change.
    /// - Returns: the gaps that have ended.
    mutating func enter(
        _ new: AppContext,
        _ verdict: Verdict,
        earlier: [(verdict: Verdict, until: EventTime)],
        at time: EventTime
    ) -> [Gap] {
        var ended = endDeviceGap(at: time)
        // Left out from beginning to end, whether or not there was input: that would tell.
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

    /// Something is left out from `time` on, or goes on being left out until then.
    ///
    /// - Returns: the gap of another reason that ends with it.
    mutating func begin(_ reason: GapReason, at time: EventTime) -> [Gap] {
        if gap?.reason == reason {
            extend(to: time)
            return []
        }
        defer { gap = Gap(reason: reason, from: time, to: time, stream: stream) }
        return endGap(at: time)
    }

    /// Notes that something of a device was left out.
    mutating func noteDroppedDevice() {
        hasDroppedDevice = true
    }

    /// Ends all that is being left out and forgets the context.
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
        // A grab ends when the focus comes back; other gaps with the last event left out.
        if gap?.reason == .keyboardGrabbed { extend(to: time) }
        defer { gap = nil }
        return gap.map { [$0] } ?? []
    }

    /// A device is left out as long as the window is in front: the times of its input would tell.
    private mutating func endDeviceGap(at time: EventTime) -> [Gap] {
        guard hasDroppedDevice, let reason = verdict.deviceReason else { return [] }
        hasDroppedDevice = false
        return [Gap(reason: reason, from: since, to: max(since, time), stream: stream)]
    }
}
