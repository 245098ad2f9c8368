// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import Policy
import Recording
import System
import Testing

@testable import Capture

/// The recorder as in the daemon, with a scripted X server and a clock that stands still.
///
/// It tells what capture would: whose the input is, and what each key is on a us keyboard.
final class ScriptedStage: Stage {
    /// The recorder; another one after each start.
    private(set) var session: ScriptedSession
    private let windows: WindowLayout
    private var titles: [String: String] = [:]
    private var focused: String?
    /// The window under the pointer; nil for the background.
    private var pointed: String?
    private var isGrabbed = false
    private var askingIn: String?
    private var modifiers = Modifiers()
    private var connections = 0
    var exemptions: [Int] = []

    private enum DeviceID {
        static let keyboard: UInt8 = 5
        static let program: UInt8 = 6
        static let mouse: UInt8 = 7
    }

    /// - Parameters:
    ///   - windows: where they are.
    ///   - session: with a recorder that another scenario left; nil for a new one.
    /// - Throws: where it does not start.
    init(_ windows: WindowLayout, after session: ScriptedSession? = nil) throws {
        self.windows = windows
        self.session =
            try session
            ?? ScriptedSession(detail: .shortcuts, syntheticKeys: false, isInMemory: true)
        if session == nil { look() } else { try prepare(syntheticKeys: false) }
        // A step of five seconds begins.
        pass(TypingRun.step - self.session.now.monotonic.milliseconds % TypingRun.step)
    }

    func arrange() {}

    func withdrawPolicy() { Disk.remove(policy.current) }

    var paths: Paths { session.folder.paths }
    var policy: PolicyFile { PolicyFile("\(session.folder.path)/policy.json") }
    var now: WallTime { session.now.wall }

    @discardableResult
    func call(_ call: ControlCall) throws -> ControlReply {
        // A person does nothing at the same moment as something else.
        pass(100)
        defer { look() }
        return try session.recorder.handle(call)
    }

    func settle() throws { pass(200) }

    private func pass(_ milliseconds: Int64) {
        session.pass(milliseconds)
        look()
    }

    func play(_ step: Scenario.Step) throws {
        switch step {
        case .title(let name, let title):
            titles[name] = title
            tellContexts()
        case .focus(let name):
            focused = name
            tell(.keyboard)
        case .type(let text, let byProgram):
            for character in text {
                press(try #require(Chord(character)), byProgram)
            }
        case .press(let chord, let byProgram): press(chord, byProgram)
        case .hold(let chord): key(chord, isDown: true, false)
        case .letGo(let chord): key(chord, isDown: false, false)
        case .click(let number, let name):
            enter(name)
            for isDown in [true, false] { act(.button(number: number, isDown: isDown)) }
        case .scroll(let way, let name):
            enter(name)
            act(.scroll(dx: way.turn.dx, dy: way.turn.dy))
        case .move(let name):
            enter(name)
            act(.motion(dx: 3, dy: 3))
        case .grab(let begins):
            isGrabbed = begins
            tell(.keyboard)
        case .prompt(let name, let asks):
            askingIn = asks ? name : nil
            tell(.keyboard)
        case .wait(let time): pass(time)
        case .waitUntil(let minute):
            // At once to the minute before, for nobody sees the hours until then.
            while weekMinute.next != minute { session.advance(60_000) }
            pass(60_000 - now.milliseconds % 60_000)
        case .mark(let isSeen):
            pass(1000)
            session.source.setMark(isSeen: isSeen, at: session.now.monotonic)
            pass(1000)
        case .attend(let closed):
            let call = ControlCall.AttendCall(closed: closed, leaseMs: 60_000)
            _ = try session.recorder.handle(.attend(call), from: 1)
        case .companionEnds: session.recorder.end([1])
        case .sleep(let time):
            session.now.boottime += time
            session.now.wall.milliseconds += time
            pass(10)
        case .kill:
            // Nothing that was done is lost by this: it is on disk before.
            try call(.flush)
        case .stop: session.recorder.stop()
        case .start:
            session.advance(1000)
            session = try ScriptedSession(after: session)
            connections = 0
            look()
        default: throw Refusal("No hand does this.")
        }
        pass(100)
    }

    /// UTC; 1970 began on a Thursday.
    private var weekMinute: WeekMinute {
        let minutes = Int(now.milliseconds / 60_000)
        return WeekMinute(day: (minutes / 1440 + 3) % 7, minuteOfDay: minutes % 1440)
    }

    // MARK: What capture says

    /// A new connection finds out what devices there are, and whose the input is.
    private func look() {
        guard session.source.isConnected else { return }
        guard session.source.connections != connections else { return }
        connections = session.source.connections
        var program = Device(name: "Virtual core XTEST keyboard", kind: .keyboard)
        program.isInjected = true
        session.arrive(
            .devices([
                DeviceID.keyboard: Device(name: "Desk keyboard", kind: .keyboard),
                DeviceID.program: program,
                DeviceID.mouse: Device(name: "Desk pointer", kind: .mouse),
            ])
        )
        tellContexts()
    }

    private func tellContexts() {
        for stream in Events.InputStream.allCases { tell(stream) }
    }

    private func tell(_ stream: Events.InputStream) {
        session.arrive(.context(context(of: stream), stream: stream, at: session.now.monotonic))
    }

    private func context(of stream: Events.InputStream) -> AppContext {
        switch stream {
        case .keyboard:
            if isGrabbed { return .grabbed }
            return focused.map { .window(facts($0)) } ?? .unknown
        case .pointer:
            return pointed.map { .window(facts(windows.outermost(of: $0))) }
                ?? .window(WindowFacts(app: "", title: ""))
        }
    }

    private func facts(_ name: String) -> WindowFacts {
        var facts = ownFacts(name)
        var around: [String] = []
        var outer = windows.hosts[name]
        while let host = outer {
            around.append(host)
            outer = windows.hosts[host]
        }
        around += windows.names.filter { windows.hosts[$0] == name }
        facts.around = around.map(ownFacts)
        return facts
    }

    private func ownFacts(_ name: String) -> WindowFacts {
        var facts = WindowFacts(app: name, instance: name, mayAskForSecret: name == askingIn)
        if session.source.isTitleNeeded(facts) { facts.title = titles[name] ?? name }
        return facts
    }

    // MARK: What hands do

    private func press(_ chord: Chord, _ byProgram: Bool) {
        key(chord, isDown: true, byProgram)
        key(chord, isDown: false, byProgram)
    }

    private func key(_ chord: Chord, isDown: Bool, _ byProgram: Bool) {
        let held = chord.held.compactMap { name in
            Chord.modifiers.first { $0.name == name }.flatMap { Chord($0.word) }
        }
        let strokes = isDown ? held + [chord] : [chord] + held.reversed()
        for stroke in strokes { move(stroke, isDown: isDown, byProgram) }
    }

    /// A single key goes down or up.
    private func move(_ stroke: Chord, isDown: Bool, _ byProgram: Bool) {
        let keysym = stroke.keysym(under: modifiers)
        let key = RawEvent.Key(
            keycode: USLayout.keycode(stroke.keysym) ?? 0x80 | UInt8(stroke.keysym & 0x7F),
            isDown: isDown,
            keyClass: KeyClass(keysym: keysym),
            modifiers: modifiers,
            keysym: keysym
        )
        // What one program holds the server withholds from all others.
        if !isGrabbed {
            let device = byProgram ? DeviceID.program : DeviceID.keyboard
            let raw = RawEvent(time: session.now.monotonic, device: device, payload: .key(key))
            session.arrive(.input(raw, stream: .keyboard))
        }
        if let bit = Chord.modifiers.first(where: { $0.name == stroke.name })?.bit {
            if isDown { modifiers.insert(bit) } else { modifiers.remove(bit) }
        }
        pass(5)
    }

    /// The pointer goes into a window: what leads there begins where it was.
    private func enter(_ name: String) {
        guard pointed != name else { return }
        act(.motion(dx: 100, dy: 100))
        pointed = name
        tell(.pointer)
    }

    private func act(_ payload: RawEvent.Payload) {
        var raw = RawEvent(
            time: session.now.monotonic,
            device: DeviceID.mouse,
            payload: payload
        )
        if case .motion = payload {
        } else if let middle = pointed.flatMap({ windows.frames[$0]?.middle }) {
            raw.pixel = Pixel(x: Int16(middle.x), y: Int16(middle.y))
        }
        session.arrive(.input(raw, stream: .pointer))
        pass(5)
    }
}
