// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// The open batch: collects admitted events in columns until they fill a slot.
///
/// Upstream: the gate. Downstream: sealing. Promise: it accepts only what the gate admitted and
/// holds it in one block of memory that is locked, excluded from dumps, and wiped. All its batches
/// have the same size.
///
/// Columns are concatenations of what each item adds. So a batch that turns out too large ends at
/// the last fitting checkpoint, and the rest begins the next batch.
package struct BatchBuilder: ~Copyable {
    /// A position between two items.
    private struct Checkpoint: Redacted {
        var counts: [Int]
        var items = 0
        var events = 0
        var time: EventTime
        var latest: EventTime
        var app: String
        /// The devices with events before it.
        var used: DeviceSet
    }

    private let memory: LockedMemory
    private let deflate: Deflate
    private var output: Range<Int>

    private var columns: Columns<Column>
    /// Typing runs that may still grow or must not yet be placed among the motions; they become the
    /// last items.
    private var tails: [TypingTail] = []
    private var table = DeviceTable()

    /// The demonstration to which the batch belongs; nil for none.
    private var demonstration: Demonstration?
    private var header: BatchHeader
    private var items = 0
    private var time: EventTime
    private var latest: EventTime
    private var app = ""
    /// The last checkpoint up to which the batch is known to fit.
    private var lastFitting: Checkpoint
    /// The compressed size of everything up to ``lastFitting``, if the output holds it.
    private var packed: Int?
    /// Checkpoints after ``lastFitting`` at which the batch can end.
    ///
    /// The items between two of them fit into a batch of their own, even if incompressible.
    private var checkpoints: [Checkpoint] = []
    /// Column bytes at which to compress again to test whether the batch fits.
    private var nextTrial = 0
    /// Column bytes at which to record a checkpoint or try compression.
    private var nextCheckpoint = 0
    /// Bytes of the columns to which one-byte motions add nothing.
    private var otherBytes = 0
    /// Column bytes per compressed byte in the last full batch.
    private var density = 1.0

    /// Whether the batch must be packed before the next item.
    package private(set) var isFull = false
    /// The number of admitted events in the open batch.
    package private(set) var eventCount = 0

    /// Maximum bytes of the compressed columns.
    private var room: Int { output.count - BatchLayout.prefix - BatchLayout.proofSize }
    /// Column bytes that fit even if incompressible, beside a header and one more item.
    private var incompressibleBudget: Int {
        room - 2 * Column.maxItemBytes - BatchLayout.maxTableBytes - DeviceTable.maxScreenSize - 128
            - (demonstration == nil ? 0 : BatchLayout.maxDemonstrationBytes)
    }
    /// Maximum bytes in all columns together, so that no single column overflows.
    private static let maxBytes = Column.capacity - Column.maxItemBytes

    /// Maps and locks the memory, about 0.7 MiB.
    package init() {
        let workspace = Columns<Column>.size..<Columns<Column>.size + Deflate.workspaceSize
        output = workspace.upperBound..<workspace.upperBound + BatchLayout.largest
        let memory = LockedMemory(size: output.upperBound)
        self.memory = memory
        deflate = Deflate(memory, workspace: workspace)
        columns = Columns(in: memory)
        time = EventTime(0)
        latest = EventTime(0)
        header = BatchHeader(sequence: 0, bootID: [], wallOffset: 0, keyDetail: 0, base: time)
        lastFitting = Checkpoint(counts: [], time: time, latest: time, app: "", used: DeviceSet())
        lastFitting = checkpoint
        planFirstTrial()
    }

    /// Changes the number of recipients, 1 to ``BatchLayout/maxRecipients``; the open batch must be
    /// empty.
    package mutating func use(recipients: Int) {
        precondition(isEmpty, "All of a batch is for the same recipients.")
        let size = BatchLayout.size(recipients: recipients)
        output = output.lowerBound..<output.lowerBound + size
        planFirstTrial()
    }

    /// Changes the demonstration of this and later batches; the open batch must be empty.
    ///
    /// A batch of a demonstration is packed even if it has no items, so that its begin and end are
    /// stored.
    ///
    /// - Parameter demonstration: The demonstration; nil for none.
    package mutating func use(_ demonstration: Demonstration?) {
        precondition(isEmpty, "A batch belongs to one demonstration.")
        self.demonstration = demonstration
        planFirstTrial()
    }

    /// Whether the kernel keeps the memory out of swap and dumps.
    package var isLocked: Bool { memory.isLocked }

    /// The time to which the open batch's times are relative.
    package var base: EventTime { header.base }

    /// Whether items follow the checkpoint up to which the batch was packed.
    package var hasRest: Bool { items > lastFitting.items }

    /// Whether the batch has neither items nor open typing runs.
    package var isEmpty: Bool { items == 0 && tails.isEmpty }

    // MARK: Adding

    /// Sets the header of the open batch, which must be empty.
    ///
    /// - Parameter header: The header; its `base` should not be days before the first item.
    package mutating func begin(_ header: BatchHeader) {
        precondition(isEmpty, "A batch begins empty.")
        self.header = header
        time = header.base
        latest = header.base
        app = header.app
        table.used = DeviceSet()
        lastFitting = checkpoint
    }

    /// Whether an output can be added: a batch describes each device and the desktop only once.
    package func admits(_ output: GateOutput) -> Bool {
        switch output {
        case .device(let device): isEmpty || table.admits(device)
        case .screen(let screen): isEmpty || table.admits(screen)
        case .event, .focus, .gap: true
        }
    }

    /// Adds an item, or a description for this and later batches; the batch must not be full.
    ///
    /// - Parameter output: An output that the batch ``admits(_:)``.
    package mutating func append(_ output: GateOutput) {
        precondition(!isFull, "A full batch is packed before more is added.")
        precondition(admits(output), "A batch says one thing of a device.")
        switch output {
        case .event(let event): return append(event)
        case .focus(let focus):
            advance(to: focus.time)
            columns[.kinds].append(run: BatchLayout.Kind.focus.rawValue)
            columns[.apps].append(text: focus.app)
            columns[.titles].append(text: focus.title ?? "")
            app = focus.app
        case .gap(let gap):
            advance(to: gap.from)
            latest = max(latest, gap.to)
            columns[.kinds].append(run: BatchLayout.Kind.gap.rawValue)
            columns[.gaps].append(gap.reason.rawValue)
            columns[.gaps].append(gap.stream.map { $0.rawValue + 1 } ?? 0)
            columns[.gaps].append(zigzag: gap.to.milliseconds - gap.from.milliseconds)
        case .device(let device): return table.describe(device)
        case .screen(let screen): return table.describe(screen)
        }
        items += 1
        stopWhereDue()
    }

    /// Adds an event to a batch that is not full; not a key of a typing run.
    package mutating func append(_ event: AdmittedEvent) {
        precondition(!isFull, "A full batch is packed before more is added.")
        advance(to: event.time)
        eventCount += 1
        columns[.devices].append(run: event.device)
        table.used.insert(event.device)
        columns.append(event.payload, event.pixel)
        items += 1
        stopWhereDue()
    }

    /// Adds motions to a batch that is not full: the first one, and as many more as belong to it.
    ///
    /// - Parameters:
    ///   - motions: The motions.
    ///   - range: The indices of those to add; not empty.
    ///   - end: The end of the batch, exclusive; the first motion is added in any case.
    /// - Returns: The indices of those not added.
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

    /// Adds motions like the last item: of the same device, in one byte each.
    ///
    /// Most motions are such; they extend two columns and two runs only.
    ///
    /// - Returns: The index of the first motion that is different or does not belong to this batch.
    private mutating func appendAlike(
        _ motions: AdmittedMotions,
        _ range: Range<Int>,
        before end: EventTime
    ) -> Int {
        guard columns[.kinds].isExtended(by: BatchLayout.Kind.motion.rawValue),
            columns[.devices].isExtended(by: motions.device)
        else { return range.lowerBound }
        var count = 0
        for step in motions.steps[range] {
            guard let byte = BatchLayout.byte(step.dx, step.dy),
                step.time.milliseconds < end.milliseconds,
                otherBytes + columns[.times].count + columns[.motions].count < nextCheckpoint
            else { break }
            advance(to: step.time)
            columns[.motions].append(byte)
            count += 1
        }
        columns[.kinds].extend(by: count)
        columns[.devices].extend(by: count)
        eventCount += count
        items += count
        stopWhereDue()
        return range.lowerBound + count
    }

    // MARK: Runs of text

    /// Whether there are typing runs that are not items yet.
    package var hasTails: Bool { !tails.isEmpty }

    /// The earliest beginning of the open typing runs; nil if there are none.
    package var firstTail: EventTime? { tails.lazy.map(\.begin).min() }

    /// Whether an open typing run ends after a moment.
    package func hasTail(behind moment: EventTime) -> Bool {
        tails.contains { $0.end > moment }
    }

    /// The time from which motions are stored after an open run, whatever keys follow; nil if there
    /// is none.
    ///
    /// It depends only on steps: the position of a run among motions must not reveal more.
    package var tailDue: EventTime? { tails.lazy.map(Self.due).min() }

    private static func due(_ tail: TypingTail) -> EventTime {
        EventTime(tail.end.milliseconds + TypingRun.patience)
    }

    /// Extends the last typing run, or begins one.
    ///
    /// - Parameters:
    ///   - device: The device of the key; a run keeps that of its first key.
    ///   - step: The beginning of the step that contains a key.
    ///   - continues: Whether it extends the last run, if that is still open.
    ///   - isInjected: Whether it belongs to a run of injected keys; such runs are separate from
    ///     others.
    /// - Returns: Whether a run began.
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

    /// A selection of open typing runs.
    package enum Tails: Equatable, Sendable {
        /// All open runs.
        case all
        /// The runs of keys that are not injected; other keys, buttons and fingers end them.
        case own
        /// The runs that end by a moment, whatever follows.
        case due(EventTime)
        /// The runs that begin before the end of the batch; their rest begins the next batch.
        case before(EventTime)
    }

    /// Turns the first selected run into an item; the batch must not be full.
    ///
    /// - Parameter wanted: The selected runs.
    /// - Returns: Whether there was one.
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
        columns[.kinds].append(run: BatchLayout.Kind.typing.rawValue)
        columns[.devices].append(run: tail.device)
        table.used.insert(tail.device)
        columns[.typing].append(varint: tail.seconds(until: end))
        eventCount += 1
        items += 1
        stopWhereDue()
        return true
    }

    private mutating func advance(to new: EventTime) {
        columns[.times].append(zigzag: new.milliseconds - time.milliseconds)
        time = new
        if latest.milliseconds < new.milliseconds { latest = new }
    }

    // MARK: Fitting

    private var byteCount: Int { columns.count }

    private var checkpoint: Checkpoint {
        Checkpoint(
            counts: columns.counts,
            items: items,
            events: eventCount,
            time: time,
            latest: latest,
            app: app,
            used: table.used
        )
    }

    private mutating func stopWhereDue() {
        var bytes = byteCount
        if bytes >= nextCheckpoint {
            checkpointOrCompress()
            bytes = byteCount
        }
        otherBytes = bytes - columns[.times].count - columns[.motions].count
    }

    /// Records a checkpoint, or tests whether the batch is full.
    private mutating func checkpointOrCompress() {
        guard byteCount < nextTrial else { return tryFit() }
        endRuns()
        checkpoints.append(checkpoint)
        planNextStop()
    }

    /// Writes the open runs, so that the columns contain everything appended.
    private mutating func endRuns() {
        columns.endRuns()
    }

    /// Compresses the batch to test whether it fits, and plans the next test.
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

    /// Ends a batch that is too large at the last checkpoint that fits.
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

    /// Plans the first test at the size that fills the batch if it compresses like the previous
    /// one.
    private mutating func planFirstTrial() {
        let likely = Int(Double(room) * density * 0.985)
        nextTrial = max(incompressibleBudget, min(likely, Self.maxBytes))
        planNextStop()
    }

    /// Plans checkpoints before a test, the last of them late, so that a failed test loses little.
    private mutating func planNextStop() {
        let bytes = byteCount
        let last = nextTrial - nextTrial / 20
        nextCheckpoint = min(bytes + incompressibleBudget, nextTrial)
        if bytes < last, last < nextCheckpoint { nextCheckpoint = last }
    }

    /// Compresses everything up to a checkpoint, and the typing runs after it, into the output.
    ///
    /// Returns the compressed size; nil if it does not fit.
    private func compress(_ checkpoint: Checkpoint, _ tails: [TypingTail] = []) -> Int? {
        var scratch: [UInt8] = []
        // Section by section: a range of the scratch memory, followed by a column if any.
        var parts: [(scratch: Range<Int>, column: Int?)] = []
        func note(_ bytes: [UInt8], _ column: Int? = nil) {
            parts.append((scratch.count..<scratch.count + bytes.count, column))
            scratch.append(contentsOf: bytes)
        }
        let header = header.encoded(items: checkpoint.items + tails.count)
        var used = checkpoint.used
        for tail in tails { used.insert(tail.device) }
        note(BatchLayout.Section.header.intro(header.count) + header + table.sections(of: used))
        if let demonstration {
            let bytes = demonstration.encoded
            note(BatchLayout.Section.demonstration.intro(bytes.count) + bytes)
        }
        let endings = TypingTail.endings(of: tails, after: checkpoint.time)
        for (index, section) in BatchLayout.Section.columns.enumerated() {
            let ending = endings[section] ?? []
            let count = checkpoint.counts[index]
            guard count + ending.count > 0 else { continue }
            note(section.intro(count + ending.count), index)
            if !ending.isEmpty { note(ending) }
        }
        defer { unsafe scratch.withUnsafeMutableBytes { unsafe $0.wipe() } }
        return unsafe scratch.withUnsafeBytes { scratch in
            var pieces: [UnsafeRawBufferPointer] = unsafe []
            for part in parts {
                unsafe pieces.append(UnsafeRawBufferPointer(rebasing: scratch[part.scratch]))
                guard let index = part.column, checkpoint.counts[index] > 0 else { continue }
                unsafe pieces.append(columns[index].written(upTo: checkpoint.counts[index]))
            }
            let room = unsafe memory.region(
                output.lowerBound + BatchLayout.prefix..<output.upperBound - BatchLayout.proofSize
            )
            return unsafe deflate.compress(pieces, into: room)
        }
    }

    // MARK: Packing

    /// Packs the open batch, which stays open.
    ///
    /// A full batch is packed up to its last fitting checkpoint, and ``advance(_:)`` must follow.
    /// Otherwise everything is packed, and the batch can be packed again later with more items.
    ///
    /// - Parameter withTails: Whether to include the open typing runs, as far as they have come.
    /// - Returns: The batch; nil if it has no items.
    package mutating func pack(withTails: Bool = true) -> Batch? {
        if !isFull { tryFit() }
        guard !isEmpty || demonstration != nil else { return nil }
        var last: [TypingTail] = []
        var whole: Int?
        if withTails, !isFull, !tails.isEmpty {
            (last, whole) = (tails, compress(lastFitting, tails))
            if whole == nil {
                // The open runs begin the next batch.
                (last, packed, isFull) = ([], nil, true)
            } else {
                packed = nil
            }
        }
        guard lastFitting.items + last.count > 0 || demonstration != nil else { return nil }
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

    /// Ends the open batch after packing, and begins the next with the items that did not fit.
    ///
    /// - Parameter next: The header of the next batch. If anything is left over, `base` and `app`
    ///   are set here.
    package mutating func advance(_ next: BatchHeader) {
        let checkpoint = lastFitting
        let counts = checkpoint.counts
        columns.keep(from: counts)
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

    /// Discards the open batch with its typing runs.
    ///
    /// - Parameter next: The header of the next batch.
    package mutating func discard(_ next: BatchHeader) {
        tails.removeAll()
        endRuns()
        lastFitting = checkpoint
        checkpoints.removeAll(keepingCapacity: true)
        advance(next)
    }
}

extension Demonstration {
    /// The encoded section; `Documentation/Format.md` has the order.
    fileprivate var encoded: [UInt8] {
        var bytes = [outcome?.rawValue ?? 0]
        bytes.append(varint: UInt64(zigzag: begun.milliseconds))
        bytes.append(varint: UInt64(zigzag: ended?.milliseconds ?? 0))
        for (text, limit) in [(name, Self.maxName), (goal, Self.maxGoal)] {
            let text = text.utf8.prefix(limit)
            bytes.append(varint: UInt64(text.count))
            bytes.append(contentsOf: text)
        }
        return bytes
    }
}

extension BatchHeader {
    /// The encoded header section; `Documentation/Format.md` has the order.
    func encoded(items: Int) -> [UInt8] {
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
