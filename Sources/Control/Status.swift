// SPDX-License-Identifier: Apache-2.0

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

        package init() {}

        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(bytes, forKey: .bytes)
            try fields.encode(cap, forKey: .cap)
            try fields.encode(batches, forKey: .batches)
            try fields.encode(oldest, forKey: .oldest)
            try fields.encode(newest, forKey: .newest)
        }
    }

    /// The accounts since the start: seen = admitted + suppressed + lost at every moment.
    package struct Events: Codable, Equatable, Sendable {
        package var seen = 0
        package var admitted = 0
        package var suppressed = 0
        package var lost = 0

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
    package var events = Events()
    package var keyDetail: String
    package var keyDetailUntil: String?
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
        try fields.encode(keyDetail, forKey: .keyDetail)
        try fields.encode(keyDetailUntil, forKey: .keyDetailUntil)
        try fields.encode(version, forKey: .version)
    }
}
