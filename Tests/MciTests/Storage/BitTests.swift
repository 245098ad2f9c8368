// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization
import System
import Testing
import Timeline

@testable import Storage

/// One changed bit, anywhere but in what is sealed, costs nothing and is named.
@Suite struct BitTests {
    /// A bit of one of the files.
    private struct Flip: Sendable {
        var file: String
        var offset: Int
        var bit: Int
    }

    /// Every bit of every row's cells but the sealed bytes, of page 1, of all head records and of both
    /// copies of the marks.
    private static func flips(_ ring: SmallRing) -> [Flip] {
        var flips: [Flip] = []
        func add(_ file: String, _ offsets: Range<Int>) {
            for offset in offsets {
                for bit in 0..<8 { flips.append(Flip(file: file, offset: offset, bit: bit)) }
            }
        }
        let pages = ring.files[""] ?? []
        for start in stride(from: 0, to: pages.count, by: RingFormat.pageSize) {
            let page = Array(pages[start..<start + RingFormat.pageSize])
            if start == 0 {
                add("", 0..<RingFormat.pageSize)
            } else if RingPage.isRow(page) {
                // The zeros in front of the cell belong to no row: one in each page will do.
                add("", start..<start + 10)
                add(
                    "",
                    start + RowLayout.current.recordStart - 4..<start + RowLayout.current.blobStart
                )
                add("", start + RowLayout.current.proofStart..<start + RingFormat.pageSize)
            }
        }
        add(".head", 0..<RingHead.fileSize)
        for file in [".marks", ".marks-2"] { add(file, 0..<(ring.files[file]?.count ?? 0)) }
        return flips
    }

    @Test func `no single bit costs a batch, ends a program or goes unnamed`() throws {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let all = Self.flips(ring)
        // A prime, so that each kind of bit has its turn.
        let schema = all.filter { $0.file.isEmpty && (3825..<3840).contains($0.offset) }
        let flips =
            isProof ? all : stride(from: 0, to: all.count, by: 1327).map { all[$0] } + schema
        let results = Mutex((lost: [String](), unnamed: [String](), late: 0, done: 0))
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 2) { worker in
            let path = "\(folder.path)/\(worker).db"
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < flips.count else { return }
                let flip = flips[index]
                let outcome = Self.run(ring, flip, path)
                results.withLock {
                    if let fault = outcome.fault { $0.lost.append("\(flip): \(fault)") }
                    if !outcome.isNamed { $0.unnamed.append("\(flip)") }
                    if outcome.seconds > 2 { $0.late += 1 }
                    $0.done += 1
                }
            }
        }
        let (lost, unnamed, late, done) = results.withLock { $0 }
        print(
            "bits: \(done) of \(all.count) flipped; \(lost.count) cost something, "
                + "\(unnamed.count) unnamed, \(late) slower than 2 s"
        )
        #expect(lost.isEmpty, "\(lost.prefix(12))")
        #expect(unnamed.isEmpty, "\(unnamed.prefix(12))")
        #expect(late == 0)
    }

    private static func run(
        _ ring: SmallRing,
        _ flip: Flip,
        _ path: String
    ) -> (fault: String?, isNamed: Bool, seconds: Double) {
        var longest = 0.0
        do {
            var bytes = ring.files[flip.file] ?? []
            bytes[flip.offset] ^= 1 << flip.bit
            try ring.lay(path, changed: [flip.file: bytes])
            var isNamed = ring.verify(path)?.isWhole != true
            for _ in 0..<4 {
                let begin = DispatchTime.now().uptimeNanoseconds
                let opened = try SmallRing.open(path, ring.key)
                longest = max(longest, Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e9)
                if !opened.takeFindings().isEmpty { isNamed = true }
                if !opened.takeLosses().isEmpty { return ("a loss", isNamed, longest) }
                if opened.nextSequence != 13 {
                    return ("next is \(opened.nextSequence)", isNamed, longest)
                }
            }
            let exported = try ring.exported(path)
            guard exported == SmallRing.numbers else { return ("\(exported)", isNamed, longest) }
            guard ring.verify(path) != nil else { return ("no verification", isNamed, longest) }
            return (nil, isNamed, longest)
        } catch {
            return ("\(error)", true, longest)
        }
    }

    @Test func `marks that are removed are missed`() throws {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let path = "\(folder.path)/ring.db"
        Disk.remove(path + ".marks")
        #expect(ring.verify(path)?.isWhole == true, "one copy is enough")
        Disk.remove(path + ".marks-2")
        #expect(ring.verify(path)?.findings.map(\.fault) == [.marks])
    }

    @Test(arguments: [-3650, -8, 8, 3650], [4000, 7_200_000])
    func `a damaged row and a wrong clock together cost nothing`(days: Int64, length: Int64) throws
    {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let path = "\(folder.path)/other.db"
        let error = days * 86_400_000
        let pages = (ring.files[""] ?? []).count / RingFormat.pageSize
        for page in 1..<pages {
            var bytes = ring.files[""] ?? []
            let start = page * RingFormat.pageSize
            guard RingPage.isRow(Array(bytes[start..<start + RingFormat.pageSize])) else {
                continue
            }
            // The number in one half, the end in the other.
            bytes[start + (page % 2 == 0 ? 50 : 55)] ^= 0x10
            try ring.lay(path, changed: ["": bytes])
            for boot in [UInt8(7), 8] {
                func clocks(_ error: Int64, _ later: Int64) -> AgeClock.Reading {
                    SmallRing.reading(
                        wall: SmallRing.start + later + error,
                        boottime: 100_000_000 + later,
                        boot: boot,
                        isSynchronised: false
                    )
                }
                // From the start of a new boot for fifty minutes, and within one for as long as said.
                let most = boot == 7 ? length : 3_000_000
                let opened = try SmallRing.open(
                    path,
                    ring.key,
                    clocks: clocks(boot == 7 ? 0 : error, 10_000)
                )
                for later in stride(
                    from: Int64(20_000),
                    through: most + 20_000,
                    by: Int(max(4000, most / 40))
                ) {
                    opened.look(clocks(error, later), retention: SmallRing.retention)
                    #expect(try opened.targets(olderThan: SmallRing.retention).isEmpty)
                }
                opened.look(clocks(0, most + 30_000), retention: SmallRing.retention)
                #expect(try opened.targets(olderThan: SmallRing.retention).isEmpty)
            }
            #expect(try ring.exported(path) == SmallRing.numbers)
        }
    }
}
