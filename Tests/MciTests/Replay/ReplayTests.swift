// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Testing
import Timeline
import Wire

@testable import Replay

/// What a replay reads, and all it can ask of a server.
@Suite struct ReplayTests {
    @Test func `a replay can send the listed requests, and none selects events or grabs`() throws {
        let codes = Set(
            WireRequest.Kind.allCases.map {
                "\($0.code.extension?.rawValue ?? "") \($0.code.number)"
            }
        )
        // Core: QueryPointer, WarpPointer, GetInputFocus, QueryExtension, the keyboard's map and its
        // modifiers, the pointer's map. XTEST FakeInput; versions and lists of XInput, X-Resource, XKB and RandR; the
        // state of XKB and its locks.
        #expect(
            codes == [
                " 38", " 41", " 43", " 98", " 100", " 101", " 117", " 119", "XTEST 2",
                "XInputExtension 47", "XInputExtension 48", "X-Resource 0", "X-Resource 4",
                "XKEYBOARD 0", "XKEYBOARD 4",
                "XKEYBOARD 5", "RANDR 0", "RANDR 25", "RANDR 9",
            ]
        )
        // One file writes to the socket, and what it writes is a request of the list.
        let start = Program.root + "/Sources/Replay"
        for name in try FileManager.default.contentsOfDirectory(atPath: start) {
            let text = try String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
            let sends = text.contains("WireSocket(") || text.contains("socket.send(")
            #expect(sends == (name == "WireConnection.swift"), "\(name)")
            for door in ["Glibc.send(", "clinux_connect(", "dlopen", "import CX11", "Process("] {
                #expect(!text.contains(door), "\(name)")
            }
        }
    }

    @Test func `every keysym is read back from the name it is exported by`() {
        let blocks: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0xA0...0xFF, 0x100...0x20FF, 0xFD00...0xFFFF, 0x0100_0100...0x0100_FFFF,
            0x1008_FE00...0x1008_FFFF,
        ]
        for keysym in blocks.joined() {
            #expect(KeysymNumber.of(KeysymName.of(keysym)) == keysym)
        }
    }

    @Test func `every modifier is read back from its word`() {
        for bits in UInt8(0)..<128 {
            let modifiers = Modifiers(rawValue: bits)
            #expect(Modifiers.all(named: modifiers.words + ["hyper"]) == modifiers)
        }
    }

    @Test func `a cookie is found for its display and machine alone`() {
        func field(_ bytes: [UInt8]) -> [UInt8] { [0, UInt8(bytes.count)] + bytes }
        func entry(_ family: UInt16, _ host: String, _ display: String, _ cookie: UInt8) -> [UInt8]
        {
            [UInt8(family >> 8), UInt8(family & 255)] + field(Array(host.utf8))
                + field(Array(display.utf8)) + field(Array(XAuthority.method.utf8))
                + field([cookie])
        }
        let bytes =
            entry(256, "there", "7", 1) + entry(256, "here", "8", 2) + entry(256, "here", "7", 3)
            + entry(65_535, "", "9", 4)
        #expect(XAuthority.cookie(for: 7, host: "here", in: bytes) == [3])
        #expect(XAuthority.cookie(for: 8, host: "here", in: bytes) == [2])
        #expect(XAuthority.cookie(for: 9, host: "here", in: bytes) == [4])
        #expect(XAuthority.cookie(for: 8, host: "there", in: bytes) == nil)
        for length in 0..<bytes.count {
            _ = XAuthority.cookie(for: 99, host: "here", in: Array(bytes.prefix(length)))
        }
    }
}
