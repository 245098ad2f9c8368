// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// The payload of a release: frames of columns in the batch format, with most sections left out.
///
/// It has neither a proof nor a boot id, and its times are wall times: nothing in it names the
/// recorder. Its layout is in `Documentation/Release-format.md`. The same items always give the
/// same bytes.
package final class ReleasePayload: Redacted {
    /// Sizes of payloads are multiples of this many bytes.
    package static let unit = 64 * 1024
    /// Maximum bytes of a payload.
    package static let maxBytes = 64 << 20
    /// Column bytes at which a frame ends, so that no column overflows.
    private static let frameBytes = Column.capacity - Column.maxItemBytes

    private let memory: LockedMemory
    private let deflate: Deflate
    private let output: Range<Int>
    private var columns: Columns<Column>
    private var frames: [UInt8] = []
    private var number: UInt64 = 0
    private var items = 0
    private var base = EventTime(0)
    private var time = EventTime(0)
    private var used: [UInt8: Device] = [:]
    private var screen: ScreenLayout?
    /// The application in front, and at the beginning of the frame.
    private var app = ""
    private var firstApp = ""
    private let keyDetail: UInt8

    /// Begins a payload.
    ///
    /// - Parameter keyDetail: the detail that its keys have.
    package init(keyDetail: KeyDetail) {
        let workspace = Columns<Column>.size..<Columns<Column>.size + Deflate.workspaceSize
        output = workspace.upperBound..<workspace.upperBound + 2 * Column.capacity
        let memory = LockedMemory(size: output.upperBound)
        self.memory = memory
        deflate = Deflate(memory, workspace: workspace)
        columns = Columns(in: memory)
        self.keyDetail = keyDetail.code
    }

    /// Changes the size of the desktop for what follows; its monitors are never part of a payload.
    package func use(_ screen: ScreenLayout?) {
        guard screen != self.screen else { return }
        endFrame()
        self.screen = screen
    }

    /// Adds an item.
    ///
    /// - Parameters:
    ///   - item: input but axes and touches, a focus without a title, or a gap; its times are wall
    ///     times in milliseconds since 1970.
    ///   - device: what is said of the item's device.
    package func append(_ item: OpenedItem, of device: Device? = nil) {
        if items == 0 { (base, time, firstApp) = (item.time, item.time, app) }
        if let device { used[item.device] = device }
        columns[.times].append(zigzag: item.time.milliseconds - time.milliseconds)
        time = item.time
        switch item.payload {
        case .input(let input):
            columns[.devices].append(run: item.device)
            append(input, item)
        case .focus(let name, _):
            columns[.kinds].append(run: BatchLayout.Kind.focus.rawValue)
            columns[.apps].append(text: name)
            app = name
        case .gap(let reason, let end, let stream):
            columns[.kinds].append(run: BatchLayout.Kind.gap.rawValue)
            columns[.gaps].append(reason.rawValue)
            columns[.gaps].append(stream.map { $0.rawValue + 1 } ?? 0)
            columns[.gaps].append(zigzag: end.milliseconds - item.time.milliseconds)
        case .device, .screen, .demonstration:
            preconditionFailure("Descriptions are not items of a payload.")
        }
        items += 1
        if columns.count >= Self.frameBytes { endFrame() }
    }

    private func append(_ input: OpenedItem.Input, _ item: OpenedItem) {
        switch input {
        case .typing:
            columns[.kinds].append(run: BatchLayout.Kind.typing.rawValue)
            columns[.typing].append(varint: UInt64(max(0, item.seconds)))
        case .key(let key): columns.append(.key(key), item.pixel)
        case .button(let number, let isDown):
            columns.append(.button(number: number, isDown: isDown), item.pixel)
        case .motion(let dx, let dy): columns.append(.motion(dx: dx, dy: dy), item.pixel)
        case .scroll(let dx, let dy): columns.append(.scroll(dx: dx, dy: dy), item.pixel)
        case .axes, .touch: preconditionFailure("A payload has neither axes nor touches.")
        }
    }

    private func endFrame() {
        guard items > 0 else { return }
        number += 1
        let header = BatchHeader(
            sequence: number,
            bootID: [],
            wallOffset: 0,
            keyDetail: keyDetail,
            base: base,
            app: firstApp
        ).encoded(items: items)
        var bytes = BatchLayout.Section.header.intro(header.count) + header
        columns.endRuns()
        for (index, section) in BatchLayout.Section.columns.enumerated()
        where columns[index].count > 0 {
            let count = columns[index].count
            bytes += section.intro(count)
            unsafe bytes.append(contentsOf: columns[index].written(upTo: count))
        }
        bytes += descriptions
        columns.keep(from: columns.counts)
        (items, used) = (0, [:])
        let size = unsafe bytes.withUnsafeBytes { bytes in
            unsafe deflate.compress([bytes], into: memory.region(output))
        }
        guard let size else { preconditionFailure("A frame fits into twice its size.") }
        frames.append(littleEndian: UInt32(size))
        unsafe frames.append(
            contentsOf: memory.region(output.lowerBound..<output.lowerBound + size)
        )
        memory.wipe(output)
    }

    /// The sections of the devices and the screen: no names, no axes, no monitors.
    private var descriptions: [UInt8] {
        var (table, origins): ([UInt8], [UInt8]) = ([], [])
        for (id, device) in used.sorted(by: { $0.key < $1.key }) {
            table += [id, device.kind.rawValue, 0, 0, 0, 0, 0, 0]
            origins += [id, device.isInjected ? 1 : 0]
        }
        var bytes: [UInt8] = []
        if !table.isEmpty {
            bytes += BatchLayout.Section.deviceTable.intro(table.count) + table
            bytes += BatchLayout.Section.origins.intro(origins.count) + origins
        }
        if let screen {
            var size: [UInt8] = []
            size.append(varint: UInt64(screen.width))
            size.append(varint: UInt64(screen.height))
            size.append(0)
            bytes += BatchLayout.Section.screen.intro(size.count) + size
        }
        return bytes
    }

    /// Ends the payload.
    ///
    /// - Returns: its bytes, padded with zeros to a multiple of ``unit``, of which the last
    ///   ``saltSize`` are zeros too; nil if they are more than ``maxBytes``.
    package func finish() -> [UInt8]? {
        endFrame()
        frames.append(littleEndian: 0)
        frames += [UInt8](repeating: 0, count: Self.saltSize)
        let rest = frames.count % Self.unit
        if rest > 0 { frames += [UInt8](repeating: 0, count: Self.unit - rest) }
        return frames.count <= Self.maxBytes ? frames : nil
    }

    /// Random bytes at the end of a payload: without them its digest would let everybody try what is
    /// in a small one.
    package static let saltSize = 32

    /// A payload with other bytes in place of its salt.
    ///
    /// - Parameters:
    ///   - payload: as ``finish()`` made it, or as it was opened.
    ///   - salt: ``saltSize`` bytes; zeros give the bytes that the person approved.
    /// - Returns: the payload with that salt.
    package static func salted(
        _ payload: [UInt8],
        _ salt: [UInt8] = [UInt8](repeating: 0, count: saltSize)
    ) -> [UInt8] {
        precondition(salt.count == saltSize, "A salt has 32 bytes.")
        return payload.dropLast(saltSize) + salt
    }

    // MARK: Reading

    /// Decodes a payload.
    ///
    /// - Parameter bytes: the whole payload.
    /// - Returns: its frames; their times are wall times.
    /// - Throws: ``PackingError`` if any part violates the format.
    package static func read(_ bytes: [UInt8]) throws(PackingError) -> [OpenedBatch] {
        guard bytes.count.isMultiple(of: unit), bytes.count <= maxBytes else {
            throw PackingError(.badFrame)
        }
        var frames: [OpenedBatch] = []
        var rest = bytes[...]
        while true {
            guard rest.count >= 4 else { throw PackingError(.badFrame) }
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            if count == 0 { break }
            guard count <= rest.count else { throw PackingError(.badFrame) }
            frames.append(try OpenedBatch(compressed: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        guard saltSize..<unit + saltSize ~= rest.count,
            rest.dropLast(saltSize).allSatisfy({ $0 == 0 })
        else {
            throw PackingError(.badFrame)
        }
        return frames
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: UInt32) {
        for shift in stride(from: 0 as UInt32, to: 32, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
