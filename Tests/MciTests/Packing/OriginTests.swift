// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Packing

/// Which devices of a batch are injected.
@Suite struct OriginTests {
    private func section(_ id: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [id, UInt8(bytes.count)] + bytes
    }

    private func device(_ id: UInt8, _ name: String) -> [UInt8] {
        [id, 1, 0, 3, 0, 0, UInt8(name.utf8.count)] + Array(name.utf8) + [0]
    }

    @Test func `a batch without origins is read by the names of its devices`() throws {
        let table = section(17, device(5, "Virtual core XTEST keyboard") + device(6, "AT keyboard"))
        let before = try ColumnReader(table).devices()
        #expect(before.mapValues(\.isInjected) == [5: true, 6: false])
        let now = try ColumnReader(table + section(21, [5, 0, 6, 1])).devices()
        #expect(now.mapValues(\.isInjected) == [5: false, 6: true], "names count no more")
        #expect(throws: PackingError.self) {
            try ColumnReader(table + self.section(21, [7, 1])).devices()
        }
    }
}
