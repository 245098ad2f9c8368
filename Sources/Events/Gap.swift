// SPDX-License-Identifier: Apache-2.0

/// Why input was not recorded.
///
/// The raw values are stored in batches, so they are never reused (`Documentation/Format.md`). A
/// value that this version does not know belongs to a later version and is shown by its number.
package struct GapReason: RawRepresentable, Hashable, CaseIterable, Sendable {
    /// The number that is stored in batches.
    package let rawValue: UInt8

    /// Creates a reason from a stored number, known or not.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The person has not consented, or consent has ended.
    package static let noConsent = GapReason(rawValue: 1)
    /// The person paused recording.
    package static let paused = GapReason(rawValue: 2)
    /// The session was locked, as the desktop reported to the companion.
    package static let sessionLocked = GapReason(rawValue: 3)
    /// It could not be determined which window received the input.
    package static let unknownContext = GapReason(rawValue: 4)
    /// Another client held a grab of the keyboard.
    package static let keyboardGrabbed = GapReason(rawValue: 5)
    /// The X server was not connected.
    package static let disconnected = GapReason(rawValue: 6)
    /// The daemon was not running.
    package static let notRunning = GapReason(rawValue: 7)
    /// Recorded input could not be stored.
    package static let lost = GapReason(rawValue: 8)
    /// The machine was suspended.
    package static let suspended = GapReason(rawValue: 9)
    // 10 and 11 belonged to reasons that never produced a gap; numbers are never reassigned.
    /// The controls file could not be read, or the ring could not be written.
    package static let fault = GapReason(rawValue: 12)
    /// The disk had less free space than mci leaves to other programs.
    package static let diskFull = GapReason(rawValue: 13)
    /// An exemption of the person's covered the input.
    package static let exempt = GapReason(rawValue: 14)
    /// An exclusion covered the input: a default one, the person's, or the policy's.
    package static let excluded = GapReason(rawValue: 15)
    /// The allowlist does not contain the application.
    package static let notAllowed = GapReason(rawValue: 16)

    /// The mark could not be seen on the screen.
    package static let markHidden = GapReason(rawValue: 17)
    /// The machine was about to sleep, or woke less than two seconds before.
    package static let asleep = GapReason(rawValue: 18)
    /// Another session was in front of the screen, such as another person's.
    package static let away = GapReason(rawValue: 19)
    /// The companion, which had vouched for the session, no longer did.
    package static let unattended = GapReason(rawValue: 20)

    /// In a release: the reason is withheld, or something was left out of the release itself.
    ///
    /// No recorder stores it.
    package static let withheld = GapReason(rawValue: 255)

    /// For each reason its word in exports, and a phrase for a person.
    private static let names: [GapReason: (word: String, phrase: String)] = [
        .noConsent: ("no-consent", "no consent"),
        .paused: ("paused", "paused"),
        .sessionLocked: ("session-locked", "the screen was locked"),
        .unknownContext: ("unknown-context", "window unknown"),
        .keyboardGrabbed: ("keyboard-grabbed", "a program grabbed the keyboard"),
        .disconnected: ("disconnected", "the X server was not connected"),
        .notRunning: ("not-running", "mcid was not running"),
        .lost: ("lost", "input could not be stored"),
        .suspended: ("suspended", "the computer was asleep"),
        .fault: ("fault", "an error of mcid"),
        .diskFull: ("disk-full", "the disk was nearly full"),
        .exempt: ("exempt", "exempt"),
        .excluded: ("excluded", "excluded"),
        .notAllowed: ("not-allowed", "not on the list of allowed applications"),
        .markHidden: ("mark-hidden", "the mark could not be seen"),
        .asleep: ("asleep", "the computer was going to sleep or waking up"),
        .away: ("away", "another session was active"),
        .unattended: ("unattended", "the companion was missing"),
    ]

    /// The reasons that this version knows, in order of their numbers.
    package static let allCases = names.keys.sorted { $0.rawValue < $1.rawValue }

    /// The known reason with a word; nil for another word.
    package static func named(_ word: String) -> GapReason? {
        allCases.first { $0.name == word }
    }

    /// The word for it in exports, status and logs; `reason-21` for an unknown one.
    package var name: String {
        self == .withheld ? "withheld" : Self.names[self]?.word ?? "reason-\(rawValue)"
    }

    /// A phrase for a person, such as `the screen was locked`; the word for an unknown one.
    package var words: String { Self.names[self]?.phrase ?? name }
}

/// A period in which input was, or may have been, omitted; events are not counted.
package struct Gap: Equatable, Sendable {
    /// Why input was omitted.
    package var reason: GapReason
    /// The beginning.
    package var from: EventTime
    /// The end; not before the beginning.
    package var to: EventTime
    /// The stream that was affected; nil for all input.
    package var stream: InputStream?

    /// Creates a gap; without a stream it affects all input.
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
