// SPDX-License-Identifier: Apache-2.0

package import Person

/// The daemon's status; `mcictl status --json` prints it unchanged.
package struct Status: Codable, Equatable, Sendable {
    /// What the daemon is doing.
    package enum State: String, Codable, Sendable {
        /// Input is recorded.
        case recording
        /// The person paused the recording.
        case paused
        /// Nothing may be recorded; ``Status/reason`` says why.
        case closed
        /// The X server is not reachable; the daemon tries again.
        case reconnecting
    }

    /// A summary of the ring.
    package struct Ring: Codable, Equatable, Sendable {
        /// Bytes taken by the stored batches.
        package var bytes = 0
        /// Maximum size of all files of the ring together, in bytes.
        package var cap = 0
        /// The number of stored batches.
        package var batches = 0
        /// The earliest end of a batch in RFC 3339, rounded up to the minute; nil when empty.
        package var oldest: String?
        /// The latest end of a batch in RFC 3339, rounded up to the minute; nil when empty.
        package var newest: String?
        /// Seconds after which a batch is erased.
        package var retention: Int64 = 0

        /// Makes an empty summary.
        package init() {}

        /// Encodes every field, absent ones as null.
        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(bytes, forKey: .bytes)
            try fields.encode(cap, forKey: .cap)
            try fields.encode(batches, forKey: .batches)
            try fields.encode(oldest, forKey: .oldest)
            try fields.encode(newest, forKey: .newest)
            try fields.encode(retention, forKey: .retention)
        }
    }

    /// The mark on the screen.
    package struct Mark: Codable, Equatable, Sendable {
        /// Whether it can be seen.
        package var isSeen: Bool
        /// When that began, in RFC 3339.
        package var since: String
        /// The number of monitors on which it stands.
        package var monitors: Int
        /// The corner of each monitor: `top-right`, `top-left`, `bottom-right` or `bottom-left`.
        package var corner: String
        /// Whether its exact colours are looked for.
        package var isExact: Bool
        /// Why it cannot be seen: `covered`, `changed` or `new`; nil if it can.
        package var hiddenBy: String?

        /// Makes a summary.
        package init(
            isSeen: Bool,
            since: String,
            monitors: Int,
            corner: String,
            isExact: Bool,
            hiddenBy: String?
        ) {
            self.isSeen = isSeen
            self.since = since
            self.monitors = monitors
            self.corner = corner
            self.isExact = isExact
            self.hiddenBy = hiddenBy
        }

        /// Encodes every field, absent ones as null.
        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(isSeen, forKey: .isSeen)
            try fields.encode(since, forKey: .since)
            try fields.encode(monitors, forKey: .monitors)
            try fields.encode(corner, forKey: .corner)
            try fields.encode(isExact, forKey: .isExact)
            try fields.encode(hiddenBy, forKey: .hiddenBy)
        }
    }

    /// What the companion reports of the session.
    package struct Session: Codable, Equatable, Sendable {
        /// Whether it vouches for the session now.
        package var isAttended = false
        /// Whether nothing is recorded without it.
        package var isRequired = false
        /// Why nothing may be recorded: `locked`, `asleep`, `away`; empty if it may.
        package var closed: [String] = []
        /// What the companion can learn on this desktop; see ``ControlCall/AttendCall/knows``.
        package var knows: [String] = []

        /// Makes the summary of a session for which nobody vouches.
        package init() {}
    }

    /// The demonstration that goes on.
    package struct Demonstration: Codable, Equatable, Sendable {
        /// The name that the person gave it.
        package var name: String
        /// What is to be done.
        package var goal: String
        /// When it began, in RFC 3339.
        package var since: String
        /// When it ends by itself, in RFC 3339.
        package var until: String?
        /// Its key detail; nil for that of the settings.
        package var keyDetail: String?
        /// Whether it stores window titles although the settings may not.
        package var titles: Bool
        /// The only applications that are recorded in it; empty for no narrower list.
        package var only: [String]

        /// Makes a summary.
        package init(
            name: String,
            goal: String,
            since: String,
            until: String?,
            keyDetail: String?,
            titles: Bool,
            only: [String]
        ) {
            (self.name, self.goal, self.since, self.until) = (name, goal, since, until)
            (self.keyDetail, self.titles, self.only) = (keyDetail, titles, only)
        }

        /// Encodes every field, absent ones as null.
        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(goal, forKey: .goal)
            try fields.encode(since, forKey: .since)
            try fields.encode(until, forKey: .until)
            try fields.encode(keyDetail, forKey: .keyDetail)
            try fields.encode(titles, forKey: .titles)
            try fields.encode(only, forKey: .only)
        }
    }

    /// Counts of the key events and typing runs that were stored.
    package struct Keys: Codable, Equatable, Sendable {
        /// Key events and typing runs.
        package var stored = 0
        /// How many of these are typing runs of keys that programs made.
        package var syntheticRuns = 0

        /// Counts nothing yet.
        package init() {}
    }

    /// The version of this JSON object, 1.
    package var schema = 1
    /// What the daemon is doing.
    package var state: State
    /// Why nothing may be recorded: a word or an English sentence; nil unless ``state`` is
    /// `closed`.
    package var reason: String?
    /// The ``reason`` when a consent is for another notice, policy, host, key or recipient; the other
    /// words are those of gaps.
    package static let outdatedConsent = "consent-outdated"
    /// The ``reason`` as a clause, such as “the screen is locked”; nil if it has none.
    package var reasonInWords: String? {
        reason == Self.outdatedConsent
            ? "what you consented to has changed" : ClosedReason.words(reason)
    }
    /// When the state began, in RFC 3339.
    package var since: String
    /// The end of the pause in RFC 3339; nil for a pause without end, and without a pause.
    package var until: String?
    /// The time of the last stored event in RFC 3339; nil when this mcid has stored none.
    package var lastStored: String?
    /// Whether erased content may still be in a file.
    package var pendingErasure = false
    /// What the ring holds.
    package var ring = Ring()
    /// Counts of events since the start of this mcid.
    package var events = EventCounts()
    /// Counts of events in all runs since ``totalSince``.
    package var total = EventCounts()
    /// When ``total`` began in RFC 3339; nil when nothing was counted.
    package var totalSince: String?
    /// Counts of keys since the start of this mcid; nil from an older daemon.
    package var keys: Keys?
    /// The key detail in force: `off`, `activity`, `shortcuts`, `classes` or `full`.
    package var keyDetail: String
    /// When a key detail that reveals text ends, in RFC 3339; nil for others.
    package var keyDetailUntil: String?
    /// The settings that record more than the defaults, loosest first; nil from an older daemon.
    package var loosened: [Loosening]?
    /// The age public keys to which new batches are sealed; nil from an older daemon.
    package var recipients: [String]?
    /// The number of exemptions in force.
    package var exemptions = 0
    /// The ids of exemptions that wait for an answer of the person.
    package var questions: [Int] = []
    /// SHA-256 of the policy in force, in hexadecimal; nil for none.
    package var policy: String?
    /// The layers of the sandbox as the kernel reports them, such as `landlock-7`.
    package var sandbox: [String] = []
    /// Whether mcid was started with `--no-sandbox`.
    package var isSandboxWaived = false
    /// Other English sentences that the person should see; nil from an older daemon.
    package var notices: [String]?
    /// Those of ``notices`` about files that are damaged or were put back; nil from an older daemon.
    package var alerts: [String]?
    /// The mark on the screen; nil while mcid is not connected to the X server.
    package var mark: Mark?
    /// The prompt that keeps the keys of the terminal in front out of the recording; nil for none.
    package var asking: AskingTerminal?
    /// What the companion reports of the session; nil from an older daemon.
    package var session: Session?
    /// The demonstration that goes on; nil for none.
    package var demonstration: Demonstration?
    /// The daemon's version.
    package var version: String

    /// Makes a status with empty counts.
    ///
    /// - Parameters:
    ///   - state: what the daemon is doing.
    ///   - since: when the state began, in RFC 3339.
    ///   - keyDetail: the key detail in force.
    ///   - version: the daemon's version.
    package init(state: State, since: String, keyDetail: String, version: String) {
        self.state = state
        self.since = since
        self.keyDetail = keyDetail
        self.version = version
    }

    /// Encodes every field, absent ones as null.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(schema, forKey: .schema)
        try fields.encode(state, forKey: .state)
        try fields.encode(reason, forKey: .reason)
        try fields.encode(since, forKey: .since)
        try fields.encode(until, forKey: .until)
        try fields.encode(lastStored, forKey: .lastStored)
        try fields.encode(pendingErasure, forKey: .pendingErasure)
        try fields.encode(ring, forKey: .ring)
        try fields.encode(events, forKey: .events)
        try fields.encode(total, forKey: .total)
        try fields.encode(totalSince, forKey: .totalSince)
        try fields.encode(keys ?? Keys(), forKey: .keys)
        try fields.encode(keyDetail, forKey: .keyDetail)
        try fields.encode(keyDetailUntil, forKey: .keyDetailUntil)
        try fields.encode(loosened ?? [], forKey: .loosened)
        try fields.encode(recipients ?? [], forKey: .recipients)
        try fields.encode(exemptions, forKey: .exemptions)
        try fields.encode(questions, forKey: .questions)
        try fields.encode(policy, forKey: .policy)
        try fields.encode(sandbox, forKey: .sandbox)
        try fields.encode(isSandboxWaived, forKey: .isSandboxWaived)
        try fields.encode(notices ?? [], forKey: .notices)
        try fields.encode(alerts ?? [], forKey: .alerts)
        try fields.encode(mark, forKey: .mark)
        try fields.encode(asking, forKey: .asking)
        try fields.encode(session ?? Session(), forKey: .session)
        try fields.encode(demonstration, forKey: .demonstration)
        try fields.encode(version, forKey: .version)
    }
}
