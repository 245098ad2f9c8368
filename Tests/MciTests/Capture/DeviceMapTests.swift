// SPDX-License-Identifier: Apache-2.0

import CX11
import Capture
import Events
import Foundation
import Person
import Testing

/// Maps of several keyboards that change while keys wait: each key has the keysym of its own device
/// at its own moment, or none.
@Suite(.serialized) struct DeviceMapTests {
    /// The keysyms of F13 to F22, on the keycodes of the digits 1 to 9 and 0.
    private static let functionKeys: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: (0..<10).map { (UInt8(10 + $0), UInt32(0xFFCA + $0)) }
    )

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `a digit is a digit beside a pad whose digits are function keys`() throws {
        let server = try XorgServer(["keys": .keyboard, "pad": .keyboard])
        try server.editMap(of: "pad", KeyMapEdit.digitsToFunctionKeys)
        let reader = try StepReader(server)
        let ids = try server.deviceIDs()
        var random = SplitMix(seed: 151)
        var expected: [UInt32] = []
        var seen: [UInt32] = []
        func read() throws { seen += try reader.presses().map(\.key.keysym) }
        for _ in 0..<300 {
            let name = ["keys", "pad"].randomElement(using: &random) ?? "keys"
            let code = UInt8.random(in: 10...19, using: &random)
            try server.device(name).tap(code)
            let digit = UInt32(0x30 + (Int(code) - 9) % 10)
            expected.append(name == "pad" ? Self.functionKeys[code] ?? 0 : digit)
            if Int.random(in: 0..<3, using: &random) == 0 { try read() }
        }
        seen += try reader.presses(expected.count - seen.count).map(\.keysym)
        #expect(ids["keys"] != nil && ids["pad"] != nil)
        #expect(seen == expected)
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `each of two keyboards writes the letters of its own layout`() throws {
        let server = try XorgServer(["latin": .keyboard, "russian": .keyboard])
        try server.setLayout(LayoutNames("us"))
        let id = try #require(try server.deviceIDs()["russian"])
        try server.setLayout(LayoutNames("ru"), of: id)
        let reader = try StepReader(server)
        var random = SplitMix(seed: 152)
        var expected: [UInt32] = []
        var shifts = 0
        for _ in 0..<200 {
            let name = ["latin", "russian"].randomElement(using: &random) ?? "latin"
            // The key of a and ф, with Shift of the same keyboard or of the other one at times.
            let shift = [nil, "latin", "russian"].randomElement(using: &random) ?? nil
            if let shift { try server.device(shift).key(50, down: true) }
            try server.settle()
            try server.device(name).tap(38)
            try server.settle()
            if let shift { try server.device(shift).key(50, down: false) }
            try server.settle()
            let capital: UInt32 = name == "latin" ? 0x41 : 0x6E6
            expected.append(shift == nil ? (name == "latin" ? 0x61 : 0x6C6) : capital)
            shifts += shift == nil ? 0 : 1
        }
        let presses = try reader.presses(200 + shifts).filter { $0.keycode == 38 }
        #expect(presses.map(\.keysym) == expected)
        #expect(presses.allSatisfy { $0.keyClass == .letter })
    }

    @Test func `a key that was read before its map changed keeps the meaning it had`() throws {
        let desktop = try Desktop()
        try desktop.setLayout(LayoutNames("us"))
        let hand = try Hand(desktop)
        let reader = try StepReader(desktop)
        for _ in 0..<10 {
            hand.tap(10)
            hand.tap(11)
        }
        hand.map(10, to: 0xFFCA)
        hand.tap(10)
        hand.tap(11)
        hand.flush()
        let presses = try reader.presses().map(\.key)
        #expect(presses.prefix(20).map(\.keysym) == (0..<20).map { 0x31 + UInt32($0 % 2) })
        // Behind the notice of the change nobody has read the map yet; the other key has its own.
        #expect(presses.suffix(2).map(\.keysym) == [0, 0x32])
        #expect(presses.suffix(2).first?.keyClass == .key)
        hand.tap(10)
        hand.tap(11)
        hand.flush()
        #expect(try reader.presses().map(\.key.keysym) == [0xFFCA, 0x32])
    }

    @Test func `a keysym lent to a keycode is nobody's until the map was read behind the notice`()
        throws
    {
        let desktop = try Desktop()
        try desktop.setLayout(LayoutNames("us"))
        let reader = try StepReader(desktop)
        let typed = try Program.run(
            "xdotool",
            ["type", "aéß→b"],
            environment: ["DISPLAY": desktop.display, "LC_ALL": "C.UTF-8"]
        )
        try #require(typed.code == 0, "\(typed.errors)")
        let presses = try reader.presses().map(\.key)
        #expect(presses.map(\.keysym) == [0x61, 0, 0, 0, 0x62])
        #expect(presses.map(\.keyClass) == [.letter, .key, .key, .key, .letter])
        #expect(presses.allSatisfy { $0.modifiers == [] && $0.shortcut == 0 })
    }

    @Test func `read at any moment, a lent keysym is right or none`() throws {
        let desktop = try Desktop()
        try desktop.setLayout(LayoutNames("us"))
        let hand = try Hand(desktop)
        let reader = try StepReader(desktop)
        var random = SplitMix(seed: 153)
        var expected: [UInt32] = []
        var seen: [RawEvent.Key] = []
        // é, ß, →, F13, and the digit.
        let lent: [UInt32] = [0xE9, 0xDF, 0x100_2192, 0xFFCA, 0x31]
        var current: UInt32 = 0x31
        for _ in 0..<400 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                current = lent.randomElement(using: &random) ?? 0x31
                hand.map(10, to: current)
            case 1: seen += try reader.presses().map(\.key)
            default:
                hand.tap(10)
                hand.flush()
                expected.append(current)
            }
        }
        seen += try reader.presses(expected.count - seen.count)
        try #require(seen.count == expected.count)
        let wrong = zip(seen, expected).filter { $0.keysym != 0 && $0.keysym != $1 }
        #expect(wrong.isEmpty)
        let known = seen.filter { $0.keysym != 0 }.count
        #expect(known * 3 > seen.count, "\(known) of \(seen.count) are known")
        #expect(seen.allSatisfy { $0.keysym != 0 || ($0.keyClass == .key && $0.shortcut == 0) })
    }

    @Test func `what changes by turns during a reading is read by the map of its moment`() throws {
        let desktop = try Desktop()
        try desktop.setLayout(LayoutNames("us"))
        let hand = try Hand(desktop)
        let reader = try StepReader(desktop)
        hand.tap(29)
        hand.flush()
        // A whole map, back and forth, all within a reading: y is z on a German keyboard.
        for layout in ["de", "us"] {
            try desktop.setLayout(LayoutNames(layout))
            hand.tap(29)
            hand.flush()
        }
        #expect(try reader.presses().map(\.key.keysym) == [0x79, 0, 0])
        try desktop.setLayout(LayoutNames("de"))
        #expect(try reader.presses().isEmpty)
        hand.tap(29)
        hand.flush()
        #expect(try reader.presses().map(\.key.keysym) == [0x7A])
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `groups and modifiers are those of the screen's keyboard that a device types for`() throws
    {
        let server = try XorgServer(["one": .keyboard, "two": .keyboard])
        try server.setLayout(LayoutNames("us,ru"))
        let hand = try Hand(server)
        hand.addMaster(name: "second")
        let ids = try server.deviceIDs()
        let second = try #require(ids["second keyboard"])
        hand.attach(try #require(ids["two"]), to: second)
        // The new keyboard takes over the map of the device that types for it, with its groups.
        try server.device("two").tap(65)
        let reader = try StepReader(server)
        XkbLockGroup(hand.display, UInt32(second), 1)
        hand.flush()
        // Shift is held on the first one alone.
        try server.device("one").key(50, down: true)
        try server.settle()
        for _ in 0..<3 {
            for name in ["one", "two"] {
                try server.device(name).tap(38)
                try server.settle()
            }
        }
        let presses = try reader.presses().map(\.key).filter { $0.keycode == 38 }
        #expect(presses.map(\.keysym) == [0x41, 0x6C6, 0x41, 0x6C6, 0x41, 0x6C6])
        #expect(presses.map(\.modifiers) == [.shift, [], .shift, [], .shift, []])
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `a key is named as the program that got it names it, or not at all`() throws {
        let server = try XorgServer(["one": .keyboard, "two": .keyboard])
        try server.setLayout(LayoutNames("us,ru"))
        let hand = try Hand(server)
        let window = hand.openWindow(app: "Plain")
        hand.listen(window)
        let ids = try server.deviceIDs()
        let devices = try ["one", "two"].map { (try server.device($0), try #require(ids[$0])) }
        let reader = try StepReader(server)
        var random = SplitMix(seed: 154)
        var expected: [UInt32] = []
        var seen: [RawEvent.Key] = []
        var isShifted = [false, false]
        for _ in 0..<(isProof ? 20_000 : 600) {
            let number = Int.random(in: 0...1, using: &random)
            let (device, id) = devices[number]
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let spec = try #require(
                    [UInt32(XkbUseCoreKbd), UInt32(id)].randomElement(using: &random)
                )
                let group = UInt32.random(in: 0...1, using: &random)
                XkbLockGroup(hand.display, spec, group)
                hand.flush()
            case 1:
                isShifted[number].toggle()
                try device.key(50, down: isShifted[number])
                try device.synchronize()
                hand.flush()
                _ = hand.keysymsHeard()
            case 2:
                // Of one device, which the screen's keyboard takes over when another one has typed.
                let keysym = UInt32.random(in: 0x61...0x7A, using: &random)
                let code = UInt8.random(in: 24...33, using: &random)
                hand.map(Int32(code), to: keysym, of: id)
            case 3 where Int.random(in: 0..<4, using: &random) == 0:
                // All of one device, or of the screen's keyboard itself.
                let spec = [id, 3].randomElement(using: &random) ?? id
                try server.setLayout(
                    LayoutNames(["us,ru", "de,gr"].randomElement() ?? ""),
                    of: spec
                )
            case 3, 4: seen += try reader.presses().map(\.key)
            default:
                let code = UInt8.random(in: 24...33, using: &random)
                try device.tap(code)
                expected += hand.keysymsHeard()
            }
        }
        _ = try eventually {
            seen += try reader.presses().map(\.key)
            return seen.filter { $0.keycode != 50 }.count >= expected.count
        }
        seen.removeAll { $0.keycode == 50 }
        try #require(seen.count == expected.count)
        let wrong = zip(seen, expected).filter { $0.keysym != 0 && $0.keysym != $1 }
        #expect(wrong.isEmpty)
        let known = seen.filter { $0.keysym != 0 }.count
        print(
            "maps: \(seen.count) keys, \(known) named, \(wrong.count) otherwise than by the program"
        )
        #expect(known * 2 > seen.count)
    }

    @Test func `an id that was another device's in between has that one's name at no event`() throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        hand.addMaster(name: "alpha")
        let before = try desktop.deviceIDs()
        let reader = try DeviceReader(desktop)
        var names: [String?] = []
        for (gone, here) in [("alpha", "beta"), ("beta", "alpha")] {
            try hand.removeMaster(#require(desktop.deviceIDs()["\(gone) pointer"]))
            hand.addMaster(name: here)
            try hand.use(pointer: #require(desktop.deviceIDs()["\(here) pointer"]))
            hand.tap(38)
            hand.flush()
        }
        #expect(try desktop.deviceIDs() == before)
        let keys = try reader.read()
        #expect(Set(keys.map(\.device)) == [before["alpha XTEST keyboard"]])
        names += keys.map(\.name)
        #expect(names == [nil, nil, nil, nil])
        #expect(reader.source.lookDue == 0, "the next reading makes it certain")
        _ = try reader.read()
        hand.tap(38)
        hand.flush()
        let later = try reader.read()
        #expect(later.map(\.name) == ["alpha XTEST keyboard", "alpha XTEST keyboard"])
        #expect(later.first?.keysym == 0x61)
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `what a device does before it is certain which one it is has no context`() throws {
        let server = try XorgServer(["mouse": .mouse])
        let hand = try Hand(server)
        hand.openWindow(app: "Canvas", isWide: true)
        let mouse = try server.device("mouse")
        let id = try #require(try server.deviceIDs()["mouse"])
        let reader = try StepReader(server)
        func moves(_ counts: [Int: Double]) throws -> [String?] {
            try mouse.move(counts)
            try mouse.synchronize()
            hand.flush()
            return try reader.read().map { $0.context.facts?.app }
        }
        _ = try moves([0: 1])
        _ = try moves([0: 1])
        let axes: [[Int: Double]] = [[0: 3, 1: 2], [0: 3, 3: 120], [1: 7]]
        for counts in axes {
            #expect(try moves(counts).allSatisfy { $0 == "Canvas" })
            hand.attach(id, to: nil)
            hand.attach(id, to: 2)
            let first = try moves(counts)
            #expect(!first.isEmpty && first.allSatisfy { $0 == nil })
            let next = try moves(counts)
            #expect(!next.isEmpty && next.allSatisfy { $0 == "Canvas" })
        }
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `a keyboard that comes has no names until its map was read`() throws {
        let server = try XorgServer(["keys": .keyboard, "pad": .keyboard])
        try server.editMap(of: "pad", KeyMapEdit.digitsToFunctionKeys)
        let hand = try Hand(server)
        let ids = try server.deviceIDs()
        let pad = try #require(ids["pad"])
        let reader = try StepReader(server)
        hand.attach(pad, to: nil)
        hand.attach(pad, to: 3)
        try server.device("pad").tap(10)
        try server.device("keys").tap(10)
        try server.settle()
        let presses = try reader.presses()
        #expect(presses.map(\.device) == [pad, try #require(ids["keys"])])
        #expect(presses.map(\.key.keysym) == [0, 0x31])
        try server.device("pad").tap(10)
        try server.settle()
        #expect(try reader.presses().map(\.key.keysym) == [0xFFCA])
    }
}

/// Reads the keys with the names of their devices.
private final class DeviceReader {
    let source: X11Source
    private var devices: [UInt8: Device] = [:]

    init(_ desktop: Desktop) throws {
        source = try X11Source(of: desktop)
        _ = try read()
    }

    func read() throws -> [(device: UInt8, name: String?, keysym: UInt32)] {
        var keys: [(device: UInt8, name: String?, keysym: UInt32)] = []
        _ = try source.drain(now: SystemClock.now().monotonic) {
            switch $0 {
            case .devices(let new): devices = new
            case .input(let event, .keyboard):
                guard case .key(let key) = event.payload else { return }
                keys.append((event.device, devices[event.device]?.name, key.keysym))
            default: break
            }
        }
        return keys
    }
}

/// Changes of a map as text.
enum KeyMapEdit {
    /// The digits of the upper row become F13 to F22.
    static func digitsToFunctionKeys(_ map: String) -> String {
        var lines = map.components(separatedBy: "\n")
        for (number, line) in lines.enumerated() {
            for key in 1...10 {
                let name = String(format: "key <AE%02d>", key)
                if line.contains(name) { lines[number] = "    \(name) { [ F\(12 + key) ] };" }
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension StepReader {
    /// Reads until so many keys went down, all of which the server has handled: one reading brings no
    /// more than the kernel's buffer holds.
    fileprivate func presses(_ count: Int) throws -> [RawEvent.Key] {
        var keys: [RawEvent.Key] = []
        try #require(
            eventually {
                keys += try presses().map(\.key)
                return keys.count >= count
            }
        )
        return keys
    }

    /// Reads what has come: the keys that went down, with their device.
    fileprivate func presses() throws -> [(device: UInt8, key: RawEvent.Key)] {
        try read().compactMap { event, _ in
            guard case .key(let key) = event.payload, key.isDown else { return nil }
            return (event.device, key)
        }
    }
}

extension InputTestDevice {
    fileprivate func tap(_ code: UInt8) throws {
        try key(code, down: true)
        try key(code, down: false)
        try synchronize()
    }
}

extension Hand {
    fileprivate func tap(_ code: UInt32) {
        key(code: code, down: true)
        key(code: code, down: false)
    }

    /// Puts a keysym on a key of one device.
    fileprivate func map(_ code: Int32, to keysym: UInt32, of device: UInt8) {
        guard let opened = XOpenDevice(display, XID(device)) else { return }
        var keysyms = [KeySym(keysym)]
        XChangeDeviceKeyMapping(display, opened, code, 1, &keysyms, 1)
        flush()
        XCloseDevice(display, opened)
    }

    /// The keysyms of the keys that windows got since the last call, by the map as it is now.
    fileprivate func keysymsHeard() -> [UInt32] {
        flush()
        var event = XEvent()
        var keysyms: [UInt32] = []
        while XCheckMaskEvent(display, KeyPressMask, &event) != 0 {
            let parts = UInt32(XkbKeyTypesMask | XkbKeySymsMask)
            let map = XkbGetMap(display, parts, UInt32(XkbUseCoreKbd))
            var (consumed, keysym): (UInt32, KeySym) = (0, 0)
            let code = UInt8(event.xkey.keycode)
            XkbTranslateKeyCode(map, code, event.xkey.state, &consumed, &keysym)
            keysyms.append(UInt32(keysym))
            XkbFreeKeyboard(map, 0, 1)
        }
        return keysyms
    }

    fileprivate func removeMaster(_ pointer: UInt8) {
        var change = XIAnyHierarchyChangeInfo()
        change.remove = XIRemoveMasterInfo(
            type: XIRemoveMaster,
            deviceid: Int32(pointer),
            return_mode: XIFloating,
            return_pointer: 0,
            return_keyboard: 0
        )
        XIChangeHierarchy(display, &change, 1)
        flush()
    }

    /// What this hand does from now on it does with another pointer and its keyboard.
    fileprivate func use(pointer: UInt8) {
        XISetClientPointer(display, 0, Int32(pointer))
        flush()
    }

    /// Puts a keysym on a key of all keyboards, as xmodmap does.
    fileprivate func map(_ code: Int32, to keysym: UInt32) {
        var keysyms = [KeySym(keysym)]
        XChangeKeyboardMapping(display, code, 1, &keysyms, 1)
        flush()
    }
}

extension Desktop {
    /// The devices there are, by their name.
    func deviceIDs() throws -> [String: UInt8] {
        let display = try #require(XOpenDisplay(display))
        defer { XCloseDisplay(display) }
        var ids: [String: UInt8] = [:]
        for (id, name) in RawWitness.deviceNames(display) { ids[name] = UInt8(id) }
        return ids
    }

    /// Waits until the server has passed on what its devices did.
    fileprivate func settle() throws {
        let display = try #require(XOpenDisplay(display))
        XSync(display, 0)
        XCloseDisplay(display)
    }

    /// Gives one keyboard another layout.
    fileprivate func setLayout(_ names: LayoutNames, of device: UInt8) throws {
        let map = try Program.run(
            "setxkbmap",
            [
                "-display", display, "-rules", "evdev", "-model", "pc105", "-layout", names.layout,
                "-print",
            ]
        )
        try load(map.output, device)
    }

    /// Changes the map of one keyboard, as text.
    func editMap(of name: String, _ edit: (String) -> String) throws {
        let device = try #require(try deviceIDs()[name])
        try load(edit(map()), device)
    }

    private func load(_ map: String, _ device: UInt8) throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/map.xkb"
        try map.write(toFile: file, atomically: true, encoding: .isoLatin1)
        let result = try Program.run("xkbcomp", ["-w0", "-i", "\(device)", file, display])
        try #require(result.code == 0, "\(result.errors)")
    }
}
