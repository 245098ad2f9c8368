// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Person

/// The messages of the varlink protocol (varlink.org): JSON, each ended by a NUL.
package enum Varlink {
    /// The name of the interface.
    package static let interface = "io.mci.Control"
    /// Maximum size of a call in bytes, without its final NUL.
    package static let maxMessageBytes = 64 * 1024
    /// Maximum size of a reply in bytes.
    ///
    /// A thousand exemptions with the longest patterns and reasons take 5 MiB, and more if every
    /// character is escaped.
    package static let maxAnswerBytes = 32 << 20

    struct Call: Codable {
        var method: String
        var more: Bool?
        var oneway: Bool?
    }

    struct Parameters<Value: Codable>: Codable {
        var parameters: Value?
    }

    struct FullCall<Value: Codable>: Codable {
        var method: String
        var parameters: Value
        var more: Bool?
    }

    struct Reply<Value: Codable>: Codable {
        var parameters: Value?
        var continues: Bool?
        var error: String?
    }

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The types of this module contain only values that JSON can represent.
        return ((try? encoder.encode(value)).map(Array.init) ?? []) + [0]
    }

    private struct None: Codable {}

    /// Reads a reply.
    ///
    /// - Parameter message: the JSON without its NUL.
    /// - Returns: its parameters.
    /// - Throws: ``ControlError`` `badAnswer`, or ``Refusal`` with the daemon's sentence.
    static func reply(_ message: [UInt8]) throws -> ControlReply {
        guard let envelope = decode(Reply<None>.self, message) else {
            throw ControlError(.badAnswer)
        }
        if let error = envelope.error {
            let refusal = decode(Reply<Refusal>.self, message)?.parameters
            throw refusal ?? Refusal("mcid refused the call (\(error)).")
        }
        guard let reply = decode(Reply<ControlReply>.self, message)?.parameters else {
            throw ControlError(.badAnswer)
        }
        return reply
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ message: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(message))
    }
}
