// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Packing
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// Makes sealed batches with given numbers and ends.
final class BatchMill {
    let identity: Identity
    let key: DeviceKey
    private let sealer: Sealer
    private var last: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)
    private var predecessor = SealedBatch.noDigest
    private var builder = BatchBuilder()
    private var made = 0
    private var gate = Gate(stopped: EventTime(0))

    init(sealedTo identity: Identity = Identity(), signedBy key: DeviceKey = DeviceKey()) throws {
        (self.identity, self.key) = (identity, key)
        sealer = Sealer([try #require(Recipient(identity.recipient))], signedBy: key)
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound, conditions.isConnected) = (true, true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
        conditions.hasSpace = true
        gate.set(conditions, at: EventTime(0)) { _ in }
    }

    func batch(_ sequence: UInt64, end: Int64 = 1_800_000_000_000) throws -> SealedBatch {
        builder.begin(
            BatchHeader(
                sequence: sequence,
                bootID: [],
                wallOffset: end,
                keyDetail: 2,
                base: EventTime(0)
            )
        )
        made += 1
        var outputs: [GateOutput] = []
        let context = CaptureEvent.context(.app("A\(made)"), stream: .keyboard, at: EventTime(0))
        _ = gate.take(context) { outputs.append($0) }
        outputs.forEach { builder.append($0) }
        guard let packed = builder.pack() else { throw PackingError(.badFrame) }
        if last.sequence != sequence { predecessor = last.digest }
        let sealed = try sealer.seal(packed, after: predecessor)
        last = (sequence, sealed.digest)
        builder.discard(
            BatchHeader(sequence: 0, bootID: [], wallOffset: 0, keyDetail: 0, base: EventTime(0))
        )
        return sealed
    }
}

@Suite struct RingTests {
    let folder: TemporaryFolder
    let path: String
    private let mill: BatchMill

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/ring.db"
        mill = try BatchMill()
    }

    private var totalSize: Int {
        // Reading the files here would drop the locks that the ring holds on them.
        folder.names().compactMap { Disk.size("\(folder.path)/\($0)") }.reduce(0, +)
    }

    /// The ring, opened as the daemon does.
    private func ring(cap: Int = RingFormat.smallestCap) throws -> Ring {
        let ring = try Ring.open(path, cap: cap, key: mill.key, now: 1_800_000_000_000)
        try ring.rebuildToEnd()
        return ring
    }

    private func reader() throws -> [UInt64] {
        try RingReader(path: path).entries().map(\.sequence)
    }

    @Test func `a batch that was put is read back by another connection`() throws {
        let ring = try ring()
        let batch = try mill.batch(1)
        try ring.put(batch)
        let reader = try RingReader(path: path)
        let entry = try #require(try reader.entries().first)
        #expect(entry.sequence == 1)
        #expect(try reader.sealed(entry) == batch.bytes)
        #expect(ring.contents.batches == 1)
        #expect(ring.contents.newest == batch.end)
    }

    @Test func `the same number again takes the same slot`() throws {
        let ring = try ring()
        try ring.put(try mill.batch(1))
        let grown = try mill.batch(1)
        try ring.put(grown)
        let reader = try RingReader(path: path)
        #expect(try reader.entries().count == 1)
        #expect(try reader.sealed(try reader.entries()[0]) == grown.bytes)
    }

    @Test
    func `the newest batch takes the place of the oldest, and the files never grow past the cap`()
        throws
    {
        let cap = RingFormat.smallestCap
        let ring = try ring(cap: cap)
        let slots = RingFormat.slots(cap: cap)
        for number in 1...UInt64(slots + 40) {
            try ring.put(try mill.batch(number))
            #expect(totalSize <= cap)
        }
        #expect(try reader() == Array(41...UInt64(slots + 40)))
        #expect(ring.contents.batches == slots)
    }

    @Test func `a reader that stays cannot make the log grow past the cap`() throws {
        let cap = RingFormat.smallestCap
        let ring = try ring(cap: cap)
        try ring.put(try mill.batch(1))
        // A foreign program in the middle of a read transaction.
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("sqlite3")))
        process.arguments = [path]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data("BEGIN; SELECT count(*) FROM ring;\n".utf8))
        _ = output.fileHandleForReading.availableData
        var wasBusy = false
        for number in 2...UInt64(400) {
            do {
                try ring.put(try mill.batch(number))
            } catch let error as StorageError {
                #expect(error.code == .busy)
                wasBusy = true
                break
            }
            #expect(totalSize <= cap)
        }
        #expect(wasBusy)
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
        try ring.put(try mill.batch(401))
        #expect(totalSize <= cap)
    }

    @Test func `what is erased is in no file any more when the call returns`() throws {
        let ring = try ring()
        var batches: [SealedBatch] = []
        for number in 1...UInt64(60) {
            let batch = try mill.batch(number)
            batches.append(batch)
            try ring.put(batch)
        }
        try ring.erase((11...50).map { UInt64($0) })
        #expect(!ring.hasPendingErasure)
        for file in folder.files().values {
            for batch in batches[10..<50] {
                // Any 48 bytes of the payload would be the batch's own.
                #expect(file.range(of: Data(batch.bytes[600..<648])) == nil)
                #expect(file.range(of: Data(batch.bytes[3900..<3948])) == nil)
            }
        }
        #expect(try reader() == Array(1...10) + Array(51...60))
        for batch in batches[..<10] {
            #expect(folder.files().values.contains { $0.range(of: Data(batch.bytes)) != nil })
        }
    }

    @Test func `numbers are not given twice, even when everything was erased`() throws {
        do {
            let ring = try ring()
            for number in 1...UInt64(5) { try ring.put(try mill.batch(number)) }
            try ring.erase([1, 2, 3, 4, 5])
            #expect(ring.nextSequence == 6)
        }
        #expect(try ring().nextSequence == 6)
    }

    @Test func `a stretch of time finds every batch that may touch it`() throws {
        let ring = try ring()
        let minute: Int64 = 60_000
        for number in 1...UInt64(10) {
            try ring.put(try mill.batch(number, end: 1_800_000_000_000 + Int64(number) * minute))
        }
        let start = 1_800_000_000_000 + 5 * minute
        #expect(try ring.batches(touching: start...start) == [5, 6, 7])
        #expect(try ring.batches(touching: 0...Int64.max / 2).count == 10)
        #expect(try ring.batches(touching: 0...1000).isEmpty)
    }

    @Test func `another program's database is not taken for a ring`() throws {
        for sql in ["CREATE TABLE t(x); INSERT INTO t VALUES(1);", ""] {
            if sql.isEmpty {
                try Data(repeating: 0x41, count: 9000).write(to: URL(fileURLWithPath: path))
            } else {
                try Program.run("sqlite3", [path, sql])
            }
            #expect(throws: StorageError.self) { try RingReader(path: path) }
            let ring = try ring()
            #expect(ring.contents.batches == 0)
            try ring.put(try mill.batch(1))
            #expect(try reader() == [1])
            try ring.erase([1])
            for suffix in ["", ".head"] { Disk.remove(path + suffix) }
        }
    }

    @Test func `a ring whose file was removed says so instead of writing into nothing`() throws {
        let ring = try ring()
        try ring.put(try mill.batch(1))
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: StorageError(.moved)) { try ring.put(try mill.batch(2)) }
    }
}
