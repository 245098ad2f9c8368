// SPDX-License-Identifier: Apache-2.0

import Foundation
import Packing
import Sealing
import Signing
import System
import Testing
import Timeline

@testable import Storage

/// A ring of sixteen rows with one of every kind, its head and marks, as files in memory that are laid
/// out again for each case.
struct SmallRing: Sendable {
    static let slots = 16
    static let start: Int64 = 1_800_000_000_000
    static let retention: Int64 = 7 * 86_400_000
    /// The numbers of the batches that are in it: oldest, middle, newest, and one stored twice.
    static let numbers: [UInt64] = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]

    let identity: Identity
    let key: DeviceKey
    /// The files, by what follows the path of the ring.
    let files: [String: [UInt8]]

    /// Makes it in a folder, as the daemon would.
    init(in folder: String) throws {
        let mill = try BatchMill()
        (identity, key) = (mill.identity, mill.key)
        let path = "\(folder)/ring.db"
        do {
            let ring = try Self.open(path, mill.key)
            for number in 1...UInt64(12) {
                // An hour each, the newest some minutes ago.
                let end = Self.start - Int64(12 - number) * 3_600_000 - 300_000
                try ring.put(try mill.batch(number, end: end))
            }
            // The newest is open: stored again as it grows.
            try ring.put(try mill.batch(12, end: Self.start - 240_000))
            try ring.erase(try ring.targets([4]))
        }
        var files: [String: [UInt8]] = [:]
        for suffix in ["", ".head", ".marks", ".marks-2"] {
            files[suffix] = try Disk.read(path + suffix, limit: 4 << 20)
        }
        self.files = files
    }

    static func marks(_ path: String) -> HighWaterFiles {
        HighWaterFiles(inState: path + ".marks", inConfig: path + ".marks-2")
    }

    /// Opens it as the daemon does, and checks every proof.
    static func open(
        _ path: String,
        _ key: DeviceKey,
        clocks: AgeClock.Reading? = nil
    ) throws -> Ring {
        let marks = HighWaterKeeper(marks(path))
        marks.look(key.verifier)
        var setting = Ring.Setting(
            cap: RingFormat.smallestCap,
            key: key,
            clocks: clocks ?? reading(wall: start)
        )
        setting.slots = slots
        setting.marks = marks.marks
        setting.note = { new in marks.raise(signedBy: key) { $0.raise(to: new) } }
        let ring = try Ring.open(path, setting, retention: retention)
        try ring.checkToEnd()
        try? marks.files.make(key)
        return ring
    }

    static func reading(
        wall: Int64,
        boottime: Int64 = 100_000_000,
        boot: UInt8 = 7,
        isSynchronised: Bool = true
    ) -> AgeClock.Reading {
        AgeClock.Reading(
            wall: wall,
            boottime: boottime,
            monotonic: boottime,
            bootID: [UInt8](repeating: boot, count: 16),
            isSynchronised: isSynchronised
        )
    }

    /// Lays the files out, all as they were but for what is given.
    func lay(_ path: String, changed: [String: [UInt8]] = [:]) throws {
        for name in [
            "-wal", "-shm", ".damaged", ".new", ".old-damaged-1", ".old-damaged-1-wal",
            ".old-version-1", ".old-resized-1",
        ] { Disk.remove(path + name) }
        for (suffix, bytes) in files {
            let file = try DiskFile(path + suffix, makes: true)
            let new = changed[suffix] ?? bytes
            if file.size != new.count { try file.truncate(to: 0) }
            try file.write(new, at: 0, durable: false)
        }
    }

    /// The numbers of the batches that can be read, as an export would.
    func exported(_ path: String) throws -> [UInt64] {
        let reader = TimelineReader(try RingReader(path: path), [identity])
        var numbers: [UInt64] = []
        _ = try reader.read(0...Int64.max / 4) { event in
            if case .focus(let app, _) = event.item.payload, let number = UInt64(app.dropFirst()) {
                // The thirteenth that was made is the twelfth again.
                numbers.append(min(number, 12))
            }
            return true
        }
        return numbers
    }

    func verify(_ path: String) -> Verification? {
        try? Verifier(path, [identity], key.verifier, Self.marks(path)).verify()
    }
}
