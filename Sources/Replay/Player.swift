// SPDX-License-Identifier: Apache-2.0

import Events

/// Plays the lines of an export one after the other with an ``XTestDevice``.
///
/// Upstream: a file. Downstream: the target's XTEST. Promise: every press gets its release, even
/// when playing ends early.
package struct Player {
    /// The number of lines, by what was done with them.
    package struct Summary: Equatable, Sendable {
        /// Lines that were played.
        package var played = 0
        /// Keys whose identity was not recorded, and for which another key was pressed.
        package var placeholders = 0
        /// Keys that were skipped because their identity was not recorded.
        package var skippedKeys = 0
        /// Typing runs, whose text was not recorded.
        package var runs = 0
        /// Keys for which the target has no keycode.
        package var unmapped = 0
        /// Lines of kinds that cannot be played.
        package var unknown = 0
    }

    private let device: XTestDevice
    private let skipsText: Bool
    /// The counts so far.
    package private(set) var summary = Summary()

    /// The keycodes pressed for each held key, by what its release names.
    private var held: [Name: [UInt8]] = [:]
    /// Remainders of notches, in 1/120 of a notch.
    private var turns = (x: 0, y: 0)

    /// What the press and the release of a key have in common.
    private enum Name: Hashable, Redacted {
        case keysym(UInt32)
        case keyClass(String)
    }

    /// Queries the target's keyboard and buttons.
    ///
    /// - Parameters:
    ///   - target: the display to play into.
    ///   - skipsText: whether to skip keys whose identity was not recorded.
    /// - Throws: ``ReplayError``.
    package init(_ target: Target, skipsText: Bool) throws(ReplayError) {
        device = try XTestDevice(target)
        self.skipsText = skipsText
    }

    /// Assigns spare keycodes to keysyms that the target lacks, before anything is played.
    ///
    /// - Parameter keys: all keys of the file.
    /// - Throws: ``ReplayError``.
    package func prepare(_ keys: Set<WantedKey>) throws(ReplayError) {
        for key in keys.sorted(by: { $0.keysym < $1.keysym }) {
            _ = try device.keycode(for: key)
        }
        try device.synchronize()
    }

    /// How long programs need to read a new keyboard mapping, in nanoseconds.
    ///
    /// A recorder reads ten times a second, and emits no key whose mapping it has not read.
    private static let learning: Int64 = 300_000_000

    /// Waits until programs know the assigned keycodes; returns at once when none were assigned.
    ///
    /// - Parameter interruption: ends the wait early.
    package func waitUntilKnown(or interruption: SignalWaiter) {
        if device.haveLentKeys { _ = interruption.wait(until: SignalWaiter.now + Self.learning) }
    }

    /// Plays one line; the requests are sent with the next ``flush()`` at the latest.
    ///
    /// - Parameter line: of the export.
    /// - Throws: ``ReplayError``.
    package mutating func play(_ line: ExportLine) throws(ReplayError) {
        switch line.kind {
        case .key:
            guard try key(line) else { return }
        case .button:
            if let point = line.point { try device.correct(to: point) }
            let number = UInt8(line.button ?? 1)
            if line.isDown {
                try device.press(button: number)
            } else {
                try device.release(button: number)
            }
        case .motion:
            try device.move(dx: Int(line.dx ?? 0), dy: Int(line.dy ?? 0))
            if let point = line.point { try device.correct(to: point) }
        case .scroll:
            if let point = line.point { try device.correct(to: point) }
            turns.x += Int(((line.dx ?? 0) * 120).rounded())
            turns.y += Int(((line.dy ?? 0) * 120).rounded())
            try device.turn(turns.x / 120, negative: 6, positive: 7)
            try device.turn(turns.y / 120, negative: 4, positive: 5)
            turns = (turns.x % 120, turns.y % 120)
        case .axes where line.point != nil:
            // A pen: moving the pointer is all that XTEST can do.
            if let point = line.point { try device.correct(to: point) }
        case .typing:
            summary.runs += 1
            return
        case .focus, .gap, .device, .monitors: return
        case .axes, .touch, nil:
            summary.unknown += 1
            return
        }
        summary.played += 1
    }

    /// Plays a key; false when it is skipped.
    private mutating func key(_ line: ExportLine) throws(ReplayError) -> Bool {
        let name: Name = line.keysym.map { .keysym($0) } ?? .keyClass(line.keyClass ?? "")
        guard line.isDown else {
            guard let keycode = held[name]?.first else { return false }
            held[name]?.removeFirst()
            try device.release(keycode)
            return true
        }
        // For keys at `timing`, from earlier versions, not even the modifiers are known.
        if line.keyClass != KeyClass.key.name { try device.setLocks(line.modifiers) }
        let keycode: UInt8?
        if let wanted = line.wanted {
            keycode = try device.keycode(for: wanted)
            if keycode == nil { summary.unmapped += 1 }
        } else if skipsText {
            summary.skippedKeys += 1
            return false
        } else {
            keycode = try placeholder(line.keyClass ?? "")
            summary.placeholders += 1
        }
        guard let keycode else { return false }
        held[name, default: []].append(keycode)
        try device.press(keycode)
        return true
    }

    /// A key of a class that is not held already, so that letters held together stay distinct keys.
    private func placeholder(_ keyClass: String) throws(ReplayError) -> UInt8? {
        let keysyms: [UInt32] =
            switch keyClass {
            case KeyClass.digit.name: Array(0x31...0x39) + [0x30]
            case KeyClass.punctuation.name: [0x2E, 0x2C, 0x2F, 0x3B, 0x2D]
            case KeyClass.space.name: [0x20]
            case KeyClass.keypad.name: [0xFF9D, 0xFF9C, 0xFF99]
            default: Array(0x61...0x7A)
            }
        var first: UInt8?
        for keysym in keysyms {
            guard let keycode = try device.keycode(for: WantedKey(keysym, [])) else { continue }
            if !device.holds(keycode) { return keycode }
            first = first ?? keycode
        }
        return first
    }

    /// Sends the requests of the played lines.
    ///
    /// - Throws: ``ReplayError`` `lost`.
    package func flush() throws(ReplayError) { try device.flush() }

    /// Waits until the server has processed all played lines.
    ///
    /// - Throws: ``ReplayError`` `lost`.
    package func synchronize() throws(ReplayError) { try device.synchronize() }

    /// Whether no key and no button is held.
    var holdsNothing: Bool { device.areEmpty }

    /// Releases every held key and button.
    ///
    /// - Throws: ``ReplayError`` `lost`.
    package func letGo() throws(ReplayError) { try device.letGo() }
}
