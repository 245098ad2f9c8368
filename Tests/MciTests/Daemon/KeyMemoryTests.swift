// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Gate
import Person
import System
import Testing

/// What is left of typed keys in the memory of a running mcid.
@Suite struct KeyMemoryTests {
    /// A raw key as the server sends it, or as Xlib's queue kept it, with a time of these.
    private struct RawKeys {
        var times: ClosedRange<UInt32>

        func count(in bytes: [UInt8]) -> Int {
            bytes.withUnsafeBytes { bytes in
                let words = unsafe bytes.bindMemory(to: UInt32.self)
                return words.indices.dropFirst(3).dropLast(2).count { at in
                    guard unsafe times.contains(words[at]) else { return false }
                    // GenericEvent, XI_RawKeyPress and XI_RawKeyRelease, the time, and the keycode.
                    let isSent =
                        unsafe words[at - 3] & 0xFF == 35
                        && [13, 14].contains(words[at - 1] & 0xFFFF)
                        && (8...255).contains(words[at + 1])
                    // The keycode, no flags, and the time.
                    let isQueued = unsafe (8...255).contains(words[at - 2]) && words[at - 1] == 0
                    return isSent || isQueued
                }
            }
        }
    }

    /// Everything that a process could write to.
    private func memory(of process: Int32) throws -> [[UInt8]] {
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        let file = try #require(FileHandle(forReadingAtPath: "/proc/\(process)/mem"))
        return try maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields[1].hasPrefix("rw") else { return nil }
            let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            try file.seek(toOffset: bounds[0])
            return try file.read(upToCount: Int(bounds[1] - bounds[0])).map(Array.init)
        }
    }

    @Test func `raw keys are recognised as they are sent and as Xlib queued them`() {
        let keys = RawKeys(times: 1000...2000)
        func bytes(_ words: [UInt32]) -> [UInt8] {
            words.flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 255) } }
        }
        #expect(keys.count(in: bytes([0x5_8323, 0, 0x3_000D, 1500, 24, 4, 0, 0])) == 1)
        #expect(keys.count(in: bytes([3, 4, 24, 0, 1500, 0, 0, 0])) == 1)
        #expect(keys.count(in: bytes([0x5_8323, 0, 0x3_000F, 1500, 1, 4, 0, 0])) == 0)
        #expect(keys.count(in: bytes([3, 4, 24, 0, 2001, 0, 0, 0])) == 0)
    }

    @Test(.enabled(if: getuid() == 0, "only root can read the memory of mcid"))
    func `no raw key stays in memory once it was read`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop, detail: .full)
        try daemon.record(hand)
        // The server counts its milliseconds as this clock does.
        let begin = UInt32(truncatingIfNeeded: KernelClock.monotonic.milliseconds)
        let names = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        for _ in 0..<20 {
            for name in names + names.prefix(24) {
                hand.key(name, down: true)
                hand.key(name, down: false)
            }
            try daemon.barrier()
        }
        let end = UInt32(truncatingIfNeeded: KernelClock.monotonic.milliseconds)
        try daemon.settled()
        let counts = try #require(daemon.status?.events.admitted)
        #expect(counts >= 2000)
        let keys = RawKeys(times: begin...end)
        let left = try memory(of: daemon.process.processIdentifier).map(keys.count)
        print("\(left.reduce(0, +)) raw keys of \(counts) left in \(left.count) mappings")
        #expect(left.allSatisfy { $0 == 0 })
        daemon.stop()
    }
}
