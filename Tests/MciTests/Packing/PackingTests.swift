// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Packing
import Testing

/// A device with anything that can be told of one.
func randomDevice(_ random: inout SplitMix) -> Device {
    var device = Device(name: "Maus ✂︎ \(Int.random(in: 0..<4, using: &random))")
    device.kind = Device.Kind.allCases.randomElement(using: &random) ?? .other
    device.vendor = .random(in: 0...(.max), using: &random)
    device.product = .random(in: 0...(.max), using: &random)
    device.buttons = .random(in: 0...(.max), using: &random)
    device.master = .random(in: 0...(.max), using: &random)
    for number in 0..<UInt8.random(in: 0...8, using: &random) {
        let least = Int32.random(in: Int32.min...0, using: &random)
        device.axes.append(
            Device.Axis(
                number: number,
                label: "Abs \(number)",
                isAbsolute: .random(using: &random),
                range: least...Int32.random(in: 0...(.max), using: &random),
                resolution: .random(in: 0...(.max), using: &random)
            )
        )
    }
    if Bool.random(using: &random) {
        for _ in 0..<UInt8.random(in: 1...20, using: &random) {
            device.buttonMap.append(.random(in: 0...255, using: &random))
        }
    }
    device.isInjected = .random(using: &random)
    return device
}

func randomScreen(_ random: inout SplitMix) -> ScreenLayout {
    var screen = ScreenLayout(width: .random(in: 0...9999, using: &random), height: 1080)
    for _ in 0..<Int.random(in: 0...4, using: &random) {
        screen.monitors.append(
            ScreenLayout.Monitor(
                x: .random(in: -9...9999, using: &random),
                y: .random(in: Int16.min...(.max), using: &random),
                width: .random(in: 0...(.max), using: &random),
                height: 1080,
                widthMM: .random(in: 0...(.max), using: &random)
            )
        )
    }
    return screen
}

/// Everything a gate lets out of a random session.
func randomOutputs(_ count: Int, seed: UInt64, wild: Bool) -> [GateOutput] {
    var random = SplitMix(seed: seed)
    var conditions = Gate.Conditions()
    conditions.hasConsent = true
    conditions.isSound = true
    conditions.hasSpace = true
    conditions.isConnected = true
    conditions.isAwake = true
    conditions.isMarked = true
    conditions.keyDetail = .full
    var gate = Gate(stopped: EventTime(0))
    var outputs: [GateOutput] = []
    gate.set(conditions, at: EventTime(0)) { outputs.append($0) }
    var time: Int64 = 1000
    for stream in InputStream.allCases {
        _ = gate.take(.context(.app("Editor"), stream: stream, at: EventTime(time))) {
            outputs.append($0)
        }
    }
    while outputs.count < count {
        time += Int64.random(in: wild ? -50...5_000_000 : 0...12, using: &random)
        let range: ClosedRange<Int32> = wild ? Int32.min...Int32.max : -12...12
        let event: CaptureEvent
        switch Int.random(in: 0..<(wild ? 12 : 40), using: &random) {
        case 0:
            event = .context(
                .app("App \(Int.random(in: 0..<9, using: &random)) ✂︎"),
                stream: .keyboard,
                at: EventTime(time)
            )
        case 1: event = .context(.unknown, stream: .pointer, at: EventTime(time))
        case 2: event = .context(.app("X"), stream: .pointer, at: EventTime(time))
        case 3, 4, 5:
            let key = RawEvent.Key(
                keycode: .random(in: 8...255, using: &random),
                isDown: .random(using: &random),
                keyClass: KeyClass.allCases.randomElement(using: &random) ?? .key,
                modifiers: Modifiers(rawValue: .random(in: 0...127, using: &random)),
                keysym: .random(in: wild ? 1...(.max) : 0x61...0x7A, using: &random)
            )
            event = .input(
                RawEvent(
                    time: EventTime(time),
                    device: .random(in: 0...(wild ? 255 : 9), using: &random),
                    payload: .key(key)
                ),
                stream: .keyboard
            )
        case 6:
            let payload = RawEvent.Payload.button(
                number: .random(in: 1...255, using: &random),
                isDown: .random(using: &random)
            )
            event = .input(
                RawEvent(time: EventTime(time), device: 9, payload: payload),
                stream: .pointer
            )
        case 7:
            let payload = RawEvent.Payload.scroll(dx: .random(in: range, using: &random), dy: 120)
            event = .input(
                RawEvent(time: EventTime(time), device: 9, payload: payload),
                stream: .pointer
            )
        case 9 where wild:
            event = .screen(randomScreen(&random))
        case 10 where wild:
            let ids = (0..<9).map { _ in UInt8.random(in: 0...255, using: &random) } + [7, 9]
            event = .devices(
                Dictionary(ids.map { ($0, randomDevice(&random)) }) { first, _ in first }
            )
        case 8:
            var values = AxisValues()
            for axis in AxisValues.axes where Bool.random(using: &random) {
                values[axis] = .random(in: range, using: &random)
            }
            let touch = Touch(
                finger: .random(in: 0...255, using: &random),
                phase: Touch.Phase.allCases.randomElement(using: &random) ?? .down,
                values: values
            )
            let payload: RawEvent.Payload =
                Bool.random(using: &random) ? .touch(touch) : .axes(values)
            event = .input(
                RawEvent(time: EventTime(time), device: 7, payload: payload),
                stream: .pointer
            )
        default:
            let payload = RawEvent.Payload.motion(
                dx: .random(in: range, using: &random),
                dy: .random(in: range, using: &random)
            )
            let place = Pixel(
                x: .random(in: wild ? -32768...32767 : 0...2000, using: &random),
                y: .random(in: wild ? -32768...32767 : 0...1000, using: &random)
            )
            event = .input(
                RawEvent(
                    time: EventTime(time),
                    device: 9,
                    payload: payload,
                    pixel: Int.random(in: 0..<9, using: &random) == 0 ? place : nil
                ),
                stream: .pointer
            )
        }
        _ = gate.take(event) { outputs.append($0) }
    }
    return outputs
}

extension GateOutput {
    /// The item as a reader should get it.
    fileprivate var expected: OpenedItem? {
        switch self {
        case .device, .screen: nil
        case .focus(let focus):
            OpenedItem(
                time: focus.time,
                device: 0,
                payload: .focus(app: focus.app, title: focus.title)
            )
        case .gap(let gap):
            OpenedItem(
                time: gap.from,
                device: 0,
                payload: .gap(gap.reason, to: gap.to, stream: gap.stream)
            )
        case .event(let event):
            input(event.payload).map {
                OpenedItem(
                    time: event.time,
                    device: event.device,
                    payload: .input($0),
                    pixel: event.pixel
                )
            }
        }
    }

    /// The input as a reader should get it; nil for a part of a run, which is no item by itself.
    private func input(_ payload: AdmittedEvent.Payload) -> OpenedItem.Input? {
        switch payload {
        case .key(let key): .key(key)
        case .typing: nil
        case .button(let number, let isDown): .button(number: number, isDown: isDown)
        case .motion(let dx, let dy): .motion(dx: dx, dy: dy)
        case .scroll(let dx, let dy): .scroll(dx: dx, dy: dy)
        case .axes(let values): .axes(values)
        case .touch(let touch): .touch(touch)
        }
    }
}

private func header(_ sequence: UInt64) -> BatchHeader {
    BatchHeader(
        sequence: sequence,
        bootID: [UInt8](1...16),
        wallOffset: 1_700_000_000_000,
        keyDetail: 3,
        base: EventTime(1000)
    )
}

/// The plaintext of the open batch.
private func packed(_ builder: inout BatchBuilder) -> [UInt8]? {
    guard let batch = builder.pack() else { return nil }
    return batch.withPlaintext { Array($0) }
}

/// Packs outputs into as many batches as they take.
private func pack(_ outputs: [GateOutput]) throws -> [[UInt8]] {
    var builder = BatchBuilder()
    var plaintexts: [[UInt8]] = []
    var sequence: UInt64 = 1
    builder.begin(header(sequence))
    func take(_ builder: inout BatchBuilder) throws {
        let plaintext = packed(&builder)
        plaintexts.append(try #require(plaintext))
        sequence += 1
        builder.advance(header(sequence))
    }
    for output in outputs {
        while !builder.admits(output) { try take(&builder) }
        builder.append(output)
        if builder.isFull { try take(&builder) }
    }
    while !builder.isEmpty { try take(&builder) }
    return plaintexts
}

@Suite struct PackingTests {
    @Test(arguments: [(5, false), (20_000, false), (20_000, true)], [UInt64(1), 2])
    func `what goes in comes out, in order, whatever it is`(size: (Int, Bool), seed: UInt64) throws
    {
        let outputs = randomOutputs(size.0, seed: seed, wild: size.1)
        let plaintexts = try pack(outputs)
        let batches = try plaintexts.map { try OpenedBatch(plaintext: $0) }
        #expect(plaintexts.allSatisfy { $0.count == BatchLayout.largest })
        #expect(batches.map(\.header.sequence) == Array(1...UInt64(batches.count)))
        let items = batches.flatMap(\.items)
        #expect(items == outputs.compactMap(\.expected))
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `a change from even to wild input finds its cuts, and the batches stay full`(seed: UInt64)
        throws
    {
        let even = try #require(
            randomOutputs(60, seed: seed, wild: false).last {
                if case .event(let event) = $0, case .motion = event.payload { true } else { false }
            }
        )
        var random = SplitMix(seed: seed)
        // Thousands of one and the same event, then what hardly compresses.
        var parts: [[GateOutput]] = []
        for part in 0..<4 {
            let count = Int.random(in: 0...60_000, using: &random)
            parts.append([GateOutput](repeating: even, count: count))
            parts.append(randomOutputs(4000, seed: seed + UInt64(part), wild: part % 2 == 0))
        }
        let outputs = Array(parts.joined())
        let batches = try pack(outputs).map { try OpenedBatch(plaintext: $0) }
        #expect(batches.flatMap(\.items) == outputs.compactMap(\.expected))
        let alone = try parts.reduce(0) { try $0 + pack($1).count }
        #expect(batches.count <= alone + parts.count)
    }

    @Test func `an open batch can be packed again when it has grown`() throws {
        let outputs = randomOutputs(300, seed: 3, wild: false)
        var builder = BatchBuilder()
        builder.begin(header(9))
        for (index, output) in outputs.enumerated() {
            builder.append(output)
            guard index % 60 == 59 else { continue }
            let plaintext = packed(&builder)
            let opened = try OpenedBatch(plaintext: #require(plaintext))
            #expect(opened.items == outputs[...index].compactMap(\.expected))
        }
    }

    @Test func `every batch has the same size, so that its size says nothing`() throws {
        for count in [1, 2, 17, 400] {
            let sizes = try pack(randomOutputs(count, seed: 4, wild: false)).map(\.count)
            #expect(Set(sizes) == [3773])
        }
    }

    @Test func `the plaintext is wiped when the batch is consumed`() throws {
        var builder = BatchBuilder()
        builder.begin(header(1))
        for output in randomOutputs(100, seed: 5, wild: false) { builder.append(output) }
        var address: UnsafeRawBufferPointer?
        do {
            guard let batch = builder.pack() else { return #expect(Bool(false)) }
            batch.withPlaintext { address = $0 }
            #expect(address?.contains { $0 != 0 } == true)
        }
        #expect(address?.allSatisfy { $0 == 0 } == true)
    }

    @Test func `a damaged batch is refused as a whole`() throws {
        let plaintext = try pack(randomOutputs(500, seed: 6, wild: false))[0]
        var random = SplitMix(seed: 7)
        let items = try OpenedBatch(plaintext: plaintext).items
        for _ in 0..<3000 {
            var damaged = plaintext
            let place = Int.random(in: 0..<damaged.count, using: &random)
            damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            // zlib's checksum covers the columns, the frame rule the rest; some bits mean nothing.
            let opened = try? OpenedBatch(plaintext: damaged)
            #expect(opened == nil || opened?.items == items)
        }
        #expect(throws: PackingError.self) {
            try OpenedBatch(plaintext: Array(plaintext.dropLast()))
        }
        #expect(throws: PackingError.self) { try OpenedBatch(plaintext: []) }
    }
}
