// SPDX-License-Identifier: Apache-2.0

import Events

/// The target's XTEST keyboard and pointer; it remembers what is pressed, and can release it.
final class XTestDevice {
    private let connection: WireConnection
    private let map: KeyMap
    /// NumLock's modifier bit, because the keyboard mapping assigns modifiers to bits.
    private let numLock: UInt8

    /// Keycodes without a keysym of their own, and what is assigned to them; the last used are
    /// last.
    private var spares: [(keycode: UInt8, keysym: UInt32)]
    /// How often each key is pressed, because two recorded keyboards may hold the same key.
    private var keys: [UInt8: Int] = [:]
    private var buttons: Set<UInt8> = []
    /// The server's pointer mapping: the logical number of each button from 1 on; 0 is disabled.
    private let buttonMap: [UInt8]
    private var locks: Modifiers?

    /// Queries the target's keyboard and buttons.
    ///
    /// - Throws: ``ReplayError``.
    init(_ target: Target) throws(ReplayError) {
        connection = target.connection
        let codes = connection.keycodes
        guard try connection.ask(WireRequest(.keyboardVersion, 1)) != nil,
            let reply = try connection.ask(.keyboardMapping(codes)),
            let modifiers = try connection.ask(WireRequest(.getModifierMapping)),
            let buttons = try connection.ask(WireRequest(.getPointerMapping))
        else { throw ReplayError(.unsuitable, WireRequest.Extension.keyboard.rawValue) }
        let width = Int(try reply.byte(1))
        var keysyms: [UInt32] = []
        for index in 0..<width * codes.count { keysyms.append(try reply.uint32(32 + 4 * index)) }
        var numbers: [UInt8] = []
        for index in 0..<Int(try buttons.byte(1)) { numbers.append(try buttons.byte(32 + index)) }
        buttonMap = numbers
        map = KeyMap(first: codes.lowerBound, width: width, keysyms: keysyms)
        spares = map.spares.map { ($0, 0) }
        let size = Int(try modifiers.byte(1))
        let numLockKey = map.keycode(holding: Self.numLockKeysym)
        var bit: UInt8 = 0
        for index in 0..<8 * size where try modifiers.byte(32 + index) == numLockKey {
            bit = 1 << UInt8(index / size)
        }
        numLock = bit
    }

    private static let numLockKeysym: UInt32 = 0xFF7F

    /// Whether a keysym is assigned to any spare keycode.
    var haveLentKeys: Bool { spares.contains { $0.keysym != 0 } }

    /// Whether no key and no button is held.
    var areEmpty: Bool { keys.isEmpty && buttons.isEmpty }

    // MARK: Keys

    /// Finds a keycode for a keysym; a spare one is assigned when no key has it.
    ///
    /// - Returns: nil when every spare key is held.
    /// - Throws: ``ReplayError``.
    func keycode(for wanted: WantedKey) throws(ReplayError) -> UInt8? {
        if let keycode = map.keycode(for: wanted) { return keycode }
        let known = spares.firstIndex { $0.keysym == wanted.keysym }
        guard let index = known ?? spares.firstIndex(where: { keys[$0.keycode] == nil }) else {
            return nil
        }
        let keycode = spares.remove(at: index).keycode
        spares.append((keycode, wanted.keysym))
        if known == nil {
            try connection.send(.map(keycode, to: wanted.keysym))
            // Every client is notified of the new mapping before the key event.
            try synchronize()
        }
        return keycode
    }

    /// Whether a key is held.
    func holds(_ keycode: UInt8) -> Bool { keys[keycode] != nil }

    func press(_ keycode: UInt8) throws(ReplayError) {
        keys[keycode, default: 0] += 1
        if keys[keycode] == 1 { try connection.send(.fake(.keyDown, keycode)) }
    }

    func release(_ keycode: UInt8) throws(ReplayError) {
        guard let count = keys[keycode] else { return }
        keys[keycode] = count > 1 ? count - 1 : nil
        if count == 1 { try connection.send(.fake(.keyUp, keycode)) }
    }

    /// Sets Caps Lock and NumLock as they were when a key was recorded, without pressing them.
    func setLocks(_ modifiers: Modifiers) throws(ReplayError) {
        let wanted = modifiers.intersection([.lock, .numLock])
        guard wanted != locks else { return }
        // UseCoreKbd: the keyboard that stands for all keyboards.
        guard let reply = try connection.ask(WireRequest(.keyboardState, 0x100)) else { return }
        let bits =
            (wanted.contains(.lock) ? 2 : 0) | (wanted.contains(.numLock) ? numLock : 0)
        let affected = 2 | numLock
        let isFirst = locks == nil
        locks = wanted
        let group = try reply.byte(13)
        if try reply.byte(11) & affected != bits || (isFirst && group != 0) {
            try connection.send(.lock(bits, of: affected))
        }
    }

    // MARK: Pointer

    func press(button: UInt8) throws(ReplayError) {
        guard let number = physical(button), buttons.insert(button).inserted else { return }
        try connection.send(.fake(.buttonDown, number))
    }

    func release(button: UInt8) throws(ReplayError) {
        guard let number = physical(button), buttons.remove(button) != nil else { return }
        try connection.send(.fake(.buttonUp, number))
    }

    /// The physical button with a logical number in the pointer mapping; nil when there is none.
    private func physical(_ button: UInt8) -> UInt8? {
        if let index = buttonMap.firstIndex(of: button) { return UInt8(clamping: index + 1) }
        return Int(button) > buttonMap.count ? button : nil
    }

    /// Turns a wheel by whole notches, each of which is a press and a release of a button.
    func turn(_ notches: Int, negative: UInt8, positive: UInt8) throws(ReplayError) {
        guard let button = physical(notches < 0 ? negative : positive) else { return }
        for _ in 0..<abs(notches) {
            try connection.send(.fake(.buttonDown, button))
            try connection.send(.fake(.buttonUp, button))
        }
    }

    /// Moves by counts, in steps that fit into a request.
    func move(dx: Int, dy: Int) throws(ReplayError) {
        var (dx, dy) = (dx, dy)
        while dx != 0 || dy != 0 {
            let step = (Int16(clamping: dx), Int16(clamping: dy))
            try connection.send(.move(dx: step.0, dy: step.1))
            (dx, dy) = (dx - Int(step.0), dy - Int(step.1))
        }
    }

    /// Moves the pointer to a pixel if acceleration or another screen led it elsewhere.
    func correct(to point: ScreenPoint) throws(ReplayError) {
        guard let reply = try connection.ask(WireRequest(.queryPointer, connection.root)),
            try (reply.signed(16), reply.signed(18)) != (point.x, point.y)
        else { return }
        try connection.send(.warp(to: point, root: connection.root))
    }

    // MARK: The end

    /// Waits until the server has processed all requests.
    func synchronize() throws(ReplayError) {
        _ = try connection.ask(WireRequest(.synchronize))
    }

    func flush() throws(ReplayError) { try connection.flush() }

    /// Releases every held key and button, the buttons first.
    func letGo() throws(ReplayError) {
        for button in buttons.sorted() { try release(button: button) }
        for keycode in keys.keys.sorted() {
            keys[keycode] = 1
            try release(keycode)
        }
        try synchronize()
    }
}
