// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension JSONText {
    /// Encodes a value for a file: a value always has the same encoding.
    ///
    /// - Returns: sorted keys on lines of their own, and a line feed at the end; nil for a value that
    ///   JSON cannot represent.
    package static func file(_ value: some Encodable) -> [UInt8]? {
        encoded(value, [.prettyPrinted]).map { $0 + [0x0A] }
    }

    /// Encodes a value as one line of JSON, to sign or to hash it.
    ///
    /// - Returns: sorted keys without spaces, and no line feed; nil for a value that JSON cannot
    ///   represent.
    package static func line(_ value: some Encodable) -> [UInt8]? {
        encoded(value, [])
    }

    private static func encoded(
        _ value: some Encodable,
        _ format: JSONEncoder.OutputFormatting
    ) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = format.union([.sortedKeys, .withoutEscapingSlashes])
        return (try? encoder.encode(value)).map { Array($0) }
    }
}
