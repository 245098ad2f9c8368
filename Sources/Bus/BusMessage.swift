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

    /// The fields of the header: their codes, and the types of their values.
    private enum Field: UInt8, CaseIterable {
        case path = 1
        case interface
        case member
        case errorName
        case replySerial
        case destination
        case sender
        case signature
        case descriptorCount

        var type: String {
            switch self {
            case .path: "o"
            case .replySerial, .descriptorCount: "u"
            case .signature: "g"
            default: "s"
            }
        }
    }

    /// What the message is.
    package var kind: Kind
    /// The number that the sender gave it, from 1; a connection sets that of what it sends.
    package var serial: UInt32 = 0
    /// The sender of a call reads no reply (1), or the call starts no service (2).
    private var flags: UInt8 = 0
    private var fields: [Field: BusValue] = [:]
    /// The arguments.
    package var body: [BusValue] = []

    /// Whether the sender of a call reads no reply.
    package var wantsNoReply: Bool {
        get { flags & 1 != 0 }
        set { flags = flags & ~1 | (newValue ? 1 : 0) }
    }
    /// Whether a call must not start the service that it is for.
    package var startsNothing: Bool {
        get { flags & 2 != 0 }
        set { flags = flags & ~2 | (newValue ? 2 : 0) }
    }
    /// The serial of the call that a reply or an error answers.
    package var replySerial: UInt32? { fields[.replySerial]?.number.map { UInt32($0) } }
    /// The object of a call or a signal.
    package var path: String? { fields[.path]?.text }
    /// The interface of a call or a signal.
    package var interface: String? { fields[.interface]?.text }
    /// The method of a call, or the name of a signal.
    package var member: String? { fields[.member]?.text }
    /// The name of an error.
    package var errorName: String? { fields[.errorName]?.text }
    /// The unique name of its sender, which the bus sets.
    package var sender: String? { fields[.sender]?.text }
    /// The number of descriptors that come with it.
    package var descriptorCount: Int { fields[.descriptorCount]?.number ?? 0 }

    private init(_ kind: Kind, _ fields: [Field: BusValue?], _ body: [BusValue] = []) {
        (self.kind, self.fields, self.body) = (kind, fields.compactMapValues(\.self), body)
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
        BusMessage(
            .call,
            [
                .destination: .string(destination), .path: .path(path),
                .interface: .string(interface), .member: .string(member),
            ],
            body
        )
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
        let fields: [Field: BusValue?] = [
            .path: .path(path), .interface: .string(interface), .member: .string(member),
        ]
        return BusMessage(.signal, fields, body)
    }

    /// Creates the reply to a call.
    ///
    /// - Parameter body: The results.
    /// - Returns: The reply.
    package func reply(_ body: [BusValue]) -> BusMessage {
        BusMessage(.reply, answer, body)
    }

    /// Creates the refusal of a call.
    ///
    /// - Parameter name: The name of the error, such as
    ///   `org.freedesktop.DBus.Error.UnknownMethod`.
    /// - Returns: The error.
    package func refusal(_ name: String) -> BusMessage {
        BusMessage(.error, answer.merging([.errorName: .string(name)]) { $1 })
    }

    /// The fields of whatever answers this call.
    private var answer: [Field: BusValue?] {
        [.replySerial: .uint32(serial), .destination: sender.map { .string($0) }]
    }
}

extension BusMessage {
    /// The bytes of the message as it is sent, little-endian.
    package var encoded: [UInt8] {
        var content = BusWriter()
        for value in body { content.append(value) }
        var sent = fields
        (sent[.sender], sent[.descriptorCount]) = (nil, nil)
        sent[.signature] = body.isEmpty ? nil : .signature(body.map(\.type).joined())
        let head = Field.allCases.compactMap { field in
            sent[field].map { BusValue.record([.byte(field.rawValue), .variant($0)]) }
        }
        var writer = BusWriter()
        writer.append([UInt8(ascii: "l"), kind.rawValue, flags, 1])
        writer.append(.uint32(UInt32(content.bytes.count)))
        writer.append(.uint32(serial))
        writer.append(.array(of: "(yv)", head))
        writer.align(to: 8)
        writer.append(content.bytes)
        return writer.bytes
    }

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
        self.init(kind, [:])
        flags = bytes[2] & 3
        var reader = try BusReader(bytes, isBigEndian: Self.isBigEndian(bytes[0]), at: 4)
        let head = try reader.values("uua(yv)")
        serial = UInt32(head[1].number ?? 0)
        for part in head[2].elements.map(\.elements) {
            // A field with an unknown code is ignored.
            guard let code = part[0].number, let field = Field(rawValue: UInt8(code)) else {
                continue
            }
            guard case .variant(let value) = part[1], value.type == field.type else {
                throw BusError(.malformed)
            }
            fields[field] = value
        }
        guard hasWhatItsKindNeeds else { throw BusError(.malformed) }
        try reader.align(to: 8)
        guard reader.offset + (head[0].number ?? 0) == bytes.count else {
            throw BusError(.malformed)
        }
        body = try reader.values(fields.removeValue(forKey: .signature)?.text ?? "")
        guard reader.offset == bytes.count else { throw BusError(.malformed) }
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
