// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Packing
import Sealing
import Signing
import System
import Testing
import Timeline

@testable import Storage

/// What happens to a ring whose files are damaged, and what verification says of it.
@Suite struct DamageTests {
    private let folder: TemporaryFolder
    private let path: String
    private let mill: BatchMill
    private let start: Int64 = 1_800_000_000_000

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/ring.db"
        mill = try BatchMill()
    }

    /// The ring, opened and mended as the daemon does.
    private func ring(cap: Int = RingFormat.smallestCap) throws -> Ring {
        let ring = try Ring.open(path, cap: cap, key: mill.key, now: start)
        try ring.checkToEnd()
        return ring
    }

    private func fill(_ count: UInt64) throws {
        let ring = try ring()
        for number in 1...count { try ring.put(try mill.batch(number, end: start)) }
    }

    private func verify() throws -> Verification {
        try Verifier(path, [mill.identity], mill.key.verifier).verify()
    }

    private var stored: [UInt64] {
        get throws { try RingReader(path: path).entries().map(\.sequence) }
    }

    /// Writes bytes into a file.
    private func overwrite(_ name: String, at place: Int, _ bytes: [UInt8]) throws {
        try DiskFile("\(folder.path)/\(name)").write(bytes, at: place)
    }

    /// The page of the file that holds a batch.
    private func page(of sequence: Int64) throws -> Int {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(
            (0..<data.count / 4096).first {
                RingPage(Array(data[$0 * 4096..<($0 + 1) * 4096]))?.sequence == sequence
            }
        )
    }

    @Test func `an untouched ring is whole, whatever was done with it`() throws {
        try fill(30)
        #expect(try verify().isWhole)
        do {
            let ring = try ring()
            try ring.erase([3, 4, 30])
            try ring.put(try mill.batch(31, end: start))
            // Stored again while it was open.
            try ring.put(try mill.batch(31, end: start))
        }
        let found = try verify()
        #expect(found.isWhole, "\(found)")
        #expect((found.whole, found.forgotten) == (28, 3))
        let slots = UInt64(RingFormat.slots(cap: RingFormat.smallestCap))
        do {
            let ring = try ring()
            for number in 32...slots + 50 { try ring.put(try mill.batch(number, end: start)) }
        }
        #expect(try verify().isWhole)
        #expect(try verify().whole == Int(slots))
    }

    @Test func `every row looks as the format says, so that every bit of it is known`() throws {
        try fill(10)
        try ring().erase([5])
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let pages = (0..<data.count / 4096).map { Array(data[$0 * 4096..<($0 + 1) * 4096]) }
        let rows = pages.filter { RingPage($0)?.bytes == $0 }
        #expect(rows.count == RingFormat.slots(cap: RingFormat.smallestCap))
    }

    @Test func `one row is one page, whatever number its slot has`() throws {
        try fill(1)
        let row = try #require(
            RingPage(
                Array(
                    try Data(contentsOf: URL(fileURLWithPath: path))[
                        try page(of: 1) * 4096..<(try page(of: 1) + 1) * 4096
                    ]
                )
            )
        )
        // Numbers of one to four bytes.
        let slots: [Int64] = [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455]
        let values = slots.map {
            "(\($0), \(row.storedSequence), \(row.storedEnd), x'\(Hex.encode(row.sealed))', x'\(Hex.encode(row.proof))')"
        }
        let other = "\(folder.path)/other.db"
        let sql = """
            PRAGMA page_size=4096;
            CREATE TABLE ring(slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, t_end INTEGER NOT NULL,
              sealed BLOB NOT NULL, proof BLOB NOT NULL) STRICT;
            INSERT INTO ring VALUES \(values.joined(separator: ","));
            """
        #expect(try Program.run("sqlite3", [other], input: sql).code == 0)
        let data = try Data(contentsOf: URL(fileURLWithPath: other))
        let pages = (0..<data.count / 4096).map { Array(data[$0 * 4096..<($0 + 1) * 4096]) }
        let rows = pages.compactMap { page in
            RingPage(page).flatMap { $0.bytes == page ? $0.slot : nil }
        }
        #expect(rows.sorted() == slots)
    }

    @Test func `a changed bit is found wherever it is`() throws {
        try fill(5)
        let size = try #require(Disk.size(path))
        var random = SystemRandomNumberGenerator()
        for round in 0..<40 {
            let copy = try Data(contentsOf: URL(fileURLWithPath: path))
            let page = try page(of: 3)
            // Half of them in one batch, the others anywhere.
            let place =
                round % 2 == 0
                ? page * 4096 + Int.random(in: 0..<4096, using: &random)
                : Int.random(in: 0..<size, using: &random)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            try overwrite("ring.db", at: place, [copy[place] ^ bit])
            let isFound = (try? verify().isWhole) != true
            #expect(isFound, "bit \(bit) of byte \(place % 4096) in page \(place / 4096)")
            try copy.write(to: URL(fileURLWithPath: path))
        }
        #expect(try verify().isWhole)
    }

    @Test func `a page that says it holds another row is found, whichever the two are`() throws {
        try fill(5)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var missed: [String] = []
        // Of empty rows one looks like the other, and both would be read where one says it is the other.
        for number in stride(from: 7, to: whole.count / 4096, by: 13) {
            let page = Array(whole[number * 4096..<(number + 1) * 4096])
            guard RingPage.isRow(page), let slot = RingPage(page)?.slot, slot > 0 else { continue }
            let last = number * 4096 + RowLayout.current.recordStart - 1
            for bit in 0..<7 {
                try overwrite("ring.db", at: last, [whole[last] ^ 1 << UInt8(bit)])
                if try verify().isWhole { missed.append("bit \(bit) of slot \(slot)") }
                try overwrite("ring.db", at: last, [whole[last]])
            }
        }
        #expect(missed.isEmpty, "\(missed)")
        #expect(try verify().isWhole)
    }

    @Test func `a missing, moved, doubled, older or foreign batch is found and named`() throws {
        try fill(9)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        func row(_ sequence: Int64) throws -> RingPage {
            let page = try page(of: sequence)
            return try #require(RingPage(Array(whole[page * 4096..<(page + 1) * 4096])))
        }
        func with(_ change: (inout [Int: RingPage]) throws -> Void) throws -> Verification {
            var rows: [Int: RingPage] = [:]
            for number in 1...9 { rows[number] = try row(Int64(number)) }
            let places = try (1...9).map { try page(of: Int64($0)) }
            try change(&rows)
            for number in 1...9 {
                var row = try #require(rows[number])
                row.slot = Int64(number - 1)
                try overwrite("ring.db", at: places[number - 1] * 4096, row.bytes)
            }
            defer { try? whole.write(to: URL(fileURLWithPath: path)) }
            return try verify()
        }
        #expect(try with { _ in }.isWhole)
        let moved = try with { rows in
            let (one, two) = (rows[4]!, rows[5]!)
            rows[4]!.sealed = two.sealed
            rows[5]!.sealed = one.sealed
        }
        #expect(moved.findings.contains { $0.fault == .misplaced && $0.first == 4 && $0.last == 5 })
        let doubled = try with { $0[4] = $0[5] }
        #expect(doubled.findings.map(\.fault) == [.missing, .doubled])
        #expect(doubled.findings[0].first == 4 && doubled.findings[1].first == 5)
        // An empty slot, as if the newest had never been stored.
        let empty = RingPage.empty
        #expect(try with { $0[9] = empty }.findings.map(\.fault) == [.missing])
        #expect(try with { $0[1] = empty }.findings.map(\.fault) == [.missing])
        let mistimed = try with { $0[2]!.storedEnd += 60_000 }
        #expect(mistimed.findings.map(\.fault) == [.mistimed])
        // Sealed to the same person by somebody else.
        let forger = try BatchMill(sealedTo: mill.identity)
        let forged = try forger.batch(6, end: start)
        #expect(try with { $0[6]!.sealed = forged.bytes }.findings.map(\.fault).first == .unsigned)
        let foreign = try BatchMill().batch(6, end: start)
        #expect(try with { $0[6]!.sealed = foreign.bytes }.findings.map(\.fault) == [.foreign])
        let stone = try #require(Tombstone(7, .forgotten, signedBy: DeviceKey()))
        let buried = try with { rows in
            rows[7]!.sealed = stone.bytes
            rows[7]!.storedEnd = RingFormat.valueOffset
        }
        #expect(buried.findings.map(\.fault) == [.forgedNote])
    }

    @Test func `a batch put back to an earlier state is found`() throws {
        try fill(3)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        do {
            let ring = try ring()
            for _ in 0..<2 { try ring.put(try mill.batch(3, end: start)) }
        }
        let newest = try Data(contentsOf: URL(fileURLWithPath: path))
        try before.write(to: URL(fileURLWithPath: path))
        #expect(try verify().findings.map(\.fault) == [.outdated], "the head knows the newest")
        try newest.write(to: URL(fileURLWithPath: path))
        do { try ring().put(try mill.batch(4, end: start)) }
        let page = try page(of: 3) * 4096
        try overwrite("ring.db", at: page, Array(before[page..<page + 4096]))
        let found = try verify()
        #expect(found.findings.map(\.fault) == [.outdated])
        #expect(found.findings.first?.first == 3)
    }

    @Test func `a ring put back as a whole is found`() throws {
        try fill(3)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        do { try ring().put(try mill.batch(4, end: start)) }
        try before.write(to: URL(fileURLWithPath: path))
        let found = try verify()
        #expect(found.findings.map(\.fault) == [.missing])
        #expect(found.findings.first?.first == 4)
    }

    @Test(arguments: ["head gone", "head changed", "head cut"])
    func `a head that is gone or changed is found`(what: String) throws {
        try fill(3)
        switch what {
        case "head gone": Disk.remove(path + ".head")
        case "head cut": try DiskFile(path + ".head").truncate(to: 700)
        default: try overwrite("ring.db.head", at: 40, [0xFF])
        }
        #expect(try verify().findings.map(\.fault) == [.head])
        do { try ring().put(try mill.batch(4, end: start)) }
        do { try ring().put(try mill.batch(5, end: start)) }
        let mended: [Verification.Fault] = what == "head changed" ? [] : [.headGone]
        #expect(try verify().findings.map(\.fault) == mended, "written anew, and not forgotten")
        #expect(try stored == [1, 2, 3, 4, 5])
    }

    @Test(arguments: [0, 1, 2, 3, 5, 8, 40])
    func `a page that is overwritten costs its batch at most`(page: Int) throws {
        try fill(30)
        try overwrite("ring.db", at: page * 4096, (0..<4096).map { _ in .random(in: 0...255) })
        let ring = try ring()
        let left = try stored
        #expect(left.count >= 29)
        try ring.put(try mill.batch(31, end: start))
        let found = try verify()
        // What was lost stays found.
        #expect(found.findings.map(\.fault) == (left.count == 30 ? [] : [.lost]), "\(found)")
        #expect(left.count == 30 || found.lost == 1 || left.first == 2)
    }

    @Test(arguments: ["cut", "cut in a page", "emptied", "removed", "unreadable"])
    func `a file that is cut, emptied, removed or unreadable costs what was in it`(what: String)
        throws
    {
        try fill(200)
        let size = try #require(Disk.size(path))
        switch what {
        case "cut": try DiskFile(path).truncate(to: size / 2 / 4096 * 4096)
        case "cut in a page": try DiskFile(path).truncate(to: size / 2 / 4096 * 4096 + 100)
        case "emptied": try DiskFile(path).truncate(to: 0)
        case "removed": Disk.remove(path)
        default: Disk.makeReadable(path, mode: 0)
        }
        let ring = try ring()
        let left = try stored
        if what == "unreadable" { #expect(left.count == 200) }
        if what.hasPrefix("cut") { #expect(left.count > 100) }
        let losses = ring.takeLosses().map(\.batches).reduce(0, +)
        #expect(left.count + losses == 200)
        #expect(ring.nextSequence == 201)
        try ring.put(try mill.batch(201, end: start))
        let found = Set(try verify().findings.map(\.fault))
        let expected: Set<Verification.Fault> =
            switch what {
            case "unreadable": []
            case "removed", "emptied": [.lost, .ringGone]
            default: [.lost]
            }
        #expect(found == expected)
    }

    @Test func `what was erased does not come back when a ring is rebuilt`() throws {
        try fill(30)
        do { try ring().erase([7, 8]) }
        try overwrite("ring.db", at: 0, [UInt8](repeating: 9, count: 4096))
        let ring = try ring()
        #expect(try stored == Array(1...6) + Array(9...30))
        #expect(ring.takeLosses().isEmpty)
        #expect(try verify().forgotten == 2)
    }

    @Test func `a rebuilding that is interrupted anywhere goes on at the next start`() throws {
        try fill(250)
        try overwrite("ring.db", at: 0, [UInt8](repeating: 9, count: 4096))
        for _ in 0..<3 {
            let ring = try Ring.open(path, key: mill.key, now: start)
            #expect(ring.isRebuilding)
            try ring.rebuildStep()
        }
        let ring = try ring()
        try ring.put(try mill.batch(251, end: start))
        #expect(try stored == Array(1...251))
        #expect(try verify().isWhole)
    }

    @Test func `a larger ring keeps all, a smaller one the newest, and neither exceeds the cap`()
        throws
    {
        let (small, large) = (RingFormat.smallestCap, 2 * RingFormat.smallestCap)
        try fill(290)
        func total() -> Int {
            folder.names().compactMap { Disk.size("\(folder.path)/\($0)") }.reduce(0, +)
        }
        do {
            let ring = try Ring.open(path, cap: large, key: mill.key, now: start)
            while ring.isRebuilding {
                try ring.rebuildStep()
                #expect(total() <= large)
            }
            #expect(ring.contents.batches == 290)
            for number in 291...UInt64(600) { try ring.put(try mill.batch(number, end: start)) }
        }
        #expect(try verify().isWhole)
        let slots = RingFormat.slots(cap: small)
        do {
            let ring = try Ring.open(path, cap: small, key: mill.key, now: start)
            var number: UInt64 = 601
            while ring.isRebuilding {
                try ring.rebuildStep()
                #expect(total() <= large)
                // Recording goes on meanwhile.
                if number < 604 { try ring.put(try mill.batch(number, end: start)) }
                number += 1
            }
            #expect(ring.contents.batches == slots)
            #expect(total() <= small)
            #expect(ring.takeLosses().isEmpty)
        }
        #expect(try stored.last == 603)
        #expect(try stored.count == slots)
        let found = try verify()
        #expect(found.isWhole, "\(found)")
    }

    @Test func `damage while the ring is open is found by the next writing`() throws {
        let ring = try ring()
        for number in 1...UInt64(20) { try ring.put(try mill.batch(number, end: start)) }
        try ring.finishErasure()
        try DiskFile(path).truncate(to: 10 * 4096)
        #expect(throws: StorageError(.damaged)) { try ring.put(try mill.batch(21, end: start)) }
        Disk.remove(path + "-wal")
        #expect(throws: StorageError.self) { try ring.put(try mill.batch(21, end: start)) }
    }

    @Test func `a log that is removed while the ring is open takes no batch with it`() throws {
        do {
            let ring = try ring()
            for number in 1...UInt64(5) { try ring.put(try mill.batch(number, end: start)) }
            Disk.remove(path + "-wal")
            #expect(throws: StorageError(.moved)) { try ring.put(try mill.batch(6, end: start)) }
        }
        do { try ring().put(try mill.batch(6, end: start)) }
        #expect(try stored == [1, 2, 3, 4, 5, 6])
        #expect(try verify().isWhole)
    }

    @Test(arguments: [47, 53, 52])
    func `an empty row that is changed is emptied again`(offset: Int) throws {
        try fill(3)
        try overwrite("ring.db", at: try page(of: 0) * 4096 + offset, [offset == 52 ? 3 : 0x45])
        #expect(try !verify().isWhole)
        do { #expect(try ring().takeFindings() == [.mended]) }
        #expect(try verify().isWhole)
        #expect(try stored == [1, 2, 3])
    }

    @Test(arguments: [47, 52, 53, 58, 4095])
    func `a batch whose row is changed is kept, read, and named until it goes`(offset: Int) throws {
        try fill(3)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try page(of: 2) * 4096 + offset
        try overwrite("ring.db", at: place, [before[place] ^ 0x40])
        let opener = BatchOpener([mill.identity])
        for start in 0..<4 {
            let found = try verify().findings
            #expect(
                found.count == 1 && found.first?.first == 2 && found.first?.last == 2,
                "\(found)"
            )
            #expect(try RingReader(path: path).settledEntries(opener).map(\.sequence) == [1, 2, 3])
            let ring = try ring()
            #expect(ring.takeFindings() == [.damagedRows(1)], "start \(start)")
            #expect(ring.takeLosses().isEmpty && ring.contents.damaged == 1)
        }
        let ring = try ring()
        try ring.erase(try ring.targets([2]))
        #expect(try verify().isWhole)
        #expect(try verify().forgotten == 1)
    }
}
