// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Packing
import Testing

/// Movements that are packed together, as one by one.
@Suite struct MotionPackingTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func `batches of movements that go together are those of movements one by one`(seed: UInt64)
        throws
    {
        var random = SplitMix(seed: seed)
        let rig = GateRig()
        for device in UInt8(3)...4 {
            #expect(rig.take(.motion(dx: 1, dy: 1), at: 1, device: device))
        }
        var together = Packer()
        var alone = Packer()
        var time: Int64 = 1000
        for _ in 0..<3000 {
            let isWide = Int.random(in: 0..<8, using: &random) == 0
            var steps: [(Int64, Int32, Int32)] = []
            for _ in 0..<Int.random(in: 1...80, using: &random) {
                time +=
                    Int.random(in: 0..<300, using: &random) == 0
                    ? Int64.random(in: -40...4000, using: &random)
                    : Int64.random(in: 0...2, using: &random)
                let most: Int32 = isWide ? 300 : 8
                steps.append(
                    (
                        time, Int32.random(in: -most...most, using: &random),
                        Int32.random(in: -most...most, using: &random)
                    )
                )
            }
            let run = MotionRun(of: UInt8.random(in: 3...4, using: &random), steps)
            let motions = try #require(rig.gate.admitRun(run))
            together.take(motions)
            for index in motions.steps.indices { alone.take(motions.event(at: index)) }
        }
        together.finish()
        alone.finish()
        #expect(together.batches.count > 20)
        #expect(together.batches == alone.batches)
    }
}

/// Packs as the recorder does: a batch spans some seconds at most.
private struct Packer: ~Copyable {
    private var builder = BatchBuilder()
    private(set) var batches: [[UInt8]] = []
    private var due: EventTime?

    private mutating func prepare(for time: EventTime) {
        while let due, time >= due { close() }
        guard due == nil else { return }
        builder.begin(header(base: time))
        due = EventTime(time.milliseconds + 5000)
    }

    private func header(base: EventTime) -> BatchHeader {
        BatchHeader(
            sequence: UInt64(batches.count + 1),
            bootID: [],
            wallOffset: 0,
            keyDetail: 3,
            base: base
        )
    }

    mutating func take(_ event: AdmittedEvent) {
        prepare(for: event.time)
        builder.append(event)
        if builder.isFull { close() }
    }

    mutating func take(_ motions: AdmittedMotions) {
        var rest = motions.steps.indices
        while let first = rest.first {
            prepare(for: motions.steps[first].time)
            rest = builder.append(motions, rest, before: due ?? EventTime(0))
            if builder.isFull { close() }
        }
    }

    private mutating func close() {
        guard let batch = builder.pack() else { return }
        batches.append(batch.withPlaintext { Array($0) })
        builder.advance(header(base: EventTime(0)))
        due = builder.isEmpty ? nil : EventTime(builder.base.milliseconds + 5000)
    }

    mutating func finish() {
        while !builder.isEmpty { close() }
    }
}
