// SPDX-License-Identifier: Apache-2.0

import CZlib
import Events
import Export
import Report
import Timeline

@testable import Gate
@testable import Packing

extension Target {
    /// The plaintext of a batch: the frame as it is, its columns, or columns whose lengths agree.
    static let payload = Target(
        name: "payload",
        run: { input in
            var rest = input
            let mode = rest.take()
            switch mode % 4 {
            case 0: PayloadTarget.frame(Array(rest), recipients: 8 - Int(mode >> 5))
            case 1: PayloadTarget.read(Array(rest))
            case 2: PayloadTarget.columns(Array(rest))
            default: PayloadTarget.columns(PayloadTarget.filled(PayloadTarget.sections(rest)))
            }
        },
        seeds: PayloadTarget.seeds
    )
}

private enum PayloadTarget {
    /// Bytes of columns that fit a batch when they are not compressed: zlib adds 11.
    private static let room =
        BatchLayout.largest - BatchLayout.prefix - BatchLayout.proofSize - 11
    /// More items are read but not written again.
    private static let mostItems = 400

    // The writers hold tables that take longer to make than a run; there is one thread.
    nonisolated(unsafe) private static var lines = JSONLines(withKeys: true)
    nonisolated(unsafe) private static var values = CSV()
    nonisolated(unsafe) private static var builder = BatchBuilder()
    nonisolated(unsafe) private static var pages = 0

    /// A frame of the right size, whose beginning the fuzzer writes.
    static func frame(_ bytes: [UInt8], recipients: Int) {
        let size = BatchLayout.size(recipients: recipients)
        let proof = [UInt8](repeating: 7, count: BatchLayout.proofSize)
        read(bytes.padded(to: size - proof.count) + proof)
    }

    /// Columns in an uncompressed block of a zlib stream (RFC 1950, 1951).
    static func columns(_ columns: [UInt8]) {
        guard columns.count <= room else { return }
        read(stored(columns))
    }

    static func stored(_ columns: [UInt8]) -> [UInt8] {
        let (count, sum) = (UInt32(columns.count), adler32(1, columns, UInt32(columns.count)))
        var bytes = little(count + 11, 4) + [0x78, 0x01, 1]
        bytes.reserveCapacity(BatchLayout.largest)
        bytes += little(count, 2) + little(~count, 2) + columns
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
        let sizes = [BatchLayout.maxRecipients, 1].map { BatchLayout.size(recipients: $0) }
        let size = sizes.first { $0 - BatchLayout.proofSize >= bytes.count } ?? BatchLayout.largest
        return bytes.padded(to: size - BatchLayout.proofSize)
            + [UInt8](repeating: 7, count: BatchLayout.proofSize)
    }

    /// Sound columns up to the end of the smallest batch, by a section that readers pass over: the
    /// zeros that would stand there take longer to look at than all else.
    static func filled(_ columns: [UInt8]) -> [UInt8] {
        let left =
            BatchLayout.size(recipients: BatchLayout.maxRecipients) - BatchLayout.largest
            + room - columns.count - 3
        guard left >= 128 else { return columns }
        return columns + [99] + varint(UInt64(left)) + [UInt8](repeating: 0, count: left)
    }

    /// Lengths of all sections, then what is in them: the frame is always sound.
    static func sections(_ input: ArraySlice<UInt8>) -> [UInt8] {
        var rest = input
        let lengths = rest.take(BatchLayout.Section.allCases.count)
        return whole(lengths.map { rest.take(Int($0)) })
    }

    static func read(_ plaintext: [UInt8]) {
        guard let batch = try? OpenedBatch(plaintext: plaintext) else { return }
        check(
            batch.items.count <= BatchLayout.maxColumns,
            "A batch is no larger than its columns."
        )
        check(batch.header.bootID.count == 16, "A boot has sixteen bytes.")
        check(
            batch.signed.count + batch.signature.count == plaintext.count,
            "All in front of the signature is signed."
        )
        tell(batch)
        guard batch.items.count <= mostItems else { return }
        let columns = whole(sections(batch.header, batch.items))
        if columns.count <= room {
            let again = try? OpenedBatch(plaintext: stored(filled(columns)))
            check(again?.header == batch.header, "A header written again is the same.")
            check(again?.items == batch.items, "Items written again are the same.")
        }
        // The recorder's own writer compresses, which takes long: one in sixteen is enough.
        if plaintext.reduce(0, &+) % 16 == 0 { pack(batch) }
    }

    /// What the person sees of a batch that somebody else may have written.
    private static func tell(_ batch: OpenedBatch) {
        var last = WallTime(0)
        var count = 0
        let described = batch.devices.map { id, device in
            OpenedItem(time: EventTime(0), device: id, payload: .device(device))
        }
        let screen = batch.screen.map {
            [OpenedItem(time: EventTime(0), device: 0, payload: .screen($0))]
        }
        let work = batch.demonstration.map {
            [OpenedItem(time: EventTime(0), device: 0, payload: .demonstration($0))]
        }
        for item in (work ?? []) + (screen ?? []) + described + batch.items.prefix(mostItems) {
            let event = RecordedEvent(item, in: batch.header, after: last)
            last = max(last, event.time)
            lines.append(event)
            values.append(event)
            count += 1
        }
        _ = batch.end
        var tally = Tally(0...Int64.max / 4)
        tally.begin(batch)
        for item in batch.items.prefix(mostItems) {
            tally.take(RecordedEvent(item, in: batch.header, after: WallTime(0)))
        }
        let facts = tally.facts(TimelineReader.Summary())
        check(facts.open.length >= 0, "No time is negative.")
        pages += 1
        // A page takes much longer than all else.
        if pages % 256 == 0 {
            let setting = Page.Setting(
                now: WallTime(0),
                period: "",
                readers: "",
                retention: 0,
                ring: ""
            )
            let html = Page(facts, setting).html
            check(!html.contains("<script"), "What is recorded is text.")
        }
        let text = lines.take(all: true) ?? []
        check(text.count { $0 == 0x0A } == count, "An event is a line.")
        check(!text.contains { $0 < 0x20 && $0 != 0x0A }, "JSON has no control characters.")
        _ = values.take(all: true)
    }

    // MARK: Writing

    /// The sections as `Documentation/Format.md` has them, in the order of their numbers,
    /// without the recorder's code.
    private static func sections(_ header: BatchHeader, _ items: [OpenedItem]) -> [[UInt8]] {
        var sections = [[UInt8]](repeating: [], count: BatchLayout.Section.allCases.count)
        func add(_ section: BatchLayout.Section, _ bytes: [UInt8]) {
            sections[Int(section.rawValue) - 1] += bytes
        }
        add(
            .header,
            varint(BatchLayout.version) + varint(header.sequence) + varint(UInt64(items.count))
                + zigzag(header.base.milliseconds) + zigzag(header.wallOffset) + header.bootID
                + [header.keyDetail, header.flags] + text(header.app)
        )
        var time = header.base.milliseconds
        for item in items {
            add(.times, zigzag(item.time.milliseconds &- time))
            time = item.time.milliseconds
            if item.payload.isInput { add(.devices, [item.device, 1]) }
            let flag: UInt8 = item.pixel == nil ? 0 : 0x80
            if let place = item.pixel {
                add(.pixels, zigzag(Int64(place.x)) + zigzag(Int64(place.y)))
            }
            switch item.payload {
            case .input(.key(let key)):
                add(.kinds, [1 | flag, 1])
                let flags: UInt8 = (key.isDown ? 0x80 : 0) | (key.keysym != 0 ? 0x40 : 0)
                add(.keys, [key.keyClass.rawValue | flags])
                add(.modifiers, [key.modifiers.rawValue, 1])
                if key.keysym != 0 { add(.keysyms, varint(UInt64(key.keysym))) }
            case .input(.typing(let to)):
                add(.kinds, [9, 1])
                let length = to.milliseconds &- item.time.milliseconds
                add(.typing, varint(UInt64(bitPattern: length / 1000)))
            case .input(.button(let number, let isDown)):
                add(.kinds, [2 | flag, 1])
                add(.buttons, varint(UInt64(number) * 2 + (isDown ? 1 : 0)))
            case .input(.motion(let dx, let dy)):
                add(.kinds, [3 | flag, 1])
                add(.motions, [0x88])
                add(.wideMotions, zigzag(Int64(dx)) + zigzag(Int64(dy)))
            case .input(.scroll(let dx, let dy)):
                add(.kinds, [4 | flag, 1])
                add(.scrolls, zigzag(Int64(dx)) + zigzag(Int64(dy)))
            case .input(.axes(let values)):
                add(.kinds, [7 | flag, 1])
                add(.axes, [values.present] + values.reported.flatMap { zigzag(Int64($0.value)) })
            case .input(.touch(let touch)):
                add(.kinds, [8 | flag, 1])
                add(.buttons, varint(UInt64(touch.finger) * 4 + UInt64(touch.phase.rawValue)))
                let values = touch.values
                add(.axes, [values.present] + values.reported.flatMap { zigzag(Int64($0.value)) })
            case .device, .screen, .demonstration: break
            case .focus(let app, let title):
                add(.kinds, [5, 1])
                add(.apps, text(app))
                add(.titles, text(title ?? ""))
            case .gap(let reason, let to, let stream):
                add(.kinds, [6, 1])
                let concerned = stream.map { $0.rawValue + 1 } ?? 0
                let length = to.milliseconds &- item.time.milliseconds
                add(.gaps, [reason.rawValue, concerned] + zigzag(length))
            }
        }
        return sections
    }

    /// The columns: each section behind its number and its length.
    private static func whole(_ sections: [[UInt8]]) -> [UInt8] {
        zip(BatchLayout.Section.allCases, sections).flatMap { section, content in
            [section.rawValue] + varint(UInt64(content.count)) + content
        }
    }

    /// The recorder's own writer, where it can have written such a batch.
    private static func pack(_ batch: OpenedBatch) {
        let years: ClosedRange<Int64> = -(1 << 46)...1 << 46
        let header = batch.header
        guard years.contains(header.base.milliseconds),
            years.contains(header.wallOffset), header.app.utf8.count <= Column.maxTextBytes
        else { return }
        if !builder.isEmpty { builder.discard(header) }
        builder.begin(header)
        for item in batch.items {
            guard !builder.isFull, years.contains(item.time.milliseconds) else { return }
            if case .gap(_, let to, _) = item.payload, !years.contains(to.milliseconds) { return }
            // Runs are written in whole steps, and stand where they are committed.
            if case .input(.typing) = item.payload { return }
            if case .focus(let app, let title) = item.payload,
                max(app.utf8.count, title?.utf8.count ?? 0) > Column.maxTextBytes
            {
                return
            }
            builder.append(output(item))
        }
        guard let packed = builder.pack() else { return }
        let plaintext = packed.withPlaintext { Array($0) }
        guard !builder.hasRest else { return }
        let again = try? OpenedBatch(plaintext: plaintext)
        check(again?.header == batch.header, "A header packed again is the same.")
        check(again?.items == batch.items, "Items packed again are the same.")
        check(again?.end == packed.end, "A batch ends when its reader says.")
    }

    private static func output(_ item: OpenedItem) -> GateOutput {
        func event(_ payload: AdmittedEvent.Payload) -> GateOutput {
            .event(
                AdmittedEvent(
                    time: item.time,
                    device: item.device,
                    payload: payload,
                    pixel: item.pixel
                )
            )
        }
        switch item.payload {
        case .input(.key(let key)): return event(.key(key))
        case .input(.typing):
            return event(.typing(AdmittedEvent.TypedKey(continues: false, isInjected: false)))
        case .input(.button(let number, let isDown)):
            return event(.button(number: number, isDown: isDown))
        case .input(.motion(let dx, let dy)): return event(.motion(dx: dx, dy: dy))
        case .input(.scroll(let dx, let dy)): return event(.scroll(dx: dx, dy: dy))
        case .input(.axes(let values)): return event(.axes(values))
        case .input(.touch(let touch)): return event(.touch(touch))
        case .device(let device):
            return .device(AdmittedDevice(id: item.device, device: device))
        case .screen(let screen): return .screen(AdmittedScreen(screen))
        // No batch has one among its items.
        case .demonstration: return .screen(AdmittedScreen(ScreenLayout(width: 0, height: 0)))
        case .focus(let app, let title):
            return .focus(AdmittedFocus(time: item.time, app: app, title: title))
        case .gap(let reason, let to, let stream):
            return .gap(Gap(reason: reason, from: item.time, to: to, stream: stream))
        }
    }

    private static func little(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: value)
        return bytes
    }

    private static func zigzag(_ value: Int64) -> [UInt8] { varint(UInt64(zigzag: value)) }

    private static func text(_ value: String) -> [UInt8] {
        varint(UInt64(value.utf8.count)) + value.utf8
    }

    // MARK: Seeds

    @Sendable static func seeds() -> [[UInt8]] {
        var random = SplitMix(seed: 2)
        var seeds: [[UInt8]] = []
        let header = BatchHeader(
            sequence: 17,
            bootID: [UInt8](1...16),
            wallOffset: 1_700_000_000_000,
            keyDetail: 3,
            base: EventTime(1000),
            app: "Editor"
        )
        for count in [0, 1, 5, 40] {
            let sections = sections(header, items(count, &random))
            let columns = whole(sections)
            seeds.append([0] + stored(columns).prefix(columns.count + 15))
            seeds += [[2] + columns, [0] + compressed(columns), [0x20] + compressed(columns)]
            let short = sections.map { $0.prefix(255) }
            seeds.append([3] + short.map { UInt8($0.count) } + short.flatMap { $0 })
        }
        seeds += extremes(header).map { [2] + whole(Self.sections($0.header, $0.items)) }
        // Bombs: an empty section that is as long as may be, and longer; as many items as fit.
        for size in [1 << 20, 1 << 21] {
            let empty = [UInt8](repeating: 0, count: size - 4)
            seeds.append([0] + compressed([99] + varint(UInt64(empty.count)) + empty))
        }
        let most = UInt64(500_000)
        let zeros = [UInt8](repeating: 0, count: Int(most))
        var sections = sections(header, [])
        sections[0] =
            varint(BatchLayout.version) + [1] + varint(most) + [UInt8](repeating: 0, count: 22)
        (sections[1], sections[2]) = ([3] + varint(most), [2] + varint(most))
        (sections[3], sections[8]) = (zeros, zeros)
        seeds.append([0] + compressed(whole(sections)))
        return seeds
    }

    /// Batches whose numbers are as large as they can be written, for sums that overflow.
    private static func extremes(
        _ usual: BatchHeader
    ) -> [(header: BatchHeader, items: [OpenedItem])] {
        [Int64.min, 0, .max].flatMap { base in
            [Int64.min, .max].map { offset in
                var header = usual
                (header.base, header.wallOffset) = (EventTime(base), offset)
                header.sequence = .max
                let payloads: [OpenedItem.Payload] = [
                    .gap(.notRunning, to: EventTime(offset), stream: nil),
                    .input(.motion(dx: .min, dy: .max)), .input(.scroll(dx: .max, dy: .min)),
                    .input(.key(key(true, .other, .shift, .max))),
                    .input(.button(number: .max, isDown: false)),
                    .gap(.notRunning, to: EventTime(~offset), stream: .pointer),
                ]
                let items = payloads.enumerated().map { index, payload in
                    let time = EventTime([.max, .min, 0, -1][index % 4])
                    return OpenedItem(
                        time: time,
                        device: payload.isInput ? 255 : 0,
                        payload: payload
                    )
                }
                return (header, items)
            }
        }
    }

    private static func key(
        _ isDown: Bool,
        _ keyClass: KeyClass,
        _ modifiers: Modifiers,
        _ keysym: UInt32
    ) -> StoredKey {
        StoredKey(isDown: isDown, keyClass: keyClass, modifiers: modifiers, keysym: keysym)
    }

    private static func items(_ count: Int, _ random: inout SplitMix) -> [OpenedItem] {
        var time: Int64 = 1000
        return (0..<count).map { index in
            time += Int64.random(in: 0...40, using: &random)
            let wide = Int32.random(in: -900...900, using: &random)
            var values = AxisValues()
            (values[0], values[4]) = (wide, 800)
            let payload: OpenedItem.Payload =
                switch index % 8 {
                case 7: .input(.axes(values))
                case 0: .focus(app: "Editor ✂︎", title: index % 2 == 0 ? "Letter" : nil)
                case 1: .input(.key(key(true, .letter, .shift, 0x61)))
                case 2: .input(.key(key(false, .key, [], 0)))
                case 3: .input(.button(number: 1, isDown: true))
                case 4: .input(.motion(dx: wide, dy: -8))
                case 5: .input(.scroll(dx: 0, dy: 120))
                default: .gap(.paused, to: EventTime(time + 9000), stream: .keyboard)
                }
            return OpenedItem(
                time: EventTime(time),
                device: payload.isInput ? UInt8(index % 3 + 2) : 0,
                payload: payload,
                pixel: payload.isInput && index % 3 == 0
                    ? Pixel(x: Int16(clamping: wide), y: -1) : nil
            )
        }
    }

    /// A frame's beginning: length and zlib stream.
    private static func compressed(_ columns: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(columns.count))
        var bytes = [UInt8](repeating: 0, count: Int(size))
        compress2(&bytes, &size, columns, UInt(columns.count), 9)
        return little(UInt32(size), 4) + bytes.prefix(Int(size))
    }
}
