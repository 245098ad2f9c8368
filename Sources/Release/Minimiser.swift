// SPDX-License-Identifier: Apache-2.0

package import Events
import Gate
package import Packing
package import Timeline

/// Makes the payload of a release from a recording.
///
/// Upstream: the timeline. Downstream: sealing. Promise: nothing leaves it but the fields granted, none
/// finer than its grade; text leaves it as typing runs whatever was recorded; the same recording and
/// recipe give the same bytes.
package struct Minimiser {
    /// What was read and does not go, by what it is: counts for the person.
    package private(set) var omitted: [String: Int] = [:]
    /// The items that go, without descriptions.
    package private(set) var count = 0

    private let fields: ReleaseFields
    private let recipe: Recipe
    private let listed: [Glob]
    private let cut: [Glob]
    private let payload: ReleasePayload
    private var reduction = TextReduction()
    /// The devices as they were last described.
    private var devices: [UInt8: Device] = [:]
    /// What is described of the devices that go, by the id that goes.
    private var described: [UInt8: Device] = [:]
    private var app = ""
    private var shownApp: String?
    private var isBatchCut = false
    /// The beginning of the input that is left out now.
    private var outSince: Int64?
    /// The end of the span that was cut out; nil where something else is left out.
    private var outUntil: Int64?
    private var latest: Int64
    private var motion: Motion?
    /// The last run, until it is known what comes behind it.
    private var openRun: (device: UInt8, begin: EventTime, end: EventTime)?

    /// Movements that are summed up.
    private struct Motion: Redacted {
        var time: Int64
        var device: UInt8
        var dx: Int32
        var dy: Int32
        var pixel: Pixel?
    }

    /// Begins a payload.
    ///
    /// - Parameters:
    ///   - fields: what may go.
    ///   - recipe: what the person cut out.
    /// - Throws: ``ReleaseError`` for a name of an application that is not a pattern.
    package init(_ fields: ReleaseFields, _ recipe: Recipe) throws(ReleaseError) {
        func globs(_ names: [String]) throws(ReleaseError) -> [Glob] {
            var globs: [Glob] = []
            for name in names {
                guard let glob = Glob(name) else {
                    throw ReleaseError("The name of an application cannot be matched.")
                }
                globs.append(glob)
            }
            return globs
        }
        (self.fields, self.recipe) = (fields, recipe)
        listed = try globs(fields.applications)
        cut = try globs(recipe.apps)
        payload = ReleasePayload(keyDetail: fields.keys == .named ? .shortcuts : .activity)
        latest = recipe.span.from
    }

    /// Begins with the items of a batch.
    package mutating func begin(_ batch: OpenedBatch) {
        isBatchCut =
            recipe.batches.contains(batch.header.sequence)
            || recipe.demonstration.map { $0 != batch.demonstration?.key } ?? false
    }

    /// Takes the next event of the recording.
    ///
    /// - Parameters:
    ///   - event: as the timeline passes it on.
    ///   - app: the application in front, as the timeline says; empty when unknown.
    package mutating func take(_ event: RecordedEvent, in app: String) {
        let time = event.time.milliseconds
        self.app = app
        // When a key came must not show in when something else began or ended.
        let edge = event.item.payload.isInput ? time.roundedDown(to: TypingRun.step) : time
        switch event.item.payload {
        case .device(let device): devices[event.item.device] = device
        case .screen(let screen):
            guard fields.screen == .size else { return }
            payload.use(ScreenLayout(width: screen.width, height: screen.height))
        case .demonstration: break
        case .focus(_, let title):
            if title != nil { omit("titles") }
            guard isIn(time) else { return leave(at: time, edge) }
            enter(at: edge)
            focus(at: edge)
        case .gap(let reason, _, let stream):
            guard isIn(time) else { return leave(at: time, edge) }
            enter(at: edge)
            drop(at: time)
            let span = recipe.span
            let to = min(event.end.milliseconds, span.to)
            gap(fields.gaps == .reason ? reason : .withheld, max(time, span.from), to, stream)
        case .input(let input):
            guard isIn(time) else {
                omit("events that were cut out or are of other applications")
                return leave(at: time, edge)
            }
            enter(at: edge)
            focus(at: edge)
            take(input, event)
        }
    }

    /// Ends the payload.
    ///
    /// - Returns: the payload with what it leaves out; nil bytes if it is too large.
    package mutating func finish() -> (bytes: [UInt8]?, count: Int, omitted: [String: Int]) {
        drop(at: latest)
        endMotion()
        endOpenRun()
        if let outSince {
            let end = min(outUntil ?? recipe.span.to, max(outSince, latest + TypingRun.step))
            gap(.withheld, outSince, max(end, outSince), nil)
        }
        let (count, omitted) = (count, omitted)
        return (payload.finish(), count, omitted)
    }

    // MARK: What is left out

    private func isIn(_ time: Int64) -> Bool {
        guard recipe.span.contains(time), !isBatchCut,
            !recipe.spans.contains(where: { $0.contains(time) })
        else { return false }
        if !listed.isEmpty, !listed.contains(where: { $0.matches(app) }) { return false }
        return !cut.contains { $0.matches(app) }
    }

    /// Begins to leave out input: from the edge of the span that was cut out, or else from `edge`.
    private mutating func leave(at time: Int64, _ edge: Int64) {
        guard recipe.span.contains(time) else { return }
        let cut = recipe.spans.first { $0.contains(time) }
        outUntil = cut?.to
        guard outSince == nil else { return }
        drop(at: max(edge, latest))
        outSince = max(cut?.from ?? edge, recipe.span.from)
        shownApp = nil
    }

    private mutating func enter(at edge: Int64) {
        latest = max(latest, edge)
        guard let since = outSince else { return }
        let until = outUntil ?? edge
        (outSince, outUntil) = (nil, nil)
        gap(.withheld, since, max(until, since), nil)
    }

    private mutating func omit(_ what: String) { omitted[what, default: 0] += 1 }

    // MARK: What goes

    private mutating func take(_ input: OpenedItem.Input, _ event: RecordedEvent) {
        let device = device(of: event)
        let time = event.item.time
        let wall = EventTime(event.time.milliseconds)
        switch input {
        case .key(let key):
            reduction.key(key, device: device, at: wall)
            putReduced()
        case .typing(let end):
            let length = end.milliseconds &- time.milliseconds
            reduction.run(device: device, from: wall, to: EventTime(wall.milliseconds &+ length))
            putReduced()
        case .button(let number, let isDown):
            // What does not go must not show in how a run is divided.
            guard fields.buttons == .numbers else { return omit("buttons") }
            let stored = endRun(at: wall)
            put(.button(number: number, isDown: isDown), device, stored, event.item.pixel)
        case .scroll(let dx, let dy):
            guard fields.scroll == .notches else { return omit("wheel turns") }
            let stored = reduction.isChord ? endRun(at: wall) : wall
            reduction.pass(wall)
            putReduced()
            put(.scroll(dx: dx, dy: dy), device, stored, event.item.pixel)
        case .motion(let dx, let dy):
            reduction.pass(wall)
            putReduced()
            move(dx, dy, device, wall.milliseconds, event.item.pixel)
        case .axes: omit("positions of tablets and touchpads")
        case .touch:
            omit("touches")
        }
    }

    /// Ends the run before something that goes.
    ///
    /// - Returns: its time; where typing does not go it has its own, which then says nothing of a run.
    private mutating func endRun(at wall: EventTime) -> EventTime {
        let stored = reduction.endRun(at: wall)
        putReduced()
        return fields.typing == .none ? wall : stored
    }

    private mutating func move(
        _ dx: Int32,
        _ dy: Int32,
        _ device: UInt8,
        _ time: Int64,
        _ pixel: Pixel?
    ) {
        switch fields.motion {
        case .none: omit("movements")
        case .counts: put(.motion(dx: dx, dy: dy), device, EventTime(time), pixel)
        case .tenth:
            let bucket = time.roundedDown(to: 100)
            if let motion, motion.time != bucket || motion.device != device { endMotion() }
            var sum = motion ?? Motion(time: bucket, device: device, dx: 0, dy: 0)
            (sum.dx, sum.dy) = (sum.dx &+ dx, sum.dy &+ dy)
            sum.pixel = pixel ?? sum.pixel
            motion = sum
        }
    }

    private mutating func endMotion() {
        guard let sum = motion else { return }
        motion = nil
        put(.motion(dx: sum.dx, dy: sum.dy), sum.device, EventTime(sum.time), sum.pixel)
    }

    /// Adds a run, or joins it with the one before where nothing that goes lies between.
    private mutating func run(_ device: UInt8, _ begin: EventTime, _ end: EventTime) {
        if let open = openRun, open.device == device, begin < open.end {
            openRun = (device, min(open.begin, begin), max(open.end, end))
            return
        }
        endOpenRun()
        openRun = (device, begin, end)
    }

    private mutating func endOpenRun() {
        guard let run = openRun else { return }
        openRun = nil
        endMotion()
        emit(.typing(run.end), run.device, run.begin, nil)
    }

    private mutating func putReduced() {
        for output in reduction.take() {
            switch output {
            case .run(let device, let begin, let end):
                guard fields.typing == .seconds else {
                    omit("typing runs")
                    continue
                }
                run(device, begin, end)
            case .key(var key, let device, let time):
                guard fields.keys == .named else {
                    omit("keys")
                    continue
                }
                if fields.modifiers == .none {
                    // A chord without its modifiers would pass for text.
                    guard key.keyClass != .modifier, !key.keyClass.writesText else {
                        omit("modifiers and chords")
                        continue
                    }
                    key.modifiers = []
                }
                put(.key(key), device, time, nil)
            }
        }
    }

    private mutating func put(
        _ input: OpenedItem.Input,
        _ device: UInt8,
        _ time: EventTime,
        _ pixel: Pixel?
    ) {
        // What is left out does not divide a sum: nobody should see that it was there.
        endMotion()
        endOpenRun()
        emit(input, device, time, pixel)
    }

    private mutating func emit(
        _ input: OpenedItem.Input,
        _ device: UInt8,
        _ time: EventTime,
        _ pixel: Pixel?
    ) {
        count += 1
        let time = EventTime(time.milliseconds.roundedDown(to: fields.time.step))
        payload.append(
            OpenedItem(time: time, device: device, payload: .input(input), pixel: place(pixel)),
            of: described[device]
        )
    }

    private func place(_ pixel: Pixel?) -> Pixel? {
        switch fields.place {
        case .pixel: return pixel
        case .none: return nil
        case .cell:
            let size = Int64(ReleaseFields.Place.cellSize)
            return pixel.map {
                Pixel(
                    x: Int16(clamping: Int64($0.x).roundedDown(to: size)),
                    y: Int16(clamping: Int64($0.y).roundedDown(to: size))
                )
            }
        }
    }

    private mutating func focus(at time: Int64) {
        guard fields.application != .none, app != shownApp else { return }
        if shownApp == nil, app.isEmpty { return }
        drop(at: time)
        endMotion()
        endOpenRun()
        shownApp = app
        let time = EventTime(time.roundedDown(to: fields.time.step))
        payload.append(OpenedItem(time: time, device: 0, payload: .focus(app: app)))
    }

    private mutating func gap(
        _ reason: GapReason,
        _ from: Int64,
        _ to: Int64,
        _ stream: InputStream?
    ) {
        guard to >= from else { return }
        endMotion()
        endOpenRun()
        // A gap of the keyboard alone has whole steps of typing, which say nothing of its keys.
        let step = stream == .keyboard ? TypingRun.step : fields.time.step
        let begin = from.roundedDown(to: step)
        let end = (to &+ step - 1).roundedDown(to: step)
        payload.append(
            OpenedItem(
                time: EventTime(begin),
                device: 0,
                payload: .gap(reason, to: EventTime(max(begin, end)), stream: stream)
            )
        )
    }

    /// Ends what is open: runs, held keys, summed movements.
    private mutating func drop(at time: Int64) {
        reduction.drop(at: EventTime(time))
        putReduced()
    }

    /// The id that goes for a device: one for each kind, and another for what programs made.
    ///
    /// 7 stands for devices that the recording does not describe.
    private mutating func device(of event: RecordedEvent) -> UInt8 {
        guard let isInjected = event.isInjected else { return 7 }
        let kind = fields.device == .kind ? devices[event.item.device]?.kind ?? .other : .other
        let id = kind.rawValue + 1 + (isInjected ? 8 : 0)
        if described[id] == nil {
            var device = Device(name: "", kind: kind)
            device.isInjected = isInjected
            described[id] = device
        }
        return id
    }
}

extension Demonstration {
    /// The name and the beginning, by which a recipe names it.
    package var key: String { "\(begun.milliseconds) \(name)" }
}
