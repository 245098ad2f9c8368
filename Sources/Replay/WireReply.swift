// SPDX-License-Identifier: Apache-2.0

/// A little-endian reply of an X server; reading past its end is an error, never a zero.
struct WireReply {
    let bytes: [UInt8]

    func byte(_ at: Int) throws(ReplayError) -> UInt8 {
        guard bytes.indices.contains(at) else { throw ReplayError(.lost) }
        return bytes[at]
    }

    func uint16(_ at: Int) throws(ReplayError) -> Int {
        try Int(byte(at)) | Int(byte(at + 1)) << 8
    }

    func signed(_ at: Int) throws(ReplayError) -> Int {
        Int(Int16(truncatingIfNeeded: try uint16(at)))
    }

    func uint32(_ at: Int) throws(ReplayError) -> UInt32 {
        try UInt32(uint16(at)) | UInt32(uint16(at + 2)) << 16
    }

    func text(_ at: Int, length: Int) throws(ReplayError) -> String {
        guard length >= 0, at >= 0, at + length <= bytes.count else { throw ReplayError(.lost) }
        return String(decoding: bytes[at..<at + length], as: UTF8.self)
    }
}
