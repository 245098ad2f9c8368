// SPDX-License-Identifier: Apache-2.0

import CX11
import Control
import Events
import Foundation
import Gate
import Person
import Policy
import System
import Testing

/// A real mcid under a private X server on which one scenario after the other is played.
final class DesktopRig {
    fileprivate let desktop: Desktop
    fileprivate let hand: Hand
    /// What is neither the person nor the program in front.
    fileprivate let other: Hand
    fileprivate let daemon: Daemon
    private let policyPath: String
    fileprivate let hasPolicy: Bool

    /// Starts a recorder.
    ///
    /// - Parameters:
    ///   - desktop: where.
    ///   - hasPolicy: whether somebody deploys it; at first they say nothing.
    /// - Throws: where it does not start.
    init(_ desktop: Desktop, hasPolicy: Bool) throws {
        (self.desktop, self.hasPolicy) = (desktop, hasPolicy)
        hand = try Hand(desktop)
        other = try Hand(desktop)
        daemon = try Daemon(desktop, consents: false)
        policyPath = "\(daemon.folder.path)/etc/policy.json"
        if hasPolicy {
            daemon.environment["MCI_POLICY"] = policyPath
            try Disk.write(Array(Self.policy.utf8), to: policyPath, mode: 0o644)
        }
        try #require(try daemon.command("consent", "--accept").code == 0)
        try daemon.useSmallRing()
        try daemon.start()
    }

    private static let policy = """
        {"schema": 1, "purpose": "a study", "controller": "ACME", "contact": "x"}
        """

    /// Plays a scenario from a state in which nothing is stored, exempt or chosen.
    func play(_ scenario: Scenario) throws {
        if !daemon.process.isRunning { try daemon.start() }
        let stage = DesktopStage(self, scenario)
        defer { stage.clear() }
        try stage.prepare(syntheticKeys: !scenario.usesPrograms)
        try scenario.play(on: stage, isExact: false)
    }

    fileprivate var policyFile: PolicyFile { PolicyFile(policyPath) }
}

/// A desktop with real windows, hands that type through XTEST, and real time.
final class DesktopStage: Stage {
    private let rig: DesktopRig
    private let scenario: Scenario
    private let layout: WindowLayout
    private var windows: [String: UInt] = [:]
    var exemptions: [Int] = []

    fileprivate init(_ rig: DesktopRig, _ scenario: Scenario) {
        (self.rig, self.scenario) = (rig, scenario)
        layout = scenario.windows
    }

    var paths: Paths { rig.daemon.folder.paths }
    var policy: PolicyFile { rig.policyFile }
    var now: WallTime { SystemClock.now().wall }

    // MARK: Before and after

    func arrange() throws {
        for name in layout.names { open(name) }
        XSetInputFocus(rig.hand.display, UInt(None), RevertToParent, 0)
        rig.hand.move(toX: WindowLayout.background.x, y: WindowLayout.background.y)
        rig.hand.flush()
    }

    func withdrawPolicy() throws {
        if rig.hasPolicy { try write() }
    }

    private func open(_ name: String) {
        guard let frame = layout.frames[name] else { return }
        var plan = WindowPlan(app: name, title: name)
        plan.frame = (frame.x, frame.y, frame.width, frame.height)
        if let host = layout.hosts[name], let outer = layout.frames[host] {
            plan.parent = windows[host]
            (plan.frame.x, plan.frame.y) = (frame.x - outer.x, frame.y - outer.y)
        }
        windows[name] = rig.hand.open(plan)
    }

    fileprivate func clear() {
        rig.other.ungrabKeyboard()
        for name in layout.names.reversed() { windows[name].map(rig.hand.close) }
    }

    // MARK: Steps

    @discardableResult
    func call(_ call: ControlCall) throws -> ControlReply {
        try settle()
        let reply = try rig.daemon.call(call)
        // Time passes for people: no two of their acts are of one moment.
        let answered = SystemClock.now().monotonic.milliseconds
        _ = eventually { SystemClock.now().monotonic.milliseconds > answered + 1 }
        return reply
    }

    /// Has mcid read all that has happened; while it does not run there is nobody to read.
    func settle() throws {
        rig.hand.flush()
        rig.other.flush()
        if rig.daemon.process.isRunning { try rig.daemon.settled() }
    }

    func play(_ step: Scenario.Step) throws {
        switch step {
        // The keys of several steps come in one go: no rest between them is longer than it says.
        case .type(let text, _):
            for character in text { press(try #require(Chord(character))) }
            return
        case .press(let chord, _): return press(chord)
        case .hold(let chord): return key(chord, isDown: true)
        case .letGo(let chord): return key(chord, isDown: false)
        default: try settle()
        }
        switch step {
        case .title(let name, let title): rig.hand.setTitle(try window(name), title)
        case .focus(let name?): rig.hand.focus(try window(name))
        case .focus(nil):
            XSetInputFocus(rig.hand.display, UInt(None), RevertToParent, 0)
        case .click(let number, let name):
            try enter(name)
            for isDown in [true, false] { rig.hand.button(UInt32(number), down: isDown) }
        case .scroll(let way, let name):
            try enter(name)
            for isDown in [true, false] { rig.hand.button(way.button, down: isDown) }
        case .move(let name):
            try enter(name)
            rig.hand.move(dx: 3, dy: 3)
        case .grab(true): try #require(eventually { rig.other.grabKeyboard() })
        case .grab(false): rig.other.ungrabKeyboard()
        case .wait(let time):
            let end = SystemClock.now().monotonic.milliseconds + time
            _ = eventually(within: 600) { SystemClock.now().monotonic.milliseconds >= end }
        case .kill: rig.daemon.kill()
        case .stop: rig.daemon.stop()
        case .start: try rig.daemon.start()
        default: throw Refusal("No hand does this.")
        }
        try settle()
    }

    private func window(_ name: String) throws -> UInt { try #require(windows[name]) }

    private func press(_ chord: Chord) {
        key(chord, isDown: true)
        key(chord, isDown: false)
    }

    private func key(_ chord: Chord, isDown: Bool) {
        let names = chord.held + [chord.name]
        for name in isDown ? names : names.reversed() {
            rig.hand.key(code: rig.hand.keycode(name), down: isDown)
        }
    }

    /// Moves the pointer into the middle of a window, where it is not in it.
    private func enter(_ name: String) throws {
        let (frame, now) = (try #require(layout.frames[name]), rig.hand.pointer)
        guard !frame.contains(now.x, now.y) else { return }
        rig.hand.move(toX: frame.middle.x, y: frame.middle.y)
        try settle()
    }
}
