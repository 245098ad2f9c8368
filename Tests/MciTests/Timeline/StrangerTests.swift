// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Packing
import Sealing
import Signing
import Storage
import Testing
import Timeline

@Suite struct StrangerTests {
    /// What the decoder prints for an event.
    private func line(_ event: OpenedItem, _ header: BatchHeader) -> String {
        let time = "\(event.time.milliseconds + header.wallOffset)"
        let device = event.payload.isInput ? "\(event.device)" : ""
        let place = event.pixel.map { ["at", "\($0.x)", "\($0.y)"] } ?? []
        let fields: [String] =
            switch event.payload {
            case .input(.key(let key)):
                [
                    "key", key.isDown ? "down" : "up", key.keyClass.name,
                    key.modifiers.words.joined(separator: "+"), "\(key.keysym)",
                ]
            case .input(let input):
                [input.name]
                    + EventField.allCases.compactMap { event.value(of: $0)?.plain }
                    .filter { !$0.isEmpty }
            case .device, .screen, .demonstration: ["stands in no batch"]
            case .focus(let app, let title): ["focus", app, title ?? ""]
            case .gap(let reason, let to, let stream):
                [
                    "gap", reason.name, stream?.name ?? "",
                    "\(to.milliseconds + header.wallOffset)",
                ]
            }
        return ([time, device] + fields + place).joined(separator: " ")
    }

    /// What the decoder prints of the devices and the desktop.
    private func lines(_ batch: OpenedBatch) -> [String] {
        var lines: [String] = []
        if let screen = batch.screen {
            let monitors = screen.monitors.map {
                " \($0.width)x\($0.height)+\($0.x)+\($0.y) \($0.widthMM)x\($0.heightMM)"
            }
            lines.append("screen \(screen.width)x\(screen.height)" + monitors.joined())
        }
        for (id, device) in batch.devices.sorted(by: { $0.key < $1.key }) {
            let axes = device.axes.map { axis -> String in
                let code = axis.number | (axis.isAbsolute ? 0x80 : 0)
                let range = "\(axis.range.lowerBound)..\(axis.range.upperBound)"
                return " \(code):\(axis.label):\(range):\(axis.resolution)"
            }
            lines.append(
                "device \(id) \(device.kind.name) \(device.buttons) \(device.master) "
                    + "\(device.vendor) \(device.product) \(device.name)" + axes.joined()
                    + (device.isInjected ? " injected" : "")
            )
        }
        return lines
    }

    @Test func `sixty lines of Python read the ring with the document and age alone`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/ring.db"
        let (identity, key) = (Identity(), DeviceKey())
        try identity.file(createdAt: WallTime(0))
            .write(toFile: "\(folder.path)/identity", atomically: true, encoding: .utf8)
        let recipient = try #require(Recipient(identity.recipient))
        let sealer = Sealer([recipient], signedBy: key)
        let ring = try Ring.open(
            path,
            cap: RingFormat.smallestCap,
            key: key,
            now: 1_800_000_000_000
        )
        var expected: [String] = []
        for number in 1...(isProof ? UInt64(200) : 20) {
            var builder = BatchBuilder()
            builder.begin(
                BatchHeader(
                    sequence: number,
                    bootID: [],
                    wallOffset: 1_800_000_000_000,
                    keyDetail: 3,
                    base: EventTime(1000)
                )
            )
            for output in randomOutputs(200, seed: number, wild: true)
            where builder.admits(output) && !builder.isFull {
                builder.append(output)
            }
            guard let batch = builder.pack() else { continue }
            let sealed = try sealer.seal(batch, after: SealedBatch.noDigest)
            try ring.put(sealed)
            guard case .opened(let opened) = BatchOpener([identity]).open(sealed.bytes) else {
                Issue.record("It does not open.")
                return
            }
            expected += lines(opened)
            expected += opened.items.map { line($0, opened.header) }
        }
        let script = Program.root + "/Tests/MciTests/Timeline/decode.py"
        let lines = try String(contentsOfFile: script, encoding: .utf8).split(separator: "\n")
        #expect(lines.filter { !$0.hasPrefix("#") }.count <= 70)
        let result = try Program.run("python3", [script, path, "\(folder.path)/identity"])
        #expect(result.code == 0, "\(result.errors.suffix(400))")
        #expect(result.output.split(separator: "\n").count == expected.count)
        #expect(result.lines == expected)
    }
}
