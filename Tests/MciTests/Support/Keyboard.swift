// SPDX-License-Identifier: Apache-2.0

import CX11
import Capture
import Events
import Foundation
import Gate
import Synchronization
import Testing
import Timeline

/// Names of a layout, as setxkbmap takes them.
struct LayoutNames: CustomTestStringConvertible, Sendable {
    var layout: String
    var variant = ""
    var options = ""

    init(_ layout: String, variant: String = "", options: String = "") {
        (self.layout, self.variant, self.options) = (layout, variant, options)
    }

    var testDescription: String {
        [layout, variant, options].filter { !$0.isEmpty }.joined(separator: " ")
    }
}

private let displayLock = Mutex(())

extension Desktop {
    /// Runs `body` while new connections of this process go to this desktop.
    func asDisplay<T>(_ body: () throws -> T) throws -> T {
        try displayLock.withLock { _ in
            let before = ProcessInfo.processInfo.environment["DISPLAY"] ?? ""
            setenv("DISPLAY", display, 1)
            defer { setenv("DISPLAY", before, 1) }
            return try body()
        }
    }

    /// Gives the keyboard another layout.
    func setLayout(_ names: LayoutNames) throws {
        let result = try Program.run(
            "setxkbmap",
            [
                "-display", display, "-rules", "evdev", "-model", "pc105", "-layout", names.layout,
                "-variant", names.variant, "-option", "",
            ] + (names.options.isEmpty ? [] : ["-option", names.options])
        )
        try #require(result.code == 0, "\(result.errors)")
    }

    /// The map in force, as text.
    func map() throws -> String {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/map.xkb"
        try #require(try Program.run("xkbcomp", ["-w0", display, file]).code == 0)
        return try String(contentsOfFile: file, encoding: .isoLatin1)
    }

    /// Changes the map that is in force, as text.
    func editMap(_ edit: (String) -> String) throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/map.xkb"
        try edit(map()).write(toFile: file, atomically: true, encoding: .isoLatin1)
        let result = try Program.run("xkbcomp", ["-w0", file, display])
        try #require(result.code == 0, "\(result.errors)")
    }
}

/// What capture and the gate make of a desktop's keys, without a daemon.
final class Listener {
    /// A press: what capture saw, and what the gate lets out at `shortcuts`.
    struct Press {
        var raw: RawEvent.Key
        var told: StoredKey

        /// The class, the modifiers, and the name where it is told.
        var line: String {
            ([told.keyClass.name, told.modifiers.words.joined(separator: "+")]
                + [told.keysym == 0 ? "" : KeysymName.of(told.keysym)])
                .filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private let source = X11Source()
    private var gate = Gate(stopped: EventTime(0))
    private var now: EventTime { EventTime(Int64(ProcessInfo.processInfo.systemUptime * 1000)) }

    init(_ desktop: Desktop) throws {
        try desktop.asDisplay { try source.connect() }
        var open = Gate.Conditions()
        open.keyDetail = .classes
        (open.hasConsent, open.isSound, open.hasSpace, open.isConnected) = (true, true, true, true)
        (open.isAwake, open.isMarked) = (true, true)
        gate.set(open, at: EventTime(0)) { _ in }
        _ = gate.take(.context(.app("Editor"), stream: .keyboard, at: EventTime(0))) { _ in }
    }

    /// The presses among so many events of keys, once they have come.
    func presses(among count: Int) throws -> [Press] {
        var keys: [RawEvent] = []
        let came = try eventually {
            _ = try source.drain(now: now) { event in
                if case .input(let raw, .keyboard) = event { keys.append(raw) }
            }
            return keys.count >= count
        }
        try #require(came && keys.count == count, "\(keys.count) of \(count) came")
        return keys.compactMap { raw in
            guard case .key(let key) = raw.payload, key.isDown else { return nil }
            var told: StoredKey?
            _ = gate.take(.input(raw, stream: .keyboard)) { output in
                if case .event(let event) = output, case .key(let key) = event.payload, key.isDown {
                    told = key
                }
            }
            return told.map { Press(raw: key, told: $0) }
        }
    }
}

/// Keys by their place: as a us keyboard labels them, and some by name.
enum Place {
    static let codes: [String: UInt32] = {
        var codes: [String: UInt32] = [
            "shift": 50, "ctrl": 37, "rctrl": 105, "alt": 64, "altgr": 108, "super": 133,
            "caps": 66, "num": 77, "menu": 135, "space": 65, "return": 36, "tab": 23, "left": 113,
            "f1": 67, "lsgt": 94, "kp1": 87, "kp5": 84, "kpdot": 91, "kpdiv": 106, "kpenter": 104,
            "backspace": 22,
        ]
        let rows: [(UInt32, String)] = [
            (10, "1234567890-="), (24, "qwertyuiop[]"), (38, "asdfghjkl;'`"), (51, "\\zxcvbnm,./"),
        ]
        for (first, row) in rows {
            for (offset, label) in row.enumerated() {
                codes[String(label)] = first + UInt32(offset)
            }
        }
        return codes
    }()
}

extension Hand {
    /// Presses chords: words like `ctrl+c`, in the order given; the number of events made.
    func press(chords: String) throws -> Int {
        var count = 0
        for chord in chords.split(separator: " ") {
            let codes = try chord.split(separator: "+").map {
                try #require(Place.codes[String($0)])
            }
            for code in codes { key(code: code, down: true) }
            for code in codes.reversed() { key(code: code, down: false) }
            count += 2 * codes.count
        }
        return count
    }

    /// Puts another group in force.
    func lockGroup(_ group: UInt32) {
        XkbLockGroup(display, UInt32(XkbUseCoreKbd), group)
    }
}
