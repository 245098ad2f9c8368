// SPDX-License-Identifier: Apache-2.0

import Signing
import Storage

extension Ring {
    /// The ring as the daemon opens it at a moment, in a boot that began a while before.
    static func open(
        _ path: String,
        cap: Int = RingFormat.defaultCap,
        key: DeviceKey,
        now: Int64,
        retention: Int64 = 7 * 86_400_000
    ) throws(StorageError) -> Ring {
        let clocks = AgeClock.Reading(
            wall: now,
            boottime: now - 1_700_000_000_000,
            monotonic: now - 1_700_000_000_000,
            bootID: [UInt8](repeating: 7, count: 16),
            isSynchronised: true
        )
        return try open(
            path,
            Setting(cap: cap, key: key, clocks: clocks),
            retention: retention
        )
    }

    /// Erases batches by their numbers.
    func erase(_ numbers: [UInt64]) throws(StorageError) { try erase(try targets(numbers)) }

    /// The numbers of the batches that touch a stretch of time.
    func batches(touching range: ClosedRange<Int64>) throws(StorageError) -> [UInt64] {
        try targets(touching: range).compactMap(\.sequence)
    }
}
