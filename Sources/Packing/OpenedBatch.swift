// SPDX-License-Identifier: Apache-2.0

package import Events

/// One item of an opened batch.
package struct OpenedItem: Equatable, Sendable, Redacted {
    /// What the item is.
    package enum Payload: Equatable, Sendable {
        case key(isDown: Bool, keyClass: KeyClass, modifiers: Modifiers, keysym: UInt32)
        /// Keys wrote text from the item's time on, both in whole steps (``TypingRun``).
        case typing(to: EventTime)
        case button(number: UInt8, isDown: Bool)
        case motion(dx: Int32, dy: Int32)
        /// In 1/120 notch.
        case scroll(dx: Int32, dy: Int32)
        /// In the device's own units.
        case axes(AxisValues)
        case touch(Touch)
        /// An application came to the front; the title only where titles are stored.
        case focus(app: String, title: String? = nil)
        /// Something was left out from the item's time on.
        case gap(GapReason, to: EventTime, stream: InputStream?)
        /// What the item's device is from here on; it stands in no batch but is made by readers.
        case device(Device)
        /// What the desktop is from here on; made by readers like ``device(_:)``.
        case screen(ScreenLayout)

        /// Whether a device made the item.
        package var isInput: Bool {
            switch self {
            case .key, .typing, .button, .motion, .scroll, .axes, .touch: true
            case .focus, .gap, .device, .screen: false
            }
        }
    }

    package var time: EventTime
    /// The XInput2 id of the device; 0 for focus and gap.
    package var device: UInt8
    package var payload: Payload
    /// Where the pointer was after it; nil where that is not told.
    package var pixel: Pixel?

    package init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }
}

extension OpenedItem.Payload: Redacted {}

extension OpenedItem {
    /// Where a gap or a run of text ends; of all else its own time.
    package var end: EventTime {
        switch payload {
        case .gap(_, let to, _), .typing(let to): to
        default: time
        }
    }

    /// Whole seconds of a run of text; 0 for all others.
    package var seconds: Int64 {
        guard case .typing(let to) = payload else { return 0 }
        return (to.milliseconds &- time.milliseconds) / 1000
    }
}

/// A batch read back, the inverse of ``BatchBuilder``.
package struct OpenedBatch: Sendable, Redacted {
    package let header: BatchHeader
    package let items: [OpenedItem]
    /// The devices of the items, by their id, as far as they are described.
    package let devices: [UInt8: Device]
    /// The devices whose events programs made.
    private let injected: DeviceSet
    /// The desktop; nil where it is not told.
    package let screen: ScreenLayout?
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
        guard BatchLayout.isSize(plaintext.count) else { throw PackingError(.badFrame) }
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
                limit: BatchLayout.maxColumns
            )
        }
        guard let columns else { throw PackingError(.badCompression) }
        var reader = try ColumnReader(columns)
        header = try reader.header()
        items = try reader.items(base: header.base)
        devices = try reader.devices()
        injected = devices.reduce(into: DeviceSet()) {
            if $1.value.isInjected { $0.insert($1.key) }
        }
        screen = try reader.screen()
    }
}

extension OpenedBatch {
    /// Whether a program made an item, by the server's XTEST device.
    ///
    /// - Parameter item: of this batch.
    /// - Returns: false for what no device made; nil where the batch does not describe the device.
    package func isInjected(_ item: OpenedItem) -> Bool? {
        guard item.payload.isInput else { return false }
        if injected.contains(item.device) { return true }
        return devices[item.device] == nil ? nil : false
    }

    /// The latest moment in the batch, in milliseconds of the wall clock since 1970.
    package var end: Int64 {
        let latest = items.lazy.map { max($0.time, $0.end) }.max()
        return max(latest ?? header.base, header.base).milliseconds &+ header.wallOffset
    }
}
