// SPDX-License-Identifier: Apache-2.0

package import Person

/// What the daemon says of itself; `mcictl status --json` prints it as it is.
package struct Status: Codable, Equatable, Sendable {
    /// What the daemon does now.
    package enum State: String, Codable, Sendable {
        case recording
        case paused
        /// Nothing may be recorded; ``Status/reason`` says why.
        case closed
        /// The X server is away.
        case reconnecting
    }

    /// What the ring holds.
    package struct Ring: Codable, Equatable, Sendable {
        package var bytes = 0
        package var cap = 0
        package var batches = 0
        package var oldest: String?
        package var newest: String?
        /// Seconds after which what was recorded is erased.
        package var retention: Int64 = 0

        package init() {}

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

    /// Of keys what was stored: those by themselves and runs of typing.
    package struct Keys: Codable, Equatable, Sendable {
        package var stored = 0
        /// Of these the runs of keys that programs made.
        package var syntheticRuns = 0

        package init() {}
    }

    package var schema = 1
    package var state: State
    package var reason: String?
    /// When the state began.
    package var since: String
    package var until: String?
    package var lastStored: String?
    package var pendingErasure = false
    package var ring = Ring()
    /// Since the start of this mcid.
    package var events = EventCounts()
    /// In all runs together, since ``totalSince``.
    package var total = EventCounts()
    package var totalSince: String?
    /// Since the start of this mcid; nil from a daemon that does not say.
    package var keys: Keys?
    package var keyDetail: String
    package var keyDetailUntil: String?
    /// By what more is recorded than by default, loosest first; nil from a daemon that has no such list.
    package var loosened: [Loosening]?
    /// The public keys to which new batches are sealed; nil from a daemon that does not say.
    package var recipients: [String]?
    /// How many exemptions are in force.
    package var exemptions = 0
    /// The numbers of those that wait for an answer of the person.
    package var questions: [Int] = []
    /// SHA-256 of the policy in force, in hexadecimal; nil where there is none.
    package var policy: String?
    /// The layers of the sandbox, whose effect was found by trying.
    package var sandbox: [String] = []
    /// Whether mcid was started with `--no-sandbox`.
    package var isSandboxWaived = false
    /// What the person should know besides, in sentences; nil from a daemon that has no such list.
    package var notices: [String]?
    /// What keeps the keys of the terminal in front out of the recording now; nil where nothing does.
    package var asking: AskingTerminal?
    package var version: String

    package init(state: State, since: String, keyDetail: String, version: String) {
        self.state = state
        self.since = since
        self.keyDetail = keyDetail
        self.version = version
    }

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
        try fields.encode(asking, forKey: .asking)
        try fields.encode(version, forKey: .version)
    }
}
