// SPDX-License-Identifier: Apache-2.0

/// The bytes of a message of the X server, little-endian; a field past their end has no value.
///
/// A reply that is too short therefore answers nothing, and no zero is believed in its place.
package struct WireReader {
    private let bytes: [UInt8]

    /// Reads a whole message.
    ///
    /// - Parameter bytes: The message, with its header.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The byte at an offset; nil past the end.
    package func byte(at offset: Int) -> UInt8? {
        bytes.indices.contains(offset) ? bytes[offset] : nil
    }

    /// The two bytes from an offset on, as an unsigned integer; nil past the end.
    package func uint16(at offset: Int) -> UInt16? {
        guard let low = byte(at: offset), let high = byte(at: offset + 1) else { return nil }
        return UInt16(low) | UInt16(high) << 8
    }

    /// The two bytes from an offset on, as a signed integer; nil past the end.
    package func int16(at offset: Int) -> Int16? {
        uint16(at: offset).map { Int16(bitPattern: $0) }
    }

    /// The four bytes from an offset on, as an unsigned integer; nil past the end.
    package func uint32(at offset: Int) -> UInt32? {
        guard let low = uint16(at: offset), let high = uint16(at: offset + 2) else { return nil }
        return UInt32(low) | UInt32(high) << 16
    }

    /// Reads the text in a range of bytes.
    ///
    /// - Parameters:
    ///   - offset: The offset of the first byte.
    ///   - length: The number of bytes.
    /// - Returns: The text, with invalid UTF-8 replaced; nil past the end.
    package func text(at offset: Int, length: Int) -> String? {
        guard offset >= 0, length >= 0, offset <= bytes.count, length <= bytes.count - offset else {
            return nil
        }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }
}
