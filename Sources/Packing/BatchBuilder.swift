// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// The open batch: collects what the gate let out, as columns, until it fills a slot.
///
/// Upstream: the gate. Downstream: sealing. Promise: accepts only what the gate minted, holds it in
/// one locked, undumpable, wiped piece of memory, and makes batches of one size.
///
/// Columns are concatenations of what each item adds, so a batch that turns out too large is cut
/// at the last of some noted places up to which it fits, and the rest begins the next batch.
package struct BatchBuilder: ~Copyable {
    /// A place between two items.
    private struct Checkpoint: Redacted {
        var counts: [Int]
        var items = 0
        var events = 0
        var time: EventTime
        var latest: EventTime
        var app: String
        /// The devices of which there are events.
        var used: DeviceSet
    }

    private let memory: LockedMemory
    private let deflate: Deflate
    private var output: Range<Int>

    private var kinds: RunColumn
    private var devices: RunColumn
    private var modifiers: RunColumn
    private var times: Column
    private var keys: Column
    private var keysyms: Column
    private var buttons: Column
    private var motions: Column
    private var wideMotions: Column
    private var scrolls: Column
    private var apps: Column
    private var gaps: Column
    private var titles: Column
    private var pixels: Column
    private var axes: Column
    private var typing: Column
    /// Runs of text that may still grow, or must not stand among the movements yet: the last items.
    private var tails: [TypingTail] = []
    private var table = DeviceTable()

    private var header: BatchHeader
    private var items = 0
    private var time: EventTime
    private var latest: EventTime
    private var app = ""
    /// The last place up to which the batch is known to fit.
    private var lastFitting: Checkpoint
    /// The size of what the output holds: everything up to ``fits``, compressed.
    private var packed: Int?
    /// Places behind ``fits`` at which the batch can be cut.
    ///
    /// What stands between two of them fits into a batch of its own, however badly it compresses.
    private var checkpoints: [Checkpoint] = []
    /// Column bytes at which it is to be tried again whether the batch fits.
    private var nextTrial = 0
    /// Column bytes at which a cut is to be noted, or a trial is due.
    private var nextCheckpoint = 0
    /// Bytes of the columns that plain movements do not add to.
    private var otherBytes = 0
    /// The column bytes that one byte of the last full batch held.
    private var density = 1.0

    /// Whether the batch must be packed before the next item.
    package private(set) var isFull = false
    /// The admitted events in the open batch.
    package private(set) var eventCount = 0

    /// The most that compressed columns may take.
    private var room: Int { output.count - BatchLayout.prefix - BatchLayout.proofSize }
    /// So few bytes fit, with a header and one more item, however badly they compress.
    private var incompressibleBudget: Int {
        room - 2 * Column.maxItemBytes - BatchLayout.maxTableBytes - DeviceTable.maxScreenSize - 128
    }
    /// With so many bytes in all columns together no column can be full.
    private static let maxBytes = Column.capacity - Column.maxItemBytes

    /// Maps and locks the memory; about 0.7 MiB.
    package init() {
        let columns = Column.capacity * 16
        let workspace = columns..<columns + Deflate.workspaceSize
        output = workspace.upperBound..<workspace.upperBound + BatchLayout.largest
        let memory = LockedMemory(size: output.upperBound)
        self.memory = memory
        deflate = Deflate(memory, workspace: workspace)
        func column(_ index: Int) -> Column {
            let start = index * Column.capacity
            return unsafe Column(memory.region(start..<start + Column.capacity))
        }
        kinds = RunColumn(column(0))
        devices = RunColumn(column(1))
        modifiers = RunColumn(column(2))
        times = column(3)
        keys = column(4)
        keysyms = column(5)
        buttons = column(6)
        motions = column(7)
        wideMotions = column(8)
        scrolls = column(9)
        apps = column(10)
        gaps = column(11)
        titles = column(12)
        pixels = column(13)
        axes = column(14)
        typing = column(15)
        time = EventTime(0)
        latest = EventTime(0)
        header = BatchHeader(sequence: 0, bootID: [], wallOffset: 0, keyDetail: 0, base: time)
        lastFitting = Checkpoint(counts: [], time: time, latest: time, app: "", used: DeviceSet())
        lastFitting = checkpoint
        planFirstTrial()
    }

    /// Makes batches for another number of recipients; the open batch must be empty.
    package mutating func use(recipients: Int) {
        precondition(isEmpty, "All of a batch is for the same recipients.")
        let size = BatchLayout.size(recipients: recipients)
        output = output.lowerBound..<output.lowerBound + size
        planFirstTrial()
    }

    /// Whether the kernel keeps the memory out of swap.
    package var isLocked: Bool { memory.isLocked }

    /// The moment the open batch's times are counted from.
    package var base: EventTime { header.base }

    /// Whether something stands behind the place up to which the batch was packed.
    package var hasRest: Bool { items > lastFitting.items }

    /// Whether nothing was added since the batch began.
    package var isEmpty: Bool { items == 0 && tails.isEmpty }

    // MARK: Adding

    /// Gives the open batch its header; it must be empty.
    ///
    /// - Parameter header: `base` must not be after the first item by more than days.
    package mutating func begin(_ header: BatchHeader) {
        precondition(isEmpty, "A batch begins empty.")
        self.header = header
        time = header.base
        latest = header.base
        app = header.app
        table.used = DeviceSet()
        lastFitting = checkpoint
    }

    /// Whether an output can be added: of a device, and of the desktop, a batch says one thing only.
    package func admits(_ output: GateOutput) -> Bool {
        switch output {
        case .device(let device): isEmpty || table.admits(device)
        case .screen(let screen): isEmpty || table.admits(screen)
        case .event, .focus, .gap: true
        }
    }

    /// Adds an item to a batch that is not full, or a description for this batch and later ones.
    ///
    /// - Parameter output: what the gate let out and the batch ``admits(_:)``.
    package mutating func append(_ output: GateOutput) {
        precondition(!isFull, "A full batch is packed before more is added.")
        precondition(admits(output), "A batch says one thing of a device.")
        switch output {
        case .event(let event): return append(event)
        case .focus(let focus):
            advance(to: focus.time)
            kinds.append(BatchLayout.Kind.focus.rawValue)
            apps.append(text: focus.app)
            titles.append(text: focus.title ?? "")
            app = focus.app
        case .gap(let gap):
            advance(to: gap.from)
            latest = max(latest, gap.to)
            kinds.append(BatchLayout.Kind.gap.rawValue)
            gaps.append(gap.reason.rawValue)
            gaps.append(gap.stream.map { $0.rawValue + 1 } ?? 0)
            gaps.append(zigzag: gap.to.milliseconds - gap.from.milliseconds)
        case .device(let device): return table.describe(device)
        case .screen(let screen): return table.describe(screen)
        }
        items += 1
        stopWhereDue()
    }

    /// Adds an event to a batch that is not full.
    package mutating func append(_ event: AdmittedEvent) {
        precondition(!isFull, "A full batch is packed before more is added.")
        advance(to: event.time)
        eventCount += 1
        devices.append(event.device)
        table.used.insert(event.device)
        append(event.payload, event.pixel)
        items += 1
        stopWhereDue()
    }

    /// Adds movements to a batch that is not full: the first, and as many more as belong into it.
    ///
    /// - Parameters:
    ///   - motions: the movements.
    ///   - range: those of them that are to be added.
    ///   - end: the first moment that does not belong into this batch; the first movement does.
    /// - Returns: those that were not.
    package mutating func append(
        _ motions: AdmittedMotions,
        _ range: Range<Int>,
        before end: EventTime
    ) -> Range<Int> {
        var next = range.lowerBound
        repeat {
            append(motions.event(at: next))
            next = appendAlike(motions, next + 1..<range.upperBound, before: end)
        } while next < range.upperBound && !isFull
            && motions.steps[next].time.milliseconds < end.milliseconds
        return next..<range.upperBound
    }

    /// Adds movements like the item before: of the same device, each of a byte.
    ///
    /// Most are such, and add to two columns and two runs only.
    ///
    /// - Returns: the place of the first that is none, or does not belong into this batch.
    private mutating func appendAlike(
        _ motions: AdmittedMotions,
        _ range: Range<Int>,
        before end: EventTime
    ) -> Int {
        guard kinds.isExtended(by: BatchLayout.Kind.motion.rawValue),
            devices.isExtended(by: motions.device)
        else { return range.lowerBound }
        var count = 0
        for step in motions.steps[range] {
            guard let byte = Self.byte(step.dx, step.dy),
                step.time.milliseconds < end.milliseconds,
                otherBytes + times.count + self.motions.count < nextCheckpoint
            else { break }
            advance(to: step.time)
            self.motions.append(byte)
            count += 1
        }
        kinds.extend(by: count)
        devices.extend(by: count)
        eventCount += count
        items += count
        stopWhereDue()
        return range.lowerBound + count
    }

    /// Two signed nibbles; nil where these are not enough.
    private static func byte(_ dx: Int32, _ dy: Int32) -> UInt8? {
        guard -8...7 ~= dx, -8...7 ~= dy, (dx, dy) != (-8, -8) else { return nil }
        return UInt8(truncatingIfNeeded: dx & 15) << 4 | UInt8(dy & 15)
    }

    // MARK: Runs of text

    /// The runs that are not among the items yet.
    package var hasTails: Bool { !tails.isEmpty }

    /// The earliest beginning of them.
    package var firstTail: EventTime? { tails.lazy.map(\.begin).min() }

    /// Whether one of them goes on behind a moment.
    package func hasTail(behind moment: EventTime) -> Bool {
        tails.contains { $0.end > moment }
    }

    /// From when on a movement comes behind one of them, whatever keys come: nil without one.
    ///
    /// It depends on steps alone: where a run stands among the movements must not tell more.
    package var tailDue: EventTime? { tails.lazy.map(Self.due).min() }

    private static func due(_ tail: TypingTail) -> EventTime {
        EventTime(tail.end.milliseconds + TypingRun.patience)
    }

    /// Adds to the last run, or begins one.
    ///
    /// - Parameters:
    ///   - device: of the first key.
    ///   - step: the beginning of the step in which there was a key.
    ///   - continues: whether it belongs to the last run, where there still is one.
    ///   - isInjected: whether it is a run of injected keys, which are never of another run.
    /// - Returns: whether a run began.
    package mutating func type(
        _ device: UInt8,
        _ step: EventTime,
        continues: Bool,
        isInjected: Bool = false
    ) -> Bool {
        let end = TypingRun.end(of: step)
        if continues, let last = tails.lastIndex(where: { $0.isInjected == isInjected }) {
            tails[last].end = max(tails[last].end, end)
            return false
        }
        tails.append(TypingTail(device: device, begin: step, end: end, isInjected: isInjected))
        table.used.insert(device)
        return true
    }

    /// Which of the open runs are meant.
    package enum Tails: Equatable, Sendable {
        case all
        /// Those that keys, buttons and fingers end.
        case own
        /// Those that end by a moment, whatever comes.
        case due(EventTime)
        /// Those that begin before the end of the batch: what comes behind it begins the next one.
        case before(EventTime)
    }

    /// Makes the first run of some an item; the batch must not be full.
    ///
    /// - Parameter wanted: which runs are meant.
    /// - Returns: whether there was one.
    package mutating func commitTail(_ wanted: Tails = .all) -> Bool {
        precondition(!isFull, "A full batch is packed before more is added.")
        var edge: EventTime?
        let index = tails.firstIndex { tail in
            switch wanted {
            case .all: return true
            case .own: return !tail.isInjected
            case .due(let time): return Self.due(tail) <= time
            case .before(let time):
                edge = time
                return tail.begin < time
            }
        }
        guard let index else { return false }
        let tail = tails.remove(at: index)
        let end = min(tail.end, edge ?? tail.end)
        if end < tail.end {
            var rest = tail
            rest.begin = end
            tails.insert(rest, at: index)
        }
        advance(to: tail.begin)
        latest = max(latest, end)
        kinds.append(BatchLayout.Kind.typing.rawValue)
        devices.append(tail.device)
        table.used.insert(tail.device)
        typing.append(varint: tail.seconds(until: end))
        eventCount += 1
        items += 1
        stopWhereDue()
        return true
    }

    private mutating func advance(to new: EventTime) {
        times.append(zigzag: new.milliseconds - time.milliseconds)
        time = new
        if latest.milliseconds < new.milliseconds { latest = new }
    }

    private mutating func append(_ payload: AdmittedEvent.Payload, _ pixel: Pixel?) {
        var flag: UInt8 = 0
        if let pixel {
            flag = BatchLayout.hasPixel
            pixels.append(zigzag: Int64(pixel.x))
            pixels.append(zigzag: Int64(pixel.y))
        }
        switch payload {
        case .key(let key):
            kinds.append(BatchLayout.Kind.key.rawValue | flag)
            keys.append(
                key.keyClass.rawValue
                    | (key.isDown ? BatchLayout.keyIsDown : 0)
                    | (key.keysym != 0 ? BatchLayout.keyHasKeysym : 0)
            )
            modifiers.append(key.modifiers.rawValue)
            if key.keysym != 0 { keysyms.append(varint: UInt64(key.keysym)) }
        case .typing: preconditionFailure("A run is added by type(_:_:continues:).")
        case .button(let number, let isDown):
            kinds.append(BatchLayout.Kind.button.rawValue | flag)
            buttons.append(varint: UInt64(number) << 1 | (isDown ? 1 : 0))
        case .motion(let dx, let dy):
            kinds.append(BatchLayout.Kind.motion.rawValue | flag)
            if let byte = Self.byte(dx, dy) {
                motions.append(byte)
            } else {
                motions.append(BatchLayout.wideMotion)
                wideMotions.append(zigzag: Int64(dx))
                wideMotions.append(zigzag: Int64(dy))
            }
        case .scroll(let dx, let dy):
            kinds.append(BatchLayout.Kind.scroll.rawValue | flag)
            scrolls.append(zigzag: Int64(dx))
            scrolls.append(zigzag: Int64(dy))
        case .axes(let values):
            kinds.append(BatchLayout.Kind.axes.rawValue | flag)
            append(values)
        case .touch(let touch):
            kinds.append(BatchLayout.Kind.touch.rawValue | flag)
            let code = UInt64(touch.finger) * BatchLayout.touchPhases
            buttons.append(varint: code + UInt64(touch.phase.rawValue))
            append(touch.values)
        }
    }

    private mutating func append(_ values: AxisValues) {
        axes.append(values.present)
        for (_, value) in values.reported { axes.append(zigzag: Int64(value)) }
    }

    // MARK: Fitting

    private var byteCount: Int {
        times.count + motions.count + wideMotions.count + keys.count + keysyms.count
            + buttons.count + scrolls.count + apps.count + gaps.count + titles.count
            + kinds.column.count + devices.column.count + modifiers.column.count
            + pixels.count + axes.count + typing.count
    }

    private var checkpoint: Checkpoint {
        Checkpoint(
            counts: columns.map(\.column.count),
            items: items,
            events: eventCount,
            time: time,
            latest: latest,
            app: app,
            used: table.used
        )
    }

    private mutating func stopWhereDue() {
        if byteCount >= nextCheckpoint { checkpointOrCompress() }
        otherBytes = byteCount - times.count - motions.count
    }

    /// Notes a cut, or finds out whether the batch is full.
    private mutating func checkpointOrCompress() {
        guard byteCount < nextTrial else { return tryFit() }
        endRuns()
        checkpoints.append(checkpoint)
        planNextStop()
    }

    /// So that everything appended stands in the columns.
    private mutating func endRuns() {
        kinds.endRun()
        devices.endRun()
        modifiers.endRun()
    }

    /// Finds out whether the batch still fits, and when to ask again.
    private mutating func tryFit() {
        endRuns()
        let here = checkpoint
        guard let size = compress(here) else { return cut() }
        (lastFitting, packed) = (here, size)
        checkpoints.removeAll(keepingCapacity: true)
        let left = room - size
        if left < room / 32 || byteCount >= Self.maxBytes {
            isFull = true
            density = Double(byteCount) / Double(size)
            return
        }
        let likely = Int(Double(left) * Double(byteCount) / Double(size) * 0.985)
        nextTrial = min(byteCount + max(64, likely), Self.maxBytes)
        planNextStop()
    }

    /// The batch is too large: it ends at the last cut that fits, or where it was known to fit.
    private mutating func cut() {
        isFull = true
        packed = nil
        for index in checkpoints.indices.reversed() {
            guard let size = compress(checkpoints[index]) else { continue }
            (lastFitting, packed) = (checkpoints[index], size)
            density = Double(lastFitting.counts.reduce(0, +)) / Double(size)
            checkpoints.removeFirst(index + 1)
            return
        }
    }

    /// A batch is first tried where it is full if it compresses like the one before.
    private mutating func planFirstTrial() {
        let likely = Int(Double(room) * density * 0.985)
        nextTrial = max(incompressibleBudget, min(likely, Self.maxBytes))
        planNextStop()
    }

    /// The cuts before a trial, the last of them where little is lost if the trial fails.
    private mutating func planNextStop() {
        let bytes = byteCount
        let last = nextTrial - nextTrial / 20
        nextCheckpoint = min(bytes + incompressibleBudget, nextTrial)
        if bytes < last, last < nextCheckpoint { nextCheckpoint = last }
    }

    private var columns: [(section: BatchLayout.Section, column: Column)] {
        [
            (.kinds, kinds.column), (.devices, devices.column), (.times, times), (.keys, keys),
            (.modifiers, modifiers.column), (.keysyms, keysyms), (.buttons, buttons),
            (.motions, motions), (.wideMotions, wideMotions), (.scrolls, scrolls), (.apps, apps),
            (.gaps, gaps), (.titles, titles), (.pixels, pixels), (.axes, axes), (.typing, typing),
        ]
    }

    /// Compresses everything up to a place, and runs that stand behind it, into the output; nil when it does
    /// not fit.
    private func compress(_ checkpoint: Checkpoint, _ tails: [TypingTail] = []) -> Int? {
        var scratch: [UInt8] = []
        // In the order of the sections: of the scratch, and of the columns.
        var parts: [(scratch: Range<Int>, column: Int?)] = []
        func note(_ bytes: [UInt8], _ column: Int? = nil) {
            parts.append((scratch.count..<scratch.count + bytes.count, column))
            scratch.append(contentsOf: bytes)
        }
        func intro(_ section: BatchLayout.Section, _ count: Int) -> [UInt8] {
            var bytes = [section.rawValue]
            bytes.append(varint: UInt64(count))
            return bytes
        }
        let header = header.encoded(items: checkpoint.items + tails.count)
        var used = checkpoint.used
        for tail in tails { used.insert(tail.device) }
        note(intro(.header, header.count) + header + table.sections(of: used))
        let endings = TypingTail.endings(of: tails, after: checkpoint.time)
        let columns = columns
        for (index, column) in columns.enumerated() {
            let ending = endings[column.section] ?? []
            let count = checkpoint.counts[index]
            guard count + ending.count > 0 else { continue }
            note(intro(column.section, count + ending.count), index)
            if !ending.isEmpty { note(ending) }
        }
        defer { unsafe scratch.withUnsafeMutableBytes { unsafe $0.wipe() } }
        return unsafe scratch.withUnsafeBytes { scratch in
            var pieces: [UnsafeRawBufferPointer] = unsafe []
            for part in parts {
                unsafe pieces.append(UnsafeRawBufferPointer(rebasing: scratch[part.scratch]))
                guard let index = part.column, checkpoint.counts[index] > 0 else { continue }
                unsafe pieces.append(columns[index].column.written(upTo: checkpoint.counts[index]))
            }
            let room = unsafe memory.region(
                output.lowerBound + BatchLayout.prefix..<output.upperBound - BatchLayout.proofSize
            )
            return unsafe deflate.compress(pieces, into: room)
        }
    }

    // MARK: Packing

    /// Makes the plaintext of the open batch, which stays open.
    ///
    /// A batch that is full, or turns out to be, is packed up to the place where it fits;
    /// ``advance(_:)`` must follow. Otherwise everything is packed, and it can be packed again later
    /// with more in it.
    ///
    /// - Parameter withTails: whether the runs that are open stand in it, as far as they go.
    /// - Returns: the batch, or nil when there is nothing in it.
    package mutating func pack(withTails: Bool = true) -> Batch? {
        if !isFull { tryFit() }
        guard !isEmpty else { return nil }
        var last: [TypingTail] = []
        var whole: Int?
        if withTails, !isFull, !tails.isEmpty {
            (last, whole) = (tails, compress(lastFitting, tails))
            if whole == nil {
                // They begin the next batch.
                (last, packed, isFull) = ([], nil, true)
            } else {
                packed = nil
            }
        }
        guard lastFitting.items + last.count > 0 else { return nil }
        guard let size = whole ?? packed ?? compress(lastFitting) else {
            preconditionFailure("What fitted once fits again.")
        }
        packed = nil
        let latest = last.map(\.end).reduce(lastFitting.latest) { max($0, $1) }
        let region = unsafe memory.region(output)
        unsafe region.storeBytes(of: UInt32(size).littleEndian, as: UInt32.self)
        unsafe UnsafeMutableRawBufferPointer(rebasing: region[(BatchLayout.prefix + size)...])
            .wipe()
        return Batch(
            header,
            end: latest.milliseconds + header.wallOffset,
            eventCount: lastFitting.events + last.count,
            memory: memory,
            range: output
        )
    }

    /// Ends the open batch, which was packed, and begins the next with what did not fit.
    ///
    /// - Parameter next: the header of the next batch; `base` and `app` are set here when something
    ///   is left over.
    package mutating func advance(_ next: BatchHeader) {
        let checkpoint = lastFitting
        let counts = checkpoint.counts
        kinds.keep(from: counts[0])
        devices.keep(from: counts[1])
        times.keep(from: counts[2])
        keys.keep(from: counts[3])
        modifiers.keep(from: counts[4])
        keysyms.keep(from: counts[5])
        buttons.keep(from: counts[6])
        motions.keep(from: counts[7])
        wideMotions.keep(from: counts[8])
        scrolls.keep(from: counts[9])
        apps.keep(from: counts[10])
        gaps.keep(from: counts[11])
        titles.keep(from: counts[12])
        pixels.keep(from: counts[13])
        axes.keep(from: counts[14])
        typing.keep(from: counts[15])
        items -= checkpoint.items
        eventCount -= checkpoint.events
        isFull = false
        header = next
        if items == 0 {
            if let begin = firstTail { header.base = begin }
            (time, latest, app) = (header.base, header.base, next.app)
            table.used = DeviceSet()
            for tail in tails { table.used.insert(tail.device) }
        } else {
            (header.base, header.app) = (checkpoint.time, checkpoint.app)
        }
        lastFitting = Checkpoint(
            counts: counts.map { _ in 0 },
            time: header.base,
            latest: header.base,
            app: header.app,
            used: DeviceSet()
        )
        for index in checkpoints.indices {
            for column in counts.indices { checkpoints[index].counts[column] -= counts[column] }
            checkpoints[index].items -= checkpoint.items
            checkpoints[index].events -= checkpoint.events
        }
        planFirstTrial()
    }

    /// Throws the open batch away.
    ///
    /// - Parameter next: the header of the next batch.
    package mutating func discard(_ next: BatchHeader) {
        tails.removeAll()
        endRuns()
        lastFitting = checkpoint
        checkpoints.removeAll(keepingCapacity: true)
        advance(next)
    }
}

extension BatchHeader {
    /// The header section: `Documentation/Format.md` has the order.
    fileprivate func encoded(items: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: BatchLayout.version)
        bytes.append(varint: sequence)
        bytes.append(varint: UInt64(items))
        bytes.append(varint: UInt64(zigzag: base.milliseconds))
        bytes.append(varint: UInt64(zigzag: wallOffset))
        bytes.append(contentsOf: (bootID + [UInt8](repeating: 0, count: 16)).prefix(16))
        bytes.append(keyDetail)
        bytes.append(flags)
        let name = app.utf8.prefix(Column.maxTextBytes)
        bytes.append(varint: UInt64(name.count))
        bytes.append(contentsOf: name)
        return bytes
    }
}
