// SPDX-License-Identifier: Apache-2.0

package import Events

/// One item of an opened batch.
package struct OpenedItem: Equatable, Sendable, Redacted {
    /// What the item is.
    package enum Payload: Equatable, Sendable {
        case key(isDown: Bool, keyClass: KeyClass, modifiers: Modifiers, keysym: UInt32)
        case button(number: UInt8, isDown: Bool)
        case motion(dx: Int32, dy: Int32)
        /// In 1/120 notch.
        case scroll(dx: Int32, dy: Int32)
        /// An application came to the front; the title only where titles are stored.
        case focus(app: String, title: String? = nil)
        /// Something was left out from the item's time on.
        case gap(GapReason, to: EventTime, stream: InputStream?)

        /// Whether a device made the item.
        package var isInput: Bool {
            switch self {
            case .key, .button, .motion, .scroll: true
            case .focus, .gap: false
            }
        }
    }

    package var time: EventTime
    /// The XInput2 id of the device; 0 for focus and gap.
    package var device: UInt8
    package var payload: Payload

    package init(time: EventTime, device: UInt8, payload: Payload) {
        self.time = time
        self.device = device
        self.payload = payload
    }
}

extension OpenedItem.Payload: Redacted {}

/// A batch read back, the inverse of ``BatchBuilder``.
package struct OpenedBatch: Sendable, Redacted {
    package let header: BatchHeader
    package let items: [OpenedItem]
    /// SHA-256 of the sealed batch before it, as it was when this one began.
    package let predecessor: [UInt8]
    /// The recorder's signature (Ed25519) of all bytes of the plaintext in front of it.
    package let signature: [UInt8]
    /// The bytes that are signed.
    package let signed: [UInt8]

    /// Decodes a plaintext.
    ///
    /// - Parameter plaintext: the bytes as the seal held them.
    /// - Throws: ``PackingError`` when any part does not agree with the format; nothing is read then.
    package init(plaintext: [UInt8]) throws(PackingError) {
        let sizes = (1...BatchLayout.mostRecipients).map { BatchLayout.size(recipients: $0) }
        guard sizes.contains(plaintext.count) else { throw PackingError(.badFrame) }
        let proof = plaintext.suffix(BatchLayout.proofSize)
        predecessor = Array(proof.prefix(BatchLayout.digestSize))
        signature = Array(proof.suffix(BatchLayout.signatureSize))
        signed = Array(plaintext.dropLast(BatchLayout.signatureSize))
        let length = (0..<4).reduce(0) { $0 | Int(plaintext[$1]) << (8 * $1) }
        let end = BatchLayout.prefix + length
        guard length > 0, end <= proof.startIndex,
            plaintext[end..<proof.startIndex].allSatisfy({ $0 == 0 })
        else {
            throw PackingError(.badFrame)
        }
        let columns = unsafe plaintext.withUnsafeBytes {
            unsafe Deflate.decompress(
                UnsafeRawBufferPointer(rebasing: $0[BatchLayout.prefix..<end]),
                limit: BatchLayout.mostColumns
            )
        }
        guard let columns else { throw PackingError(.badCompression) }
        var reader = try ColumnReader(columns)
        header = try reader.header()
        items = try reader.items(base: header.base)
    }
}

extension OpenedBatch {
    /// The latest moment in the batch, in milliseconds of the wall clock since 1970.
    package var end: Int64 {
        let latest = items.lazy.map { item -> EventTime in
            if case .gap(_, let to, _) = item.payload { return max(item.time, to) }
            return item.time
        }.max()
        return max(latest ?? header.base, header.base).milliseconds &+ header.wallOffset
    }
}

/// A place in a byte string from which numbers are read.
private struct Cursor {
    private let bytes: [UInt8]
    private var next: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        (self.bytes, next, end) = (bytes, range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { next == end }
    var left: Int { end - next }

    mutating func byte() throws(PackingError) -> UInt8 {
        guard next < end else { throw PackingError(.badColumns) }
        defer { next += 1 }
        return bytes[next]
    }

    mutating func varint() throws(PackingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || (shift == 63 && byte <= 1) else { throw PackingError(.badColumns) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    mutating func zigzag() throws(PackingError) -> Int64 {
        try varint().unzigzagged
    }

    /// A signed number that fits 32 bits.
    mutating func count32() throws(PackingError) -> Int32 {
        guard let value = Int32(exactly: try zigzag()) else { throw PackingError(.badColumns) }
        return value
    }

    mutating func range() throws(PackingError) -> Range<Int> {
        guard let count = Int(exactly: try varint()), count <= left else {
            throw PackingError(.badColumns)
        }
        defer { next += count }
        return next..<next + count
    }

    mutating func text() throws(PackingError) -> String {
        let range = try range()
        return String(decoding: bytes[range], as: UTF8.self)
    }
}

/// A column of runs while it is read.
private struct RunCursor {
    private var cursor: Cursor
    private var value: UInt8 = 0
    private var left: UInt64 = 0

    init(_ cursor: Cursor) { self.cursor = cursor }

    var isAtEnd: Bool { left == 0 && cursor.isAtEnd }

    mutating func byte() throws(PackingError) -> UInt8 {
        if left == 0 {
            value = try cursor.byte()
            left = try cursor.varint()
            guard left > 0 else { throw PackingError(.badColumns) }
        }
        left -= 1
        return value
    }
}

private struct ColumnReader {
    private var sections: [BatchLayout.Section: Cursor] = [:]
    private var itemCount = 0

    /// Finds the sections; unknown ones are passed over.
    init(_ columns: [UInt8]) throws(PackingError) {
        var cursor = Cursor(columns, 0..<columns.count)
        while !cursor.isAtEnd {
            let id = try cursor.byte()
            let range = try cursor.range()
            guard let section = BatchLayout.Section(rawValue: id) else { continue }
            guard sections[section] == nil else { throw PackingError(.badColumns) }
            sections[section] = Cursor(columns, range)
        }
    }

    mutating func header() throws(PackingError) -> BatchHeader {
        guard var cursor = sections[.header] else { throw PackingError(.badColumns) }
        guard try cursor.varint() == BatchLayout.version else {
            throw PackingError(.unknownVersion)
        }
        let sequence = try cursor.varint()
        guard let count = Int(exactly: try cursor.varint()), count <= BatchLayout.mostColumns else {
            throw PackingError(.badColumns)
        }
        itemCount = count
        let base = EventTime(try cursor.zigzag())
        let wallOffset = try cursor.zigzag()
        var bootID: [UInt8] = []
        for _ in 0..<16 { bootID.append(try cursor.byte()) }
        return BatchHeader(
            sequence: sequence,
            bootID: bootID,
            wallOffset: wallOffset,
            keyDetail: try cursor.byte(),
            flags: try cursor.byte(),
            base: base,
            app: try cursor.text()
        )
    }

    func items(base: EventTime) throws(PackingError) -> [OpenedItem] {
        func cursor(_ section: BatchLayout.Section) -> Cursor {
            sections[section] ?? Cursor([], 0..<0)
        }
        var kinds = RunCursor(cursor(.kinds))
        var devices = RunCursor(cursor(.devices))
        var modifiers = RunCursor(cursor(.modifiers))
        var times = cursor(.times)
        var keys = cursor(.keys)
        var keysyms = cursor(.keysyms)
        var buttons = cursor(.buttons)
        var motions = cursor(.motions)
        var wide = cursor(.wideMotions)
        var scrolls = cursor(.scrolls)
        var apps = cursor(.apps)
        var gaps = cursor(.gaps)
        var titles = cursor(.titles)
        let hasTitles = !titles.isAtEnd

        // Each item has a time, so a forged number cannot claim memory for more.
        guard itemCount <= times.left else { throw PackingError(.badColumns) }
        var time = base.milliseconds
        var items: [OpenedItem] = []
        items.reserveCapacity(itemCount)
        for _ in 0..<itemCount {
            guard let kind = BatchLayout.Kind(rawValue: try kinds.byte()) else {
                throw PackingError(.badColumns)
            }
            time &+= try times.zigzag()
            let device = kind.hasDevice ? try devices.byte() : 0
            let payload: OpenedItem.Payload
            switch kind {
            case .key:
                let code = try keys.byte()
                guard let keyClass = KeyClass(rawValue: code & BatchLayout.keyClass) else {
                    throw PackingError(.badColumns)
                }
                let told = code & BatchLayout.keyHasKeysym != 0
                payload = .key(
                    isDown: code & BatchLayout.keyIsDown != 0,
                    keyClass: keyClass,
                    modifiers: Modifiers(rawValue: try modifiers.byte()),
                    keysym: told ? UInt32(truncatingIfNeeded: try keysyms.varint()) : 0
                )
            case .button:
                let code = try buttons.varint()
                guard let number = UInt8(exactly: code >> 1) else {
                    throw PackingError(.badColumns)
                }
                payload = .button(number: number, isDown: code & 1 != 0)
            case .motion:
                let byte = try motions.byte()
                if byte == BatchLayout.wideMotion {
                    payload = .motion(dx: try wide.count32(), dy: try wide.count32())
                } else {
                    let (dx, dy) = (Int8(bitPattern: byte) >> 4, Int8(bitPattern: byte << 4) >> 4)
                    payload = .motion(dx: Int32(dx), dy: Int32(dy))
                }
            case .scroll: payload = .scroll(dx: try scrolls.count32(), dy: try scrolls.count32())
            case .focus:
                let app = try apps.text()
                let title = hasTitles ? try titles.text() : ""
                payload = .focus(app: app, title: title.isEmpty ? nil : title)
            case .gap:
                let reason = GapReason(rawValue: try gaps.byte())
                let stream = try gaps.byte()
                let duration = try gaps.zigzag()
                guard let reason, stream <= 2 else { throw PackingError(.badColumns) }
                payload = .gap(
                    reason,
                    to: EventTime(time &+ duration),
                    stream: stream == 0 ? nil : InputStream(rawValue: stream - 1)
                )
            }
            items.append(OpenedItem(time: EventTime(time), device: device, payload: payload))
        }
        guard kinds.isAtEnd, devices.isAtEnd, modifiers.isAtEnd, times.isAtEnd, keys.isAtEnd,
            keysyms.isAtEnd, buttons.isAtEnd, motions.isAtEnd, wide.isAtEnd, scrolls.isAtEnd,
            apps.isAtEnd, gaps.isAtEnd, titles.isAtEnd
        else { throw PackingError(.badColumns) }
        return items
    }
}
