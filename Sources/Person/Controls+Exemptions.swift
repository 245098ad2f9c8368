// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// The person's exemptions.
///
/// The daemon makes these changes and, while it is not running, `mcictl` does.
extension Controls {
    private static let maxExemptions = 1000
    private static let maxReasonLength = 500
    /// Maximum bytes of text in all exemptions together, because the controls file has a limit.
    private static let maxBytes = 6 << 20
    /// Milliseconds for which an ended exemption stays in the list.
    private static let remembrance: Int64 = 7 * 86_400_000

    /// Adds an exemption from now on, or returns one that already covers the request.
    ///
    /// - Parameters:
    ///   - call: the request; without a scope it exempts everything.
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: the record of the exemption.
    /// - Throws: a ``Refusal`` when the request is invalid; no exemption is then added.
    package mutating func exempt(
        _ call: ExemptCall,
        at now: Moment,
        bootID: [UInt8]
    ) throws(Refusal) -> ExemptionRecord {
        let scope = call.scope ?? Scope()
        guard scope.asker == nil else {
            throw Refusal(
                "A program that asks for secrets is excluded, not exempted.",
                next: "mcictl exclude add --asker NAME"
            )
        }
        _ = try scope.rule()
        if let seconds = call.seconds, !(1...366 * 86_400).contains(seconds) {
            throw Refusal("An exemption lasts from one second to one year, or has no end date.")
        }
        if let reason = call.reason, reason.count > Self.maxReasonLength {
            throw Refusal("A reason has at most \(Self.maxReasonLength) characters.")
        }
        forgetEnded(at: now)
        guard exemptions.count < Self.maxExemptions else {
            throw Refusal(
                "There are \(Self.maxExemptions) exemptions already.",
                next: "mcictl exempt list"
            )
        }
        let term = TimeLimit(
            from: now,
            length: call.seconds.map { Int64($0) * 1000 },
            bootID: bootID
        )
        if let standing = covering(scope, term) { return standing }
        guard let id = nextExemption() else {
            throw Refusal("There is no number left for an exemption.", next: "mcictl exempt list")
        }
        let record = ExemptionRecord(
            id: id,
            request: Self.randomName(),
            scope: scope,
            since: term.since,
            until: term.until,
            bootID: term.bootID,
            boottimeEnd: term.boottimeEnd,
            reason: call.reason.flatMap { $0.isEmpty ? nil : $0 },
            state: Exemption.State.requested.rawValue
        )
        guard exemptions.reduce(record.size, { $0 + $1.size }) <= Self.maxBytes else {
            throw Refusal(
                "All exemptions together are too long to be stored.",
                next: "mcictl exempt list"
            )
        }
        exemptions.append(record)
        return record
    }

    /// Finds an exemption in force with the same scope and at least the same length; nil for none.
    ///
    /// Two of them would look alike, and after the withdrawal of one the other would still hold.
    private func covering(_ scope: Scope, _ term: TimeLimit) -> ExemptionRecord? {
        exemptions.first { record in
            guard record.scope == scope,
                record.state == Exemption.State.requested.rawValue
                    || record.state == Exemption.State.approved.rawValue
            else { return false }
            guard let end = record.until else { return true }
            guard let asked = term.until.flatMap({ WallTime($0) }) else { return false }
            return WallTime(end).map { asked <= $0 } ?? true
        }
    }

    /// Applies the person's answer to an exemption.
    ///
    /// - Parameters:
    ///   - call: the id and the answer.
    ///   - now: the moment.
    /// - Returns: the record after the answer; an ended one is removed from the list.
    /// - Throws: a ``Refusal`` when there is no such exemption, or its state does not allow the
    ///   answer.
    package mutating func answer(
        _ call: AnswerCall,
        at now: Moment
    ) throws(Refusal) -> ExemptionRecord {
        let index = try index(of: call.id)
        let transition: Exemption.Transition
        switch call.answer {
        case "withdraw": transition = .withdrawal
        case "acknowledge": transition = .acknowledgement
        case "renew": transition = .renewal
        default: throw Refusal("The answer must be withdraw, acknowledge or renew.")
        }
        let isOver = exemptions[index].state == Exemption.State.expired.rawValue
        guard try exemptions[index].take(transition) else {
            throw Refusal(
                "Exemption \(call.id) needs no answer: it is \(exemptions[index].state).",
                next: "mcictl exempt list"
            )
        }
        if transition == .renewal, isOver {
            (exemptions[index].until, exemptions[index].boottimeEnd) = (nil, nil)
        }
        let record = exemptions[index]
        if record.state == Exemption.State.ended.rawValue { exemptions.remove(at: index) }
        return record
    }

    /// Expires exemptions whose time is over.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: whether something changed.
    package mutating func expire(at now: Moment, bootID: [UInt8]) -> Bool {
        var hasChanged = false
        for index in exemptions.indices where exemptions[index].isOver(at: now, bootID: bootID) {
            if (try? exemptions[index].take(.expiry)) == true { hasChanged = true }
        }
        return hasChanged
    }

    /// Computes when the next exemption expires.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: milliseconds from now; nil when none expires.
    package func timeToExpiry(at now: Moment, bootID: [UInt8]) -> Int64? {
        exemptions.compactMap { record in
            record.canExpire ? record.term.timeLeft(at: now, bootID: bootID) : nil
        }.min()
    }

    /// Reserves an id that no exemption has had; nil when none is left.
    mutating func nextExemption() -> Int? {
        let (number, isTooMuch) = lastExemption.addingReportingOverflow(1)
        guard !isTooMuch else { return nil }
        lastExemption = number
        return number
    }

    /// The index of an exemption in the list.
    func index(of id: Int) throws(Refusal) -> Int {
        guard let index = exemptions.firstIndex(where: { $0.id == id }) else {
            throw Refusal("There is no exemption \(id).", next: "mcictl exempt list")
        }
        return index
    }

    private mutating func forgetEnded(at now: Moment) {
        exemptions.removeAll { record in
            guard record.state == Exemption.State.ended.rawValue,
                let end = record.until.flatMap({ WallTime($0) })
            else { return false }
            return end.milliseconds + Self.remembrance < now.wall.milliseconds
        }
    }

    private static func randomName() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(UInt32.random(in: 0...(.max), using: &random), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}

extension Scope {
    /// Parses the scope as a rule.
    ///
    /// - Returns: the rule.
    /// - Throws: a ``Refusal`` when a part of the scope is invalid.
    package func rule() throws(Refusal) -> Rule {
        func glob(_ text: String?, _ name: String) throws(Refusal) -> Glob? {
            guard let text else { return nil }
            guard let glob = Glob(text) else {
                throw Refusal("The \(name) pattern is empty or longer than \(Glob.maxLength).")
            }
            return glob
        }
        var hours: WeekHours?
        if let during {
            hours = WeekHours(during)
            if hours == nil {
                throw Refusal(
                    "“\(during)” is not a span of hours. Examples: Mon-Fri 12:00-13:00, Sat,Sun."
                )
            }
        }
        return Rule(
            app: try glob(app, "application"),
            title: try glob(title, "title"),
            device: try glob(device, "device"),
            during: hours,
            asker: try namedAsker()
        )
    }

    /// The patterns of the only applications that are recorded.
    ///
    /// - Parameter apps: patterns as the person gave them.
    /// - Returns: the allowlist.
    /// - Throws: a ``Refusal`` when one of them is invalid.
    static func allowlist(_ apps: [String]) throws(Refusal) -> Set<Glob> {
        var list: Set<Glob> = []
        for app in apps {
            if let glob = try Scope(app: app).rule().app { list.insert(glob) }
        }
        return list
    }

    private func namedAsker() throws(Refusal) -> SecretAsker? {
        guard let asker else { return nil }
        guard self == Scope(asker: asker) else {
            throw Refusal("An asker cannot be combined with other options.")
        }
        guard let named = SecretAsker(asker) else {
            throw Refusal(SecretAsker.defect(of: asker) ?? "")
        }
        return named
    }

    /// The scope in English words, for the person who wrote it.
    package var words: String {
        let parts = [
            app.map { "windows of class \($0)" }, title.map { "windows with the title \($0)" },
            device.map { "the device \($0)" }, during,
            asker.map { "what is typed at prompts of the program \($0)" },
        ].compactMap(\.self)
        return parts.isEmpty ? "everything" : parts.joined(separator: ", ")
    }
}

extension ExemptionRecord {
    /// Bytes of the person's text in it.
    fileprivate var size: Int {
        [scope.app, scope.title, scope.device, scope.during, reason].reduce(0) {
            $0 + ($1?.utf8.count ?? 0)
        }
    }

    /// The time for which it lasts.
    var term: TimeLimit {
        TimeLimit(since: since, until: until, bootID: bootID, boottimeEnd: boottimeEnd)
    }

    /// Makes the state machine of the record.
    ///
    /// - Returns: the exemption in the record's state.
    /// - Throws: a ``Refusal`` when the record has an unknown state or an invalid scope.
    package func exemption() throws(Refusal) -> Exemption {
        guard let state = Exemption.State(rawValue: state) else {
            throw Refusal("Exemption \(id) has an unknown state.")
        }
        return Exemption(id: id, rule: try scope.rule(), state: state)
    }

    /// Whether it has an end at which its state changes.
    var canExpire: Bool {
        guard until != nil, var exemption = try? exemption() else { return false }
        return exemption.take(.expiry)
    }

    func isOver(at now: Moment, bootID: [UInt8]) -> Bool {
        canExpire && term.isOver(at: now, bootID: bootID)
    }

    /// Applies a transition; false when its state does not allow it.
    mutating func take(_ transition: Exemption.Transition) throws(Refusal) -> Bool {
        var exemption = try exemption()
        guard exemption.take(transition) else { return false }
        state = exemption.state.rawValue
        return true
    }
}
