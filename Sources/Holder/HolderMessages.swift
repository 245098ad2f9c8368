// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import Release

/// What a holder is asked for: a JSON file in its folder of requests.
///
/// Notes are texts as they are signed; headers and hashes are Base64 with padding.
package struct HolderRequest: Codable, Sendable {
    /// What it is about.
    package enum Kind: String, Codable, Sendable {
        /// A fresh recipient for a grant that is being made; from the person only.
        case offer
        /// To sign a grant and begin its log; from the person only.
        case grant
        /// To open releases.
        case open
        /// The log of a grant; from the person only.
        case log
        /// To destroy the secret of a grant; from the person only.
        case erase
    }

    /// One release to open.
    package struct Item: Codable, Sendable {
        /// The opening, signed by the reader.
        package var opening: String
        /// The release that it names, or the release from which rows were derived.
        package var release: String
        /// The derived rows that it names; nil for a release itself.
        package var derived: String?
        /// The age header.
        package var header: String

        /// Creates an item.
        package init(opening: String, release: String, derived: String? = nil, header: String) {
            (self.opening, self.release) = (opening, release)
            (self.derived, self.header) = (derived, header)
        }
    }

    /// Maximum number of releases in one request.
    package static let maxItems = 10_000

    /// The version of this message.
    package var schema = 1
    /// What it is about.
    package var kind: Kind
    /// The id of a grant, for an offer and a log.
    package var id: String?
    /// The number of the first leaf that is wanted of a log.
    package var from: Int?
    /// The grant, signed by its key.
    package var grant: String?
    /// The purpose of the grant.
    package var purpose: String?
    /// The releases to open.
    package var items: [Item]?
    /// The erasure, signed by the grant key.
    package var erasure: String?

    /// Creates a request without content.
    package init(_ kind: Kind) {
        self.kind = kind
    }
}

/// What a holder answers: a JSON file in its folder of answers.
package struct HolderAnswer: Codable, Sendable {
    /// What became of one release.
    package struct Item: Codable, Sendable {
        /// Why it is refused, in a sentence; nil when it is opened.
        package var refusal: String?
        /// The id of the grant.
        package var grant: String?
        /// The opening with the holder's signature and time: the leaf of the log.
        package var leaf: String?
        /// The number of the leaf.
        package var index: Int?
        /// The proof that the leaf is in the checkpoint.
        package var proof: [String]?
        /// The header for the reader's recipient.
        package var header: String?
    }

    /// The version of this message.
    package var schema = 1
    /// Why the whole request is refused, in a sentence; nil when it is not.
    package var refusal: String?
    /// The holder as a grant names it.
    package var holder: Grant.Holder?
    /// The grant with the holder's signature.
    package var grant: String?
    /// What became of each release, in the order of the request.
    package var items: [Item]?
    /// The checkpoint of each grant's log, by the id of the grant.
    package var checkpoints: [String: String]?
    /// The leaves of a log.
    package var leaves: [String]?
    /// The erasure with the holder's signature.
    package var erasure: String?

    /// Creates an empty answer.
    package init() {}

    /// Creates a refusal.
    package init(refusal: String) {
        self.refusal = refusal
    }
}

/// Encodes and decodes messages.
package enum HolderJSON {
    /// Maximum bytes of a message.
    package static let maxBytes = 64 << 20

    /// Decodes a message; nil for anything else.
    package static func read<Message: Decodable>(_ bytes: [UInt8]) -> Message? {
        try? JSONDecoder().decode(Message.self, from: Data(bytes))
    }

    /// Encodes a message.
    package static func write(_ message: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return (try? encoder.encode(message)).map(Array.init) ?? []
    }
}
