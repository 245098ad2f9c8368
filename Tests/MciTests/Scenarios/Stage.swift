// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import Policy
import Recording
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// A desktop with a recorder on which scenarios are played.
protocol Stage: AnyObject {
    var paths: Paths { get }
    var policy: PolicyFile { get }
    var now: WallTime { get }
    /// The numbers of the exemptions that this scenario asked for, in their order.
    var exemptions: [Int] { get set }

    /// Has the recorder do something; what was done before at the desktop is read first.
    @discardableResult
    func call(_ call: ControlCall) throws -> ControlReply
    /// Does what hands, programs, clocks and service managers do.
    func play(_ step: Scenario.Step) throws
    /// Everything that happened until now is read.
    func settle() throws
    /// Windows are opened, with the focus and the pointer in none.
    func arrange() throws
    /// Whoever deploys mci says nothing any more.
    func withdrawPolicy() throws
}

extension Stage {
    /// Begins to record with an empty ring, after whatever the scenario before has chosen.
    ///
    /// - Parameter syntheticKeys: whether programs type for the person.
    /// - Throws: where the recorder refuses or is away.
    func prepare(syntheticKeys: Bool) throws {
        try call(.withdraw)
        try withdrawPolicy()
        for exemption in try call(.listExemptions).exemptions ?? []
        where exemption.state != Exemption.State.ended.rawValue {
            try call(.answerExemption(.init(id: exemption.id, answer: "withdraw")))
        }
        let controls = try ControlsFile(paths).read()
        for scope in controls.exclusions { try call(.exclude(.init(drop: scope))) }
        for name in controls.removedExclusions { try call(.exclude(.init(restore: name))) }
        if controls.only != nil { try call(.exclude(.init(only: []))) }
        try change {
            let size = $0.ringSize
            $0 = PersonSettings()
            ($0.ringSize, $0.syntheticKeys) = (size, syntheticKeys)
        }
        try arrange()
        try consent()
        try call(.resume)
        try settle()
        try call(.forget(.init()))
    }

    /// Does a step of a scenario.
    func perform(_ step: Scenario.Step) throws {
        switch step {
        case .window: break
        case .noConsentYet:
            try call(.withdraw)
            try call(.forget(.init()))
        case .consent: try consent()
        case .withdraw: try call(.withdraw)
        case .pause(let seconds): try call(.pause(.init(seconds: seconds)))
        case .resume: try call(.resume)
        case .exempt(let scope, let seconds):
            let reply = try call(.exempt(.init(scope: scope, seconds: seconds)))
            exemptions.append(try #require(reply.exemption?.id))
        case .answer(let number, let answer):
            guard exemptions.indices.contains(number - 1) else {
                throw Refusal("There is no exemption \(number).")
            }
            let id = exemptions[number - 1]
            try call(.answerExemption(.init(id: id, answer: answer)))
        case .exclude(let change): try call(.exclude(change))
        case .keyDetail(let detail): try change { $0.choose(detail, at: now) }
        case .syntheticKeys(let areTold): try change { $0.syntheticKeys = areTold }
        case .titles(let areStored): try change { $0.title = areStored }
        case .forgetEverything: try call(.forget(.init()))
        case .policy(let field): try write(policy: field)
        default: try play(step)
        }
    }

    /// Changes what the person has set, as `mcictl set` does.
    func change(_ edit: (inout PersonSettings) -> Void) throws {
        let file = SettingsFile(paths.settings)
        var settings = try file.read()
        edit(&settings)
        try file.write(settings)
        try call(.reload)
    }

    func consent() throws {
        let key = try #require(DeviceKeyFile.read(paths.deviceKey)?.verifier.text)
        let receipt = Consent.receipt(
            at: now,
            recipients: Disk.lines(paths.recipients),
            deviceKey: key,
            method: "scenario",
            ring: paths.ring,
            under: try policy.read()
        )
        try call(.consent(receipt))
    }

    /// Puts a policy in force that says one thing, or nothing.
    func write(policy field: String? = nil) throws {
        // What has happened belongs to the time before it.
        try settle()
        let text = """
            {"schema": 1, "purpose": "a study", "controller": "ACME", "contact": "x"
             \(field.map { ", \($0)" } ?? "")}
            """
        try Disk.write(Array(text.utf8), to: policy.current, mode: 0o644)
        try call(.getStatus)
    }

    /// Ends the scenario with a withdrawal, which stores what is open, and reads back the sealed ring.
    func finish() throws -> [RecordedEvent] {
        try settle()
        try call(.withdraw)
        guard FileManager.default.fileExists(atPath: paths.ring) else { return [] }
        let identity = try String(contentsOfFile: paths.identity, encoding: .utf8)
        let reader = TimelineReader(try .init(path: paths.ring), Identity.list(identity) ?? [])
        var events: [RecordedEvent] = []
        _ = try reader.read(0...Int64.max / 4) {
            events.append($0)
            return true
        }
        return events
    }
}
