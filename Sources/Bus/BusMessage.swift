// SPDX-License-Identifier: Apache-2.0

/// A message of D-Bus.
package struct BusMessage: Equatable, Sendable {
    /// The kinds of message; a reader ignores any other.
    package enum Kind: UInt8, Sendable {
        case call = 1
        case reply
        case error
        case signal
    }

    /// Maximum bytes of a message that is read; the specification allows 128 MiB.
    package static let maxSize = 64 * 1024
    /// Bytes that suffice to know the size of a message.
    static let prefixSize = 16

    /// What the message is.
    package var kind: Kind
    /// The number that the sender gave it, from 1; a connection sets that of what it sends.
    package var serial: UInt32 = 0
    /// Whether the sender of a call reads no reply.
    package var wantsNoReply = false
    /// Whether a call must not start the service that it is for.
    package var startsNothing = false
    /// The serial of the call that a reply or an error answers.
    package var replySerial: UInt32?
    /// The object of a call or a signal.
    package var path: String?
    /// The interface of a call or a signal.
    package var interface: String?
    /// The method of a call, or the name of a signal.
    package var member: String?
    /// The name of an error.
    package var errorName: String?
    /// The bus name that it goes to; nil for a signal to everybody.
    package var destination: String?
    /// The unique name of its sender, which the bus sets.
    package var sender: String?
    /// The arguments.
    package var body: [BusValue] = []
    /// The number of descriptors that come with it.
    package var descriptorCount = 0

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// Creates a call of a method.
    ///
    /// - Parameters:
    ///   - destination: The bus name of the service.
    ///   - path: The object.
    ///   - interface: The interface of the method.
    ///   - member: The method.
    ///   - body: The arguments.
    /// - Returns: The call.
    package static func call(
        _ destination: String,
        _ path: String,
        _ interface: String,
        _ member: String,
        _ body: [BusValue] = []
    ) -> BusMessage {
        var message = BusMessage(.call)
        (message.destination, message.path) = (destination, path)
        (message.interface, message.member, message.body) = (interface, member, body)
        return message
    }

    /// Creates a signal to everybody.
    ///
    /// - Parameters:
    ///   - path: The object that sends it.
    ///   - interface: The interface of the signal.
    ///   - member: Its name.
    ///   - body: The arguments.
    /// - Returns: The signal.
    package static func signal(
        _ path: String,
        _ interface: String,
        _ member: String,
        _ body: [BusValue] = []
    ) -> BusMessage {
        var message = BusMessage(.signal)
        (message.path, message.interface, message.member) = (path, interface, member)
        message.body = body
        return message
    }

    /// Creates the reply to a call.
    ///
    /// - Parameter body: The results.
    /// - Returns: The reply.
    package func reply(_ body: [BusValue]) -> BusMessage {
        var message = BusMessage(.reply)
        (message.replySerial, message.destination, message.body) = (serial, sender, body)
        return message
    }

    /// Creates the refusal of a call.
    ///
    /// - Parameter name: The name of the error, such as
    ///   `org.freedesktop.DBus.Error.UnknownMethod`.
    /// - Returns: The error.
    package func refusal(_ name: String) -> BusMessage {
        var message = BusMessage(.error)
        (message.replySerial, message.destination, message.errorName) = (serial, sender, name)
        return message
    }
}

extension BusMessage {
    /// The fields of the header, by their codes.
    private enum Field: UInt8 {
        case path = 1
        case interface
        case member
        case errorName
        case replySerial
        case destination
        case sender
        case signature
        case descriptorCount
    }

    /// The bytes of the message as it is sent, little-endian.
    package var encoded: [UInt8] {
        var fields: [BusValue] = []
        func add(_ field: Field, _ value: BusValue?) {
            guard let value else { return }
            fields.append(.record([.byte(field.rawValue), .variant(value)]))
        }
        add(.path, path.map { .path($0) })
        add(.interface, interface.map { .string($0) })
        add(.member, member.map { .string($0) })
        add(.errorName, errorName.map { .string($0) })
        add(.replySerial, replySerial.map { .uint32($0) })
        add(.destination, destination.map { .string($0) })
        if !body.isEmpty { add(.signature, .signature(body.map(\.type).joined())) }
        var content = BusWriter()
        for value in body { content.append(value) }
        var writer = BusWriter()
        writer.append([UInt8(ascii: "l"), kind.rawValue, flags, 1])
        writer.append(.uint32(UInt32(content.bytes.count)))
        writer.append(.uint32(serial))
        writer.append(.array(of: "(yv)", fields))
        writer.align(to: 8)
        writer.append(content.bytes)
        return writer.bytes
    }

    private var flags: UInt8 { (wantsNoReply ? 1 : 0) | (startsNothing ? 2 : 0) }

    /// The size of the message that some bytes begin.
    ///
    /// - Parameter bytes: What was received.
    /// - Returns: The size in bytes; nil while fewer than 16 bytes are there.
    /// - Throws: ``BusError`` `malformed`, or `tooLong` for more than ``maxSize``.
    package static func size(of bytes: some Collection<UInt8>) throws(BusError) -> Int? {
        let prefix = Array(bytes.prefix(prefixSize))
        guard prefix.count == prefixSize else { return nil }
        var reader = try BusReader(prefix, isBigEndian: isBigEndian(prefix[0]), at: 4)
        let lengths = try reader.values("uuu").map { $0.number ?? 0 }
        let size = prefixSize + (lengths[2] + 7) / 8 * 8 + lengths[0]
        guard size <= maxSize else { throw BusError(.tooLong) }
        return size
    }

    private static func isBigEndian(_ mark: UInt8) throws(BusError) -> Bool {
        switch mark {
        case UInt8(ascii: "l"): false
        case UInt8(ascii: "B"): true
        default: throw BusError(.malformed)
        }
    }

    /// Reads a message.
    ///
    /// - Parameter bytes: The whole message, of the size that ``size(of:)`` returns.
    /// - Throws: ``BusError`` `malformed`.
    package init(_ bytes: [UInt8]) throws(BusError) {
        guard let size = try Self.size(of: bytes), size == bytes.count, bytes[3] == 1,
            let kind = Kind(rawValue: bytes[1])
        else { throw BusError(.malformed) }
        self.init(kind)
        (wantsNoReply, startsNothing) = (bytes[2] & 1 != 0, bytes[2] & 2 != 0)
        var reader = try BusReader(bytes, isBigEndian: Self.isBigEndian(bytes[0]), at: 4)
        let head = try reader.values("uua(yv)")
        let (length, number) = (head[0].number ?? 0, head[1].number ?? 0)
        serial = UInt32(number)
        var signature = ""
        for field in head[2].elements {
            let parts = field.elements
            // A field with an unknown code is ignored.
            guard let code = parts[0].number, let known = Field(rawValue: UInt8(code)) else {
                continue
            }
            try take(known, parts[1].content, &signature)
        }
        guard hasWhatItsKindNeeds else { throw BusError(.malformed) }
        try reader.align(to: 8)
        guard reader.offset + length == bytes.count else { throw BusError(.malformed) }
        body = try reader.values(signature)
        guard reader.offset == bytes.count else { throw BusError(.malformed) }
    }

    private mutating func take(
        _ field: Field,
        _ value: BusValue,
        _ signature: inout String
    ) throws(BusError) {
        switch (field, value) {
        case (.path, .path(let text)): path = text
        case (.interface, .string(let text)): interface = text
        case (.member, .string(let text)): member = text
        case (.errorName, .string(let text)): errorName = text
        case (.replySerial, .uint32(let number)): replySerial = number
        case (.destination, .string(let text)): destination = text
        case (.sender, .string(let text)): sender = text
        case (.signature, .signature(let text)): signature = text
        case (.descriptorCount, .uint32(let count)): descriptorCount = Int(count)
        default: throw BusError(.malformed)
        }
    }

    private var hasWhatItsKindNeeds: Bool {
        guard serial != 0 else { return false }
        switch kind {
        case .call: return path != nil && member != nil
        case .signal: return path != nil && member != nil && interface != nil
        case .reply: return replySerial != nil
        case .error: return replySerial != nil && errorName != nil
        }
    }
}
