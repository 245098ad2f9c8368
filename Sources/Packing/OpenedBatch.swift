// SPDX-License-Identifier: Apache-2.0

package import Events

/// An item of an opened batch.
package struct OpenedItem: Equatable, Sendable, Redacted {
    /// Input as it is stored; a typing run has the time of its end.
    ///
    /// A run lasts from the item's time, both in whole steps (``TypingRun``).
    package typealias Input = InputPayload<StoredKey, EventTime>

    /// The kind of item and its values.
    package enum Payload: Equatable, Sendable {
        /// Input of the item's device.
        case input(Input)
        /// An application came to the front; the title is nil unless titles were stored.
        case focus(app: String, title: String? = nil)
        /// Input was omitted from the item's time until `to`; without a stream, all input.
        case gap(GapReason, to: EventTime, stream: InputStream?)
        /// The description of the item's device from here on; readers create it, no batch contains
        /// it.
        case device(Device)
        /// The desktop layout from here on; readers create it like ``device(_:)``.
        case screen(ScreenLayout)
        /// A demonstration that begins here, or ended here; readers create it like ``device(_:)``.
        case demonstration(Demonstration)

        /// The word for the kind in exports.
        package var name: String {
            switch self {
            case .input(let input): input.name
            case .focus: "focus"
            case .gap: "gap"
            case .device: "device"
            case .screen: "monitors"
            case .demonstration: "demonstration"
            }
        }

        /// Whether the item is input of a device.
        package var isInput: Bool {
            if case .input = self { true } else { false }
        }
    }

    /// The time on CLOCK_MONOTONIC of the recording boot.
    package var time: EventTime
    /// The XInput2 id of the device; 0 for a focus change or a gap.
    package var device: UInt8
    /// What the item is.
    package var payload: Payload
    /// The pointer's pixel after the item, or a finger's; nil if it was not stored.
    package var pixel: Pixel?

    /// Creates an item; by default without a pixel.
    package init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }
}

extension OpenedItem.Payload: Redacted {}

extension OpenedItem {
    /// The end of a gap or a typing run; for other items their time.
    package var end: EventTime {
        switch payload {
        case .gap(_, let to, _), .input(.typing(let to)): to
        default: time
        }
    }

    /// The length of a typing run in whole seconds; 0 for other items.
    package var seconds: Int64 {
        guard case .input(.typing(let to)) = payload else { return 0 }
        return (to.milliseconds &- time.milliseconds) / 1000
    }
}

/// A decoded batch, the inverse of ``BatchBuilder``.
package struct OpenedBatch: Sendable, Redacted {
    /// The batch's header.
    package let header: BatchHeader
    /// The items in stored order.
    package let items: [OpenedItem]
    /// The described devices, by XInput2 id.
    package let devices: [UInt8: Device]
    /// The devices that are described, and those of them whose events come from programs.
    private let described: DeviceSet
    private let injected: DeviceSet
    /// The desktop layout; nil if the batch has none.
    package let screen: ScreenLayout?
    /// The demonstration to which the batch belongs; nil if it belongs to none.
    package let demonstration: Demonstration?
    /// The SHA-256 of the previous sealed batch as it was when this one began; zeros if there was
    /// none.
    package let predecessor: [UInt8]
    /// The recorder's Ed25519 signature of ``signed``.
    package let signature: [UInt8]
    /// The plaintext before the signature.
    package let signed: [UInt8]

    /// Decodes a plaintext.
    ///
    /// - Parameter plaintext: The decrypted contents of a sealed batch.
    /// - Throws: ``PackingError`` if any part violates the format; nothing is decoded then.
    package init(plaintext: [UInt8]) throws(PackingError) {
        guard BatchLayout.isSize(plaintext.count) else { throw PackingError(.badFrame) }
        let proof = plaintext.suffix(BatchLayout.proofSize)
        let length = (0..<4).reduce(0) { $0 | Int(plaintext[$1]) << (8 * $1) }
        let end = BatchLayout.prefix + length
        guard length > 0, end <= proof.startIndex,
            plaintext[end..<proof.startIndex].allSatisfy({ $0 == 0 })
        else {
            throw PackingError(.badFrame)
        }
        self = try OpenedBatch(
            compressed: plaintext[BatchLayout.prefix..<end],
            predecessor: Array(proof.prefix(BatchLayout.digestSize)),
            signature: Array(proof.suffix(BatchLayout.signatureSize)),
            signed: Array(plaintext.dropLast(BatchLayout.signatureSize))
        )
    }

    /// Decodes compressed columns.
    init(
        compressed: ArraySlice<UInt8>,
        predecessor: [UInt8] = [],
        signature: [UInt8] = [],
        signed: [UInt8] = []
    ) throws(PackingError) {
        let columns = unsafe compressed.withUnsafeBytes {
            unsafe Deflate.decompress($0, limit: BatchLayout.maxColumns)
        }
        guard let columns else { throw PackingError(.badCompression) }
        (self.predecessor, self.signature, self.signed) = (predecessor, signature, signed)
        var reader = try ColumnReader(columns)
        header = try reader.header()
        items = try reader.items(base: header.base)
        devices = try reader.devices()
        described = devices.keys.reduce(into: DeviceSet()) { $0.insert($1) }
        injected = devices.reduce(into: DeviceSet()) {
            if $1.value.isInjected { $0.insert($1.key) }
        }
        screen = try reader.screen()
        demonstration = try reader.demonstration()
    }
}

extension OpenedBatch {
    /// Whether a program sent an item through the server's XTEST device.
    ///
    /// - Parameter item: An item of this batch.
    /// - Returns: False if the item has no device; nil if the batch does not describe the device.
    package func isInjected(_ item: OpenedItem) -> Bool? {
        guard item.payload.isInput else { return false }
        if injected.contains(item.device) { return true }
        return described.contains(item.device) ? false : nil
    }

    /// The latest time in the batch, in milliseconds of the wall clock since 1970.
    package var end: Int64 {
        let latest = items.lazy.map { max($0.time, $0.end) }.max()
        return max(latest ?? header.base, header.base).milliseconds &+ header.wallOffset
    }
}
