// SPDX-License-Identifier: Apache-2.0

import System

@testable import Sealing
@testable import Storage

extension Target {
    /// A row of the ring: pages, write-ahead logs, head records, tombstones.
    static let row = Target(
        name: "row",
        run: { input in
            var rest = input
            switch rest.take() % 5 {
            case 0: RowTarget.page(Array(rest).padded(to: RingFormat.pageSize))
            case 1: RowTarget.page(Array(rest))
            case 2: RowTarget.log(rest)
            case 3: RowTarget.head(rest)
            default: RowTarget.tombstone(Array(rest))
            }
        },
        seeds: RowTarget.seeds
    )
}

private enum RowTarget {
    static func page(_ bytes: [UInt8]) {
        guard let row = RingPage(bytes) else { return }
        let written = row.bytes
        check(written.count == RingFormat.pageSize, "A row fills a page.")
        check(RingPage(written) == row, "A row that is written is read back.")
        check(RingPage.isRow(written), "A row that is written looks like one.")
        let entry = row.entry
        check(
            entry.isDamaged || entry.sequence >= 0 && entry.sequence < RingFormat.valueOffset,
            "A number that is believed is possible."
        )
    }

    /// Makes a log of short pieces, each the beginning of a frame: real frames are mostly content.
    static func log(_ input: ArraySlice<UInt8>) {
        var rest = input
        var log = rest.take(32)
        var count = 0
        while rest.count >= 24 + 64, count < 6 {
            log += rest.take(24) + rest.take(64 + Int(rest.take())).padded(to: RingFormat.pageSize)
            count += 1
        }
        log += rest
        let found = OldRing.rows(ofLog: log.count) { place, size in
            place < log.count ? Array(log[place..<min(place + size, log.count)]) : []
        }
        let rows = found.rows + found.earlier
        check(rows.count <= log.count / RingFormat.pageSize, "A frame holds at most one row.")
        check(rows.allSatisfy(\.isPlausible), "Only what may be a batch is taken from a log.")
    }

    /// Two records, of which the fuzzer writes the signed part, the signature and a bit of the rest;
    /// a signature counts as valid when its first byte is even.
    static func head(_ input: ArraySlice<UInt8>) {
        var rest = input
        let part = rest.count / RingHead.recordCount
        let size = RingHead.recordSize
        let bytes = (0..<RingHead.recordCount).flatMap { _ in rest.take(part).padded(to: size) }
        let file = bytes.first == 0xFF ? Array(input) : bytes
        var signed: [[UInt8]] = []
        let (head, damaged) = RingHead.read(file) { signature, message in
            check(signature.count == 64, "A signature has one size.")
            guard signature.first.map({ $0 & 1 == 0 }) == true else { return false }
            signed.append(message)
            return true
        }
        check(0...RingHead.recordCount ~= damaged, "There are four records.")
        guard let head else { return }
        // Claims, segments and incidents that are none are passed over: they may stand elsewhere when
        // written. Intro, numbers and digests are the same.
        let content = head.content(0)
        check(
            signed.contains { $0[..<8] == content[..<8] && $0[16..<200] == content[16..<200] },
            "A head says what was signed."
        )
    }

    static func tombstone(_ slot: [UInt8]) {
        guard let stone = Tombstone(slot + [0]) else { return }
        let bytes = stone.bytes
        check(bytes.count == Sealer.sealedSize, "A tombstone fills a slot.")
        check(Tombstone(bytes) == stone, "A tombstone that is written is read back.")
        let text = bytes.prefix { $0 != 0 }
        check(slot.starts(with: text), "A tombstone has one spelling.")
    }

    // MARK: Seeds

    @Sendable static func seeds() -> [[UInt8]] {
        var random = SplitMix(seed: 3)
        let stone =
            Array("mci-tombstone/1 17 forgotten\n".utf8)
            + Base64.encode((0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }) + [
                0x0A
            ]
        let sealed = Array("age-encryption.org/v1\n-> X25519 ".utf8)
        var pages: [[UInt8]] = []
        for (slot, content) in [(0, sealed), (1, stone), (129, sealed), (1 << 40, stone)] {
            let row = RingPage(
                slot: Int64(slot),
                storedSequence: RingFormat.valueOffset + 17,
                storedEnd: RingFormat.valueOffset + 1_800_000_000_000,
                sealed: content.padded(to: RingFormat.slotSize),
                proof: [UInt8](repeating: 5, count: RingFormat.proofSize)
            )
            pages.append(row.bytes)
        }
        pages.append(RingPage.empty.bytes)
        // The zeros at the end are put back by the run.
        pages = pages.map { Array($0[...($0.lastIndex { $0 != 0 } ?? 0)]) }
        var header: [UInt8] = [0x37, 0x7F, 0x06, 0x82, 0, 0x2D, 0xE2, 0x18, 0, 0, 0x10, 0]
        header += (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
        var log = header
        for page in pages.prefix(4) {
            let frame: [UInt8] = [0, 0, 0, 2, 0, 0, 0, 2] + header[16..<24] + header[..<8]
            log += frame + [UInt8(min(255, page.count - 64))]
            log += page.prefix(64 + 255)
        }
        var head = RingHead()
        (head.newest, head.end) = (17, 1_800_000_000_000)
        let young = Array(head.content(0).prefix(1024))
        var second = young
        second[8] = 1
        var seeds = pages.map { [0] + $0 }
        seeds.append([1] + pages[0])
        seeds += [[2] + log, [2] + [UInt8](repeating: 0, count: 32) + log.dropFirst(32)]
        seeds += [[3] + young + second, [3] + [UInt8](repeating: 0, count: 200) + second]
        seeds += [[4] + stone, [4] + stone.padded(to: 300)]
        return seeds
    }
}
