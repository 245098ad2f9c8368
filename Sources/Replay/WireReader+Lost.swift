// SPDX-License-Identifier: Apache-2.0

import Wire

/// Fields that a replay cannot do without: where one is missing, the connection counts as lost.
extension WireReader {
    func byte(_ offset: Int) throws(ReplayError) -> UInt8 { try Self.known(byte(at: offset)) }

    func uint16(_ offset: Int) throws(ReplayError) -> Int {
        Int(try Self.known(uint16(at: offset)))
    }

    func signed(_ offset: Int) throws(ReplayError) -> Int {
        Int(try Self.known(int16(at: offset)))
    }

    func uint32(_ offset: Int) throws(ReplayError) -> UInt32 {
        try Self.known(uint32(at: offset))
    }

    func text(_ offset: Int, length: Int) throws(ReplayError) -> String {
        try Self.known(text(at: offset, length: length))
    }

    private static func known<Field>(_ field: Field?) throws(ReplayError) -> Field {
        guard let field else { throw ReplayError(.lost) }
        return field
    }
}
