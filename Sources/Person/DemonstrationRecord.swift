// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// The demonstration that goes on, in the controls; it is in the clear there until it ends.
package struct DemonstrationRecord: Codable, Equatable, Sendable {
    /// The name that the person gave it.
    package var name: String
    /// What is to be done.
    package var goal: String
    /// When it began, in RFC 3339, and when it ends by itself.
    package var term: TimeLimit
    /// The key detail while it goes on, the raw value of a ``KeyDetail``; nil for that of the
    /// settings.
    package var keyDetail: String?
    /// Whether window titles are stored while it goes on; nil for as in the settings.
    package var titles: Bool?
    /// The only applications that are recorded in it, as patterns; nil for no narrower list.
    package var only: [String]?
    /// When the person ended it while mcid was down, in RFC 3339; nil while it goes on.
    package var ended: String?
    /// How it ended: `done` or `failed`; nil while it goes on.
    package var outcome: String?

    /// The longest demonstration in milliseconds: 8 hours.
    package static let maxLength: Int64 = 8 * 3_600_000

    /// The demonstration as it is stored.
    package var demonstration: Demonstration {
        Demonstration(name: name, goal: goal, begun: WallTime(term.since) ?? WallTime(0))
    }

    /// The demonstration as it ended; nil while it goes on.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: when and how it ended.
    package func ended(at now: Moment, bootID: [UInt8]) -> Demonstration? {
        if let ended = ended.flatMap({ WallTime($0) }) {
            let outcome: Demonstration.Outcome = outcome == "failed" ? .failed : .done
            return demonstration.ended(outcome, at: ended)
        }
        guard term.isOverOnEitherClock(at: now, bootID: bootID) else { return nil }
        let end = term.until.flatMap { WallTime($0) } ?? now.wall
        return demonstration.ended(.expired, at: min(end, now.wall))
    }

    /// The milliseconds after which it may be over, by the clock that says so first.
    ///
    /// - Parameter now: the moment.
    /// - Returns: at least 1.
    package func timeLeft(at now: Moment) -> Int64 {
        let wall = term.until.flatMap { WallTime($0) }.map {
            $0.milliseconds - now.wall.milliseconds
        }
        let (boot, isAbsurd) = (term.boottimeEnd ?? .max).subtractingReportingOverflow(now.boottime)
        return max(1, min(wall ?? 1, isAbsurd ? 1 : boot))
    }

    /// Makes the record of a demonstration that begins now.
    ///
    /// - Parameters:
    ///   - call: what the person asked for.
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    ///   - ceiling: the highest key detail that the policy allows.
    /// - Throws: a ``Refusal`` when a part of the call is invalid.
    package init(
        _ call: DemonstrateCall,
        at now: Moment,
        bootID: [UInt8],
        below ceiling: KeyDetail
    ) throws(Refusal) {
        (name, goal, titles) = (call.name, call.goal, call.titles)
        guard Self.isText(name, Demonstration.maxName) else {
            throw Refusal("A name has 1 to \(Demonstration.maxName) bytes in one line.")
        }
        guard Self.isText(goal, Demonstration.maxGoal) else {
            throw Refusal("A goal has 1 to \(Demonstration.maxGoal) bytes in one line.")
        }
        let length = call.seconds.map { Int64($0) * 1000 } ?? Self.maxLength
        guard 1000...Self.maxLength ~= length else {
            throw Refusal("A demonstration lasts from one second to 8 hours.")
        }
        term = TimeLimit(from: now, length: length, bootID: bootID)
        if let word = call.keyDetail {
            guard let detail = KeyDetail(rawValue: word) else {
                throw Refusal("“\(word)” is not a key detail.", next: "mcictl demonstrate --help")
            }
            guard detail <= ceiling else {
                throw Refusal(
                    "The policy allows at most the key detail \(ceiling.rawValue).",
                    next: "mcictl policy show"
                )
            }
            keyDetail = word
        }
        if let apps = call.only, !apps.isEmpty {
            _ = try Scope.allowlist(apps)
            only = apps
        }
    }

    private static func isText(_ text: String, _ limit: Int) -> Bool {
        1...limit ~= text.utf8.count && !text.unicodeScalars.contains { $0.value < 0x20 }
            && text.contains { !$0.isWhitespace }
    }

    /// The key detail while it goes on.
    ///
    /// - Parameter usual: that of the settings.
    /// - Returns: its own, or the usual one.
    package func keyDetail(_ usual: KeyDetail) -> KeyDetail {
        keyDetail.flatMap { KeyDetail(rawValue: $0) } ?? usual
    }

    /// Adds its own limits to those of the person; titles are the only thing it may add.
    ///
    /// - Parameter restrictions: of the person, without those of the policy.
    /// - Throws: a ``Refusal`` when its list of applications is invalid.
    package func apply(to restrictions: inout Restrictions) throws(Refusal) {
        if titles == true { restrictions.storesTitles = true }
        if let only { restrictions.allowlists.insert(try Scope.allowlist(only)) }
    }
}

/// The parameters of Demonstrate.
package struct DemonstrateCall: Codable, Equatable, Sendable {
    /// The name.
    package var name: String
    /// What is to be done.
    package var goal: String
    /// The longest time in seconds; nil for 8 hours.
    package var seconds: Int?
    /// The key detail while it goes on; nil for that of the settings.
    package var keyDetail: String?
    /// Whether window titles are stored while it goes on; nil for as in the settings.
    package var titles: Bool?
    /// The only applications to record, as patterns; nil for no narrower list.
    package var only: [String]?

    package init(
        name: String,
        goal: String,
        seconds: Int? = nil,
        keyDetail: String? = nil,
        titles: Bool? = nil,
        only: [String]? = nil
    ) {
        (self.name, self.goal, self.seconds) = (name, goal, seconds)
        (self.keyDetail, self.titles, self.only) = (keyDetail, titles, only)
    }
}
