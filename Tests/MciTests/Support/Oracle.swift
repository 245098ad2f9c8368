// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing
import Timeline

/// Moves the devices of an Xorg in a seeded order, and knows what an exact recording says of it.
///
/// Runs of one device follow each other; before the next device's the server has handled the last,
/// so that there is one true order. It shares no code with capture and gate.
struct Oracle {
    /// What must be recorded of one event, and between which moments it happened.
    struct Truth {
        var text: String
        /// The keyboard's name and the key's number.
        var key: (device: String, code: UInt8)?
        /// Milliseconds of wall time: before the run was sent, and when the server had handled it.
        var sent: Int64
        var handled: Int64 = 0

        var isKey: Bool { key != nil }
    }

    private let server: XorgServer
    private let hand: Hand
    private var random: SplitMix
    private(set) var truths: [Truth] = []
    /// How many events were injected; a turned and moved mouse is one, and recorded as two.
    private(set) var injected = 0
    /// The keys that are down.
    private var keys: [String: [UInt8: String]] = [:]
    /// As what each key was pressed last.
    private var symbols: [String: [UInt8: String]] = [:]
    private var buttons: [String: Set<UInt8>] = [:]
    /// The fingers on the glass, by the driver's slot: as which number each is to be recorded.
    private var fingers: [UInt32: Int] = [:]
    /// Whether the pen is at the tablet.
    private var isNear = false
    private let codes: [UInt8]
    /// Whether Shift makes no difference to a key.
    private let isPlain: [UInt8: Bool]
    private let accelerations = [1.0, 0.5, 2.5]

    init(_ server: XorgServer, _ hand: Hand, seed: UInt64) {
        (self.server, self.hand) = (server, hand)
        random = SplitMix(seed: seed)
        let display = hand.display
        let codes = Self.codes(display)
        self.codes = codes
        isPlain = Dictionary(
            codes.map { code in
                let shifted = XkbKeycodeToKeysym(display, code, 0, 1)
                return (code, [0, XkbKeycodeToKeysym(display, code, 0, 0)].contains(shifted))
            },
            uniquingKeysWith: { first, _ in first }
        )
        var (window, revert): (UInt, Int32) = (0, 0)
        XGetInputFocus(display, &window, &revert)
        XSelectInput(display, window, KeyPressMask)
        XAutoRepeatOff(display)
        XSync(display, 0)
    }

    static let devices: [String: InputTestDevice.Kind] = [
        "keyboard 1": .keyboard, "keyboard 2": .keyboard, "mouse 1": .mouse, "mouse 2": .mouse,
        "pen": .tablet, "glass": .touch,
    ]

    /// Injects so many events, evenly, `rate` a second, or as fast as it goes where that is slower.
    ///
    /// - Returns: the rate that was reached.
    mutating func inject(_ count: Int, rate: Int) throws -> Int {
        let end = injected + count
        let start = DispatchTime.now().uptimeNanoseconds
        var due = start
        while injected < end {
            let name =
                [
                    "mouse 1", "mouse 1", "mouse 1", "mouse 2", "keyboard 1", "keyboard 2", "pen",
                    "glass",
                ]
                .randomElement(using: &random) ?? ""
            let device = try server.device(name)
            let first = truths.count
            for _ in 0..<min(Int.random(in: 1...60, using: &random), end - injected) {
                Self.sleep(until: due)
                due += 1_000_000_000 / UInt64(rate)
                switch device.kind {
                case .keyboard: try press(device, name)
                case .tablet: try draw(device, name)
                case .touch: try touch(device, name)
                default: try move(device, name)
                }
                injected += 1
            }
            try device.synchronize()
            let now = Self.now
            for index in first..<truths.count { truths[index].handled = now }
            nameKeys(from: first)
        }
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        return Int(Double(count) / seconds)
    }

    /// Lets go of all keys and buttons.
    mutating func release() throws {
        for (name, held) in keys {
            for code in held.keys.sorted() { try key(server.device(name), name, code) }
        }
        for (name, held) in buttons {
            for number in held.sorted() { try button(server.device(name), name, number) }
        }
        for slot in fingers.keys.sorted() {
            try touch(server.device("glass"), "glass", slot, .end)
        }
        for device in server.devices.values { try device.synchronize() }
        let now = Self.now
        let first = truths.firstIndex { $0.handled == 0 } ?? truths.count
        for index in first..<truths.count { truths[index].handled = now }
        nameKeys(from: first)
    }

    // MARK: Keyboards

    /// Presses or releases a key; on one keyboard four are held at most.
    private mutating func press(_ device: InputTestDevice, _ name: String) throws {
        let held = keys[name] ?? [:]
        if held.count >= 4 || (!held.isEmpty && Bool.random(using: &random)) {
            try key(device, name, held.keys.sorted().randomElement(using: &random) ?? 38)
        } else {
            let others = keys.filter { $0.key != name }.values.flatMap(\.keys)
            // The application is not told of a key that another keyboard holds: its name must then
            // be the same in any case.
            let code = codes.filter {
                held[$0] == nil && (!others.contains($0) || isPlain[$0] == true)
            }
            try key(device, name, code.randomElement(using: &random) ?? 38)
        }
    }

    /// Keys that write ASCII, function keys, arrows, Return, and Shift and Ctrl thrice as often.
    private static func codes(_ display: OpaquePointer) -> [UInt8] {
        (UInt8(8)...255).flatMap { code -> [UInt8] in
            switch XkbKeycodeToKeysym(display, code, 0, 0) {
            case 0x20...0x7E, 0xFFBE...0xFFC9, 0xFF51...0xFF54, 0xFF0D: [code]
            case 0xFFE1...0xFFE4: [code, code, code]
            default: []
            }
        }
    }

    private mutating func key(_ device: InputTestDevice, _ name: String, _ code: UInt8) throws {
        let isDown = keys[name]?.removeValue(forKey: code) == nil
        if isDown { keys[name, default: [:]][code] = "" }
        truths.append(Truth(text: isDown ? "down" : "up", key: (name, code), sent: Self.now))
        try device.key(code, down: isDown)
    }

    /// Names the keys as the application in front was told them, and releases as their presses.
    private mutating func nameKeys(from first: Int) {
        XSync(hand.display, 0)
        var told: [(code: UInt8, symbol: String)] = []
        while XEventsQueued(hand.display, QueuedAlready) > 0 {
            var event = XEvent()
            XNextEvent(hand.display, &event)
            guard event.type == KeyPress else { continue }
            var keysym = KeySym()
            XLookupString(&event.xkey, nil, 0, &keysym, nil)
            told.append((UInt8(event.xkey.keycode), KeysymName.of(UInt32(keysym))))
        }
        var next = 0
        for index in first..<truths.count {
            guard let (name, code) = truths[index].key else { continue }
            if truths[index].text == "down" {
                if next < told.count, told[next].code == code {
                    symbols[name, default: [:]][code] = told[next].symbol
                    next += 1
                } else {
                    // Another keyboard holds the key, so the application is not told.
                    let keysym = XkbKeycodeToKeysym(hand.display, code, 0, 0)
                    symbols[name, default: [:]][code] = KeysymName.of(UInt32(keysym))
                }
            }
            let symbol = symbols[name]?[code] ?? ""
            truths[index].text = "\(name) key \(symbol) \(truths[index].text)"
        }
    }

    // MARK: Pens

    /// Moves a pen, or changes its pressure alone; now and then a button.
    private mutating func draw(_ device: InputTestDevice, _ name: String) throws {
        if !isNear {
            isNear = true
            try device.proximity(true, [0: 1, 1: 1])
        }
        guard Int.random(in: 0..<10, using: &random) > 0 else {
            return try button(device, name, .random(in: 1...3, using: &random))
        }
        let axes = [0, 1, 4].filter { $0 == 4 || Int.random(in: 0..<5, using: &random) > 0 }
        let values = axes.map {
            ($0, Int.random(in: 0...($0 == 4 ? 1023 : 65_535), using: &random))
        }
        note("\(name) axes " + values.map { "\($0.0)=\($0.1)" }.joined(separator: " "))
        let sent = values.map { ($0.0, Double($0.1)) }
        try device.move(Dictionary(uniqueKeysWithValues: sent), absolute: true)
    }

    // MARK: TouchOwners

    /// Puts a finger on the glass, moves one, or lifts it.
    private mutating func touch(_ device: InputTestDevice, _ name: String) throws {
        let slot = UInt32.random(in: 0..<5, using: &random)
        guard fingers[slot] != nil else { return try touch(device, name, slot, .begin) }
        let phase: InputTestDevice.TouchPhase =
            Int.random(in: 0..<5, using: &random) == 0 ? .end : .update
        try touch(device, name, slot, phase)
    }

    private mutating func touch(
        _ device: InputTestDevice,
        _ name: String,
        _ slot: UInt32,
        _ phase: InputTestDevice.TouchPhase
    ) throws {
        let number = fingers[slot] ?? (0..<5).first { !fingers.values.contains($0) } ?? 5
        fingers[slot] = phase == .end ? nil : number
        let axes = [0, 1, 4].filter { $0 < 4 || Bool.random(using: &random) }.map {
            ($0, Int.random(in: 0...($0 == 4 ? 255 : 65_535), using: &random))
        }
        let words = axes.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
        let state = phase == .begin ? "down" : phase == .update ? "move" : "up"
        note("\(name) touch \(number) \(state) \(words)")
        let sent = axes.map { ($0.0, Double($0.1)) }
        try device.touch(slot, phase, Dictionary(uniqueKeysWithValues: sent))
    }

    // MARK: Mice

    private mutating func move(_ device: InputTestDevice, _ name: String) throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<80: try move(device, name, turns: false, moves: true)
        case 80..<88: try move(device, name, turns: true, moves: false)
        case 88..<92: try move(device, name, turns: true, moves: true)
        default: try button(device, name, [1, 2, 3, 8, 9].randomElement(using: &random) ?? 1)
        }
    }

    private mutating func move(
        _ device: InputTestDevice,
        _ name: String,
        turns: Bool,
        moves: Bool
    ) throws {
        var counts: [Int: Double] = [:]
        if turns {
            let (across, down) = (wheel(), wheel())
            if across != 0 { counts[2] = Double(across) }
            counts[3] = Double(down == 0 ? 120 : down)
            note("\(name) scroll \(across) \(down == 0 ? 120 : down)")
        }
        if moves {
            let reach: Int32 = Bool.random(using: &random) ? 8 : 400
            let dx = Int32.random(in: -reach...reach, using: &random)
            let dy = Int32.random(in: 1...reach, using: &random) * (dx % 2 == 0 ? 1 : -1)
            if dx != 0 { counts[0] = Double(dx) }
            counts[1] = Double(dy)
            note("\(name) motion \(dx) \(dy)")
        }
        let acceleration = accelerations.randomElement(using: &random) ?? 1
        try device.move(
            counts.reduce(into: [:]) {
                $0[$1.key] = $1.key < 2 ? $1.value * acceleration : $1.value
            },
            counts: counts
        )
    }

    /// Counts of a wheel: high-resolution wheels send parts of a notch.
    private mutating func wheel() -> Int {
        [0, 0, 15, -15, 120, -120, 7, -1, 240].randomElement(using: &random) ?? 0
    }

    private mutating func button(
        _ device: InputTestDevice,
        _ name: String,
        _ number: UInt8
    ) throws {
        let isDown = buttons[name, default: []].insert(number).inserted
        if !isDown { buttons[name]?.remove(number) }
        note("\(name) button \(number) \(isDown ? "down" : "up")")
        try device.button(number, down: isDown)
    }

    // MARK: Time

    private mutating func note(_ text: String) {
        truths.append(Truth(text: text, sent: Self.now))
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func sleep(until due: UInt64) {
        let now = DispatchTime.now().uptimeNanoseconds
        if due > now { usleep(UInt32((due - now) / 1000)) }
    }
}
