// SPDX-License-Identifier: Apache-2.0

import CZlib
import Events
import Gate
import Packing
import Testing

/// What version 3 of the format added, and that version 2 is still read.
@Suite struct FormatTests {
    /// Takes what a gate lets out and packs it as the recorder does, whole batches only.
    private struct Packer: ~Copyable {
        private var builder = BatchBuilder()
        private(set) var batches: [[UInt8]] = []

        init() { builder.begin(Self.header(1)) }

        private static func header(_ number: UInt64) -> BatchHeader {
            BatchHeader(
                sequence: number,
                bootID: [],
                wallOffset: 0,
                keyDetail: 3,
                base: EventTime(1000)
            )
        }

        mutating func take(_ output: GateOutput) {
            while !builder.admits(output) { close() }
            builder.append(output)
            if builder.isFull { close() }
        }

        mutating func close() {
            guard let batch = builder.pack() else { return }
            batches.append(batch.withPlaintext { Array($0) })
            builder.advance(Self.header(UInt64(batches.count + 1)))
        }

        mutating func finish() {
            while !builder.isEmpty { close() }
        }
    }

    /// Everything an open gate lets out of events.
    private func outputs(_ events: [CaptureEvent]) -> [GateOutput] {
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound) = (true, true)
        (conditions.hasSpace, conditions.isConnected) = (true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
        var gate = Gate(stopped: EventTime(0))
        var outputs: [GateOutput] = []
        gate.set(conditions, at: EventTime(0)) { _ in }
        let front = CaptureEvent.context(.app("A"), stream: .pointer, at: EventTime(0))
        for event in [front] + events { _ = gate.take(event) { outputs.append($0) } }
        return outputs
    }

    private func motion(_ time: Int64, _ device: UInt8, pixel: Pixel? = nil) -> CaptureEvent {
        let payload = RawEvent.Payload.motion(dx: Int32(time % 5), dy: -3)
        return .input(
            RawEvent(time: EventTime(time), device: device, payload: payload, pixel: pixel),
            stream: .pointer
        )
    }

    /// The decompressed columns.
    private func columns(_ plaintext: [UInt8]) -> [UInt8] {
        var columns = [UInt8](repeating: 0, count: 1 << 20)
        var size = UInt(columns.count)
        let length = (0..<4).reduce(0) { $0 | Int(plaintext[$1]) << (8 * $1) }
        let body = Array(plaintext[4..<4 + length])
        uncompress(&columns, &size, body, UInt(body.count))
        return Array(columns.prefix(Int(size)))
    }

    /// A batch with other columns.
    private func plaintext(_ columns: [UInt8], like old: [UInt8]) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: Int(compressBound(UInt(columns.count))))
        var size = UInt(body.count)
        compress2(&body, &size, columns, UInt(columns.count), 9)
        let length = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * UInt($0))) }
        let content = length + body.prefix(Int(size))
        let room = old.count - BatchLayout.proofSize - content.count
        return content + [UInt8](repeating: 0, count: room) + old.suffix(BatchLayout.proofSize)
    }

    @Test func `each batch describes the devices of its events, and no other`() throws {
        var random = SplitMix(seed: 51)
        var devices = Dictionary(
            uniqueKeysWithValues: (UInt8(2)...9).map { ($0, randomDevice(&random)) }
        )
        let screens = (0..<2).map { _ in randomScreen(&random) }
        var events: [CaptureEvent] = [.devices(devices), .screen(screens[0])]
        var truth: [Device?] = []
        for time in Int64(0)..<30_000 {
            // The ninth is there and is never used.
            // The second is not used any more in the last half.
            let id = UInt8.random(in: (time < 15_000 ? 2 : 3)...5, using: &random)
            switch time {
            case 9000, 9001, 21_000:
                devices[3] = randomDevice(&random)
                events.append(.devices(devices))
            case 15_000: events.append(.screen(screens[1]))
            default: break
            }
            events.append(motion(1000 + time, id))
            truth.append(devices[id])
        }
        var packer = Packer()
        for output in outputs(events) { packer.take(output) }
        packer.finish()
        var index = 0
        for plaintext in packer.batches {
            let batch = try OpenedBatch(plaintext: plaintext)
            for item in batch.items where item.payload.isInput {
                #expect(batch.devices[item.device] == truth[index])
                #expect(batch.screen == screens[index < 15_000 ? 0 : 1])
                index += 1
            }
            #expect(Set(batch.devices.keys).isSubset(of: Set(batch.items.map(\.device))))
        }
        #expect(index == truth.count)
        #expect(packer.batches.count < 40, "a change ends a batch, an event does not")
    }

    @Test func `a small movement is one byte of time and one of movement`() throws {
        func size(_ count: Int64) throws -> Int {
            var packer = Packer()
            for output in outputs((0..<count).map { motion(1000 + $0, 6) }) { packer.take(output) }
            packer.finish()
            return columns(try #require(packer.batches.first)).count
        }
        // A trial whether the batch still fits ends the runs of kinds and of devices.
        let more = try size(1200) - size(200)
        #expect(2000...2016 ~= more, "\(more)")
    }

    @Test func `places and axes come back, and a batch without them has no such section`() throws {
        var values = AxisValues()
        (values[0], values[1], values[7]) = (65_535, -1, .min)
        let events = [
            motion(1000, 6), motion(1001, 6, pixel: Pixel(x: -4, y: 2559)),
            .input(
                RawEvent(time: EventTime(1002), device: 8, payload: .axes(values)),
                stream: .pointer
            ),
        ]
        var packer = Packer()
        for output in outputs(events) { packer.take(output) }
        packer.finish()
        let batch = try OpenedBatch(plaintext: try #require(packer.batches.first))
        let items = batch.items.filter(\.payload.isInput)
        #expect(items.map(\.pixel) == [nil, Pixel(x: -4, y: 2559), nil])
        #expect(items.last?.payload == .input(.axes(values)))
        #expect(values.reported.map(\.axis) == [0, 1, 7])
    }

    @Test func `batches of versions 2 and 3 are read, those of version 5 are refused`() throws {
        var packer = Packer()
        for output in outputs((0..<50).map { motion(1000 + $0, 6) }) { packer.take(output) }
        packer.finish()
        let new = try #require(packer.batches.first)
        var columns = columns(new)
        // The header is the first section: its id, its length, then the version.
        #expect(columns[0] == 1 && columns[2] == 4)
        let items = try OpenedBatch(plaintext: new).items
        for version in [UInt8(2), 3] {
            columns[2] = version
            #expect(try OpenedBatch(plaintext: plaintext(columns, like: new)).items == items)
        }
        for version in [UInt8(1), 5] {
            columns[2] = version
            let bytes = plaintext(columns, like: new)
            #expect(throws: PackingError(.unknownVersion)) { try OpenedBatch(plaintext: bytes) }
        }
    }

    @Test func `an empty section is read like an absent one`() throws {
        var packer = Packer()
        for output in outputs((0..<50).map { motion(1000 + $0, 6) }) { packer.take(output) }
        packer.finish()
        let old = try #require(packer.batches.first)
        let batch = try OpenedBatch(plaintext: old)
        let columns = columns(old)
        for section in Array(UInt8(1)...19) + [99] {
            let bytes = plaintext(columns + [section, 0], like: old)
            guard let again = try? OpenedBatch(plaintext: bytes) else {
                // What is there already cannot be there twice.
                #expect([1, 2, 3, 4, 9].contains(section), "\(section)")
                continue
            }
            #expect(again.items == batch.items && again.screen == nil, "\(section)")
        }
    }

    @Test func `a value of no item in any column damages the batch`() throws {
        var packer = Packer()
        for output in outputs((0..<50).map { motion(1000 + $0, 6) }) { packer.take(output) }
        packer.finish()
        let whole = try #require(packer.batches.first)
        let columns = columns(whole)
        // The columns of a batch of motions are kinds, devices, times and motions; these are the others.
        for section in Array(UInt8(5)...8) + Array(10...16) + [20] {
            let bytes = plaintext(columns + [section, 1, 0], like: whole)
            #expect(throws: PackingError(.badColumns), "\(section)") {
                try OpenedBatch(plaintext: bytes)
            }
        }
    }
}
