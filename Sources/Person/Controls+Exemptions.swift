// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// What the person asked not to be recorded, and what is excluded for this person.
///
/// The same changes are made by the daemon and, while it is down, by `mcictl`.
extension Controls {
    private static let maxExemptions = 1000
    private static let maxReasonLength = 500
    /// Bytes of the words of all exemptions together: the controls file has a limit.
    private static let maxBytes = 6 << 20
    /// Milliseconds for which an exemption that has ended is still listed.
    private static let remembrance: Int64 = 7 * 86_400_000

    /// Exempts what a scope names from now on.
    ///
    /// - Parameters:
    ///   - call: the request; without a scope it is for everything.
    ///   - now: the moment.
    ///   - bootID: of this boot.
    /// - Returns: the record of it.
    /// - Throws: a ``Refusal`` where the request cannot be understood; nothing is changed then.
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
            throw Refusal("An exemption lasts from a second to a year, or for good.")
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
                "The exemptions are too long to be kept all together.",
                next: "mcictl exempt list"
            )
        }
        exemptions.append(record)
        return record
    }

    /// The exemption in force that already does what is asked for, at least as long; nil for none.
    ///
    /// Two of them would look alike, and with the one withdrawn the other would still hold.
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

    /// Lets something happen to an exemption.
    ///
    /// - Returns: the record after it; one that the person has ended is taken from the list.
    /// - Throws: a ``Refusal`` where there is none of this number, or it stands elsewhere.
    package mutating func answer(
        _ call: AnswerCall,
        at now: Moment
    ) throws(Refusal) -> ExemptionRecord {
        let index = try index(of: call.id)
        let happening: Exemption.Transition
        switch call.answer {
        case "withdraw": happening = .withdrawal
        case "acknowledge": happening = .acknowledgement
        case "renew": happening = .renewal
        default: throw Refusal("An answer is withdraw, acknowledge or renew.")
        }
        let isOver = exemptions[index].state == Exemption.State.expired.rawValue
        guard try exemptions[index].take(happening) else {
            throw Refusal(
                "Exemption \(call.id) asks nothing: it is \(exemptions[index].state).",
                next: "mcictl exempt list"
            )
        }
        if happening == .renewal, isOver {
            (exemptions[index].until, exemptions[index].boottimeEnd) = (nil, nil)
        }
        let record = exemptions[index]
        if record.state == Exemption.State.ended.rawValue { exemptions.remove(at: index) }
        return record
    }

    /// Ends what is over.
    ///
    /// - Returns: whether something changed.
    package mutating func expire(at now: Moment, bootID: [UInt8]) -> Bool {
        var hasChanged = false
        for index in exemptions.indices where exemptions[index].isOver(at: now, bootID: bootID) {
            if (try? exemptions[index].take(.expiry)) == true { hasChanged = true }
        }
        return hasChanged
    }

    /// Milliseconds until the next exemption is over; nil when none will be.
    package func timeToExpiry(at now: Moment, bootID: [UInt8]) -> Int64? {
        exemptions.compactMap { record in
            record.canExpire ? record.term.timeLeft(at: now, bootID: bootID) : nil
        }.min()
    }

    /// A number that no exemption has had; nil when there is none left.
    mutating func nextExemption() -> Int? {
        let (number, isTooMuch) = lastExemption.addingReportingOverflow(1)
        guard !isTooMuch else { return nil }
        lastExemption = number
        return number
    }

    /// The place of an exemption in the list.
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
    /// The rule that the scope stands for.
    ///
    /// - Throws: a ``Refusal`` where a part of it cannot be understood.
    package func rule() throws(Refusal) -> Rule {
        func glob(_ text: String?, _ name: String) throws(Refusal) -> Glob? {
            guard let text else { return nil }
            guard let glob = Glob(text) else {
                throw Refusal("The \(name) pattern is empty or longer than \(Glob.longest).")
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

    private func namedAsker() throws(Refusal) -> SecretAsker? {
        guard let asker else { return nil }
        guard self == Scope(asker: asker) else {
            throw Refusal("An asker is named by itself, without any other option.")
        }
        guard let named = SecretAsker(asker) else {
            throw Refusal(SecretAsker.defect(of: asker) ?? "")
        }
        return named
    }

    /// The scope in words, for the person who wrote it.
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
    /// Bytes of the person's words in it.
    fileprivate var size: Int {
        [scope.app, scope.title, scope.device, scope.during, reason].reduce(0) {
            $0 + ($1?.utf8.count ?? 0)
        }
    }

    var term: TimeLimit {
        TimeLimit(since: since, until: until, bootID: bootID, boottimeEnd: boottimeEnd)
    }

    /// The state machine behind the record.
    ///
    /// - Throws: a ``Refusal`` where the record is none that mci writes.
    package func exemption() throws(Refusal) -> Exemption {
        guard let state = Exemption.State(rawValue: state) else {
            throw Refusal("The state of exemption \(id) is none.")
        }
        return Exemption(id: id, rule: try scope.rule(), state: state)
    }

    /// Whether its time can run out and change something.
    var canExpire: Bool {
        guard until != nil, var exemption = try? exemption() else { return false }
        return exemption.take(.expiry)
    }

    func isOver(at now: Moment, bootID: [UInt8]) -> Bool {
        canExpire && term.isOver(at: now, bootID: bootID)
    }

    /// Lets something happen to it; false where it cannot happen now.
    mutating func take(_ happening: Exemption.Transition) throws(Refusal) -> Bool {
        var exemption = try exemption()
        guard exemption.take(happening) else { return false }
        state = exemption.state.rawValue
        return true
    }
}
