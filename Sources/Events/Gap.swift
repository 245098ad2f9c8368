// SPDX-License-Identifier: Apache-2.0

/// Why input was not recorded.
///
/// The raw values are stored in batches: they are never reused (`Sources/Packing/FORMAT.md`).
package enum GapReason: UInt8, CaseIterable, Sendable {
    case noConsent = 1
    case paused = 2
    case sessionLocked = 3
    case unknownContext = 4
    case keyboardGrabbed = 5
    /// The X server was away.
    case disconnected = 6
    /// The daemon was not running.
    case notRunning = 7
    /// Recorded input that could not be stored.
    case lost = 8
    /// The machine was suspended.
    case suspended = 9
    /// Key detail is `off`: never a gap of its own, for its times would tell when keys were typed.
    case keyDetailOff = 10
    /// A release whose press was not recorded: never a gap of its own, for nothing is missing.
    case unpairedRelease = 11
    /// The controls file cannot be read, or the ring cannot be written.
    case fault = 12
    /// The disk has less free space than is left to others.
    case diskFull = 13
    /// The person exempted it.
    case exempt = 14
    /// It is excluded from every recording: by default, by the person's list, or by policy.
    case excluded = 15
    /// It is on no list of what may be recorded.
    case notAllowed = 16

    /// The word in exports, status and logs.
    package var name: String {
        switch self {
        case .noConsent: "no-consent"
        case .paused: "paused"
        case .sessionLocked: "session-locked"
        case .unknownContext: "unknown-context"
        case .keyboardGrabbed: "keyboard-grabbed"
        case .disconnected: "disconnected"
        case .notRunning: "not-running"
        case .lost: "lost"
        case .suspended: "suspended"
        case .keyDetailOff: "key-detail-off"
        case .unpairedRelease: "unpaired-release"
        case .fault: "fault"
        case .diskFull: "disk-full"
        case .exempt: "exempt"
        case .excluded: "excluded"
        case .notAllowed: "not-allowed"
        }
    }
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
