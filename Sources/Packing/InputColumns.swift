// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

// What is stored of each kind of input: its number, how it is written, and how it is read.

extension BatchLayout {
    /// The kind of an item.
    enum Kind: UInt8 {
        case key = 1
        case button
        case motion
        case scroll
        case focus
        case gap
        case axes
        case touch
        case typing

        /// Whether the item has a device.
        var hasDevice: Bool { self != .focus && self != .gap }
    }

    /// Maximum seconds of a typing run; a batch is always shorter.
    static let maxSeconds: Int64 = 3600

    /// Two signed 4-bit numbers in one byte; nil if they do not fit.
    static func byte(_ dx: Int32, _ dy: Int32) -> UInt8? {
        guard -8...7 ~= dx, -8...7 ~= dy, (dx, dy) != (-8, -8) else { return nil }
        return UInt8(truncatingIfNeeded: dx & 15) << 4 | UInt8(dy & 15)
    }
}

extension Columns<Column> {
    /// Adds an event to the columns of its kind, and to those of kinds and pixels.
    mutating func append(_ payload: AdmittedEvent.Payload, _ pixel: Pixel?) {
        var flag: UInt8 = 0
        if let pixel {
            flag = BatchLayout.hasPixel
            self[.pixels].append(zigzag: Int64(pixel.x))
            self[.pixels].append(zigzag: Int64(pixel.y))
        }
        switch payload {
        case .key(let key):
            self[.kinds].append(run: BatchLayout.Kind.key.rawValue | flag)
            self[.keys].append(
                key.keyClass.rawValue
                    | (key.isDown ? BatchLayout.keyIsDown : 0)
                    | (key.keysym != 0 ? BatchLayout.keyHasKeysym : 0)
            )
            self[.modifiers].append(run: key.modifiers.rawValue)
            if key.keysym != 0 { self[.keysyms].append(varint: UInt64(key.keysym)) }
        case .typing: preconditionFailure("A run is added by type(_:_:continues:).")
        case .button(let number, let isDown):
            self[.kinds].append(run: BatchLayout.Kind.button.rawValue | flag)
            self[.buttons].append(varint: UInt64(number) << 1 | (isDown ? 1 : 0))
        case .motion(let dx, let dy):
            self[.kinds].append(run: BatchLayout.Kind.motion.rawValue | flag)
            if let byte = BatchLayout.byte(dx, dy) {
                self[.motions].append(byte)
            } else {
                self[.motions].append(BatchLayout.wideMotion)
                self[.wideMotions].append(zigzag: Int64(dx))
                self[.wideMotions].append(zigzag: Int64(dy))
            }
        case .scroll(let dx, let dy):
            self[.kinds].append(run: BatchLayout.Kind.scroll.rawValue | flag)
            self[.scrolls].append(zigzag: Int64(dx))
            self[.scrolls].append(zigzag: Int64(dy))
        case .axes(let values):
            self[.kinds].append(run: BatchLayout.Kind.axes.rawValue | flag)
            append(values)
        case .touch(let touch):
            self[.kinds].append(run: BatchLayout.Kind.touch.rawValue | flag)
            let code = UInt64(touch.finger) * BatchLayout.touchPhases
            self[.buttons].append(varint: code + UInt64(touch.phase.rawValue))
            append(touch.values)
        }
    }

    private mutating func append(_ values: AxisValues) {
        self[.axes].append(values.present)
        for (_, value) in values.reported { self[.axes].append(zigzag: Int64(value)) }
    }
}

extension Columns<Cursor> {
    /// Reads the next input from the columns of its kind.
    ///
    /// - Parameters:
    ///   - kind: a kind of input.
    ///   - time: the time of the item.
    /// - Returns: the input.
    /// - Throws: ``PackingError`` `badColumns` when the columns hold no such input.
    mutating func input(
        _ kind: BatchLayout.Kind,
        at time: EventTime
    ) throws(PackingError) -> OpenedItem.Input {
        switch kind {
        case .key:
            let code = try self[.keys].byte()
            guard let keyClass = KeyClass(rawValue: code & BatchLayout.keyClass) else {
                throw PackingError(.badColumns)
            }
            let hasKeysym = code & BatchLayout.keyHasKeysym != 0
            let key = StoredKey(
                isDown: code & BatchLayout.keyIsDown != 0,
                keyClass: keyClass,
                modifiers: Modifiers(rawValue: try self[.modifiers].runByte()),
                keysym: hasKeysym
                    ? UInt32(truncatingIfNeeded: try self[.keysyms].varint()) : 0
            )
            return .key(key)
        case .button:
            let code = try self[.buttons].varint()
            guard let number = UInt8(exactly: code >> 1) else {
                throw PackingError(.badColumns)
            }
            return .button(number: number, isDown: code & 1 != 0)
        case .typing:
            guard let length = Int64(exactly: try self[.typing].varint()),
                length <= BatchLayout.maxSeconds
            else { throw PackingError(.badColumns) }
            return .typing(EventTime(time.milliseconds &+ length * 1000))
        case .motion:
            let byte = try self[.motions].byte()
            guard byte == BatchLayout.wideMotion else {
                let (dx, dy) = (Int8(bitPattern: byte) >> 4, Int8(bitPattern: byte << 4) >> 4)
                return .motion(dx: Int32(dx), dy: Int32(dy))
            }
            let (dx, dy) = (
                try self[.wideMotions].int32(), try self[.wideMotions].int32()
            )
            return .motion(dx: dx, dy: dy)
        case .scroll:
            let (dx, dy) = (try self[.scrolls].int32(), try self[.scrolls].int32())
            return .scroll(dx: dx, dy: dy)
        case .axes:
            return .axes(try self[.axes].axes())
        case .touch:
            let code = try self[.buttons].varint()
            let phase = Touch.Phase(rawValue: UInt8(code % BatchLayout.touchPhases))
            guard let phase, let finger = UInt8(exactly: code / BatchLayout.touchPhases) else {
                throw PackingError(.badColumns)
            }
            let values = try self[.axes].axes()
            return .touch(Touch(finger: finger, phase: phase, values: values))
        case .focus, .gap: throw PackingError(.badColumns)
        }
    }
}
