// SPDX-License-Identifier: Apache-2.0

/// Why input was not recorded.
///
/// The raw values are stored in batches: they are never reused (`Documentation/Format.md`).
/// One that this version does not know is of a later one, and is shown by its number.
package struct GapReason: RawRepresentable, Hashable, CaseIterable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let noConsent = GapReason(rawValue: 1)
    package static let paused = GapReason(rawValue: 2)
    package static let sessionLocked = GapReason(rawValue: 3)
    package static let unknownContext = GapReason(rawValue: 4)
    package static let keyboardGrabbed = GapReason(rawValue: 5)
    /// The X server was away.
    package static let disconnected = GapReason(rawValue: 6)
    /// The daemon was not running.
    package static let notRunning = GapReason(rawValue: 7)
    /// Recorded input that could not be stored.
    package static let lost = GapReason(rawValue: 8)
    /// The machine was suspended.
    package static let suspended = GapReason(rawValue: 9)
    // 10 and 11 were given to reasons that never became a gap; no number is given twice.
    /// The controls file cannot be read, or the ring cannot be written.
    package static let fault = GapReason(rawValue: 12)
    /// The disk has less free space than is left to others.
    package static let diskFull = GapReason(rawValue: 13)
    /// The person exempted it.
    package static let exempt = GapReason(rawValue: 14)
    /// It is excluded from every recording: by default, by the person's list, or by policy.
    package static let excluded = GapReason(rawValue: 15)
    /// It is on no list of what may be recorded.
    package static let notAllowed = GapReason(rawValue: 16)

    private static let names: [GapReason: String] = [
        .noConsent: "no-consent", .paused: "paused", .sessionLocked: "session-locked",
        .unknownContext: "unknown-context", .keyboardGrabbed: "keyboard-grabbed",
        .disconnected: "disconnected", .notRunning: "not-running", .lost: "lost",
        .suspended: "suspended", .fault: "fault", .diskFull: "disk-full",
        .exempt: "exempt", .excluded: "excluded", .notAllowed: "not-allowed",
    ]

    /// Those that this version knows, by their numbers.
    package static let allCases = names.keys.sorted { $0.rawValue < $1.rawValue }

    /// The word in exports, status and logs.
    package var name: String { Self.names[self] ?? "reason-\(rawValue)" }
}

/// A stretch of time in which input was, or may have been, left out; it has no count of events.
package struct Gap: Equatable, Sendable {
    package var reason: GapReason
    package var from: EventTime
    package var to: EventTime
    /// The stream concerned, or nil for all input.
    package var stream: InputStream?

    package init(
        reason: GapReason,
        from: EventTime,
        to: EventTime,
        stream: InputStream? = nil
    ) {
        self.reason = reason
        self.from = from
        self.to = to
        self.stream = stream
    }
}
