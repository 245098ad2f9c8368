// SPDX-License-Identifier: Apache-2.0

import Calendar
package import Events
package import Packing
package import Timeline

/// Counts a recording in one pass.
///
/// Upstream: the timeline. Downstream: the report, the summary of `log`, and the quality of the data.
/// Promise: its figures match SQL on the same ring, and it keeps no events.
package struct Tally: Redacted {
    private let range: Range<Int64>
    private var facts = RecordingFacts()
    /// The hour of the last event, and what it counts for the application in front.
    private var hour: Range<Int64> = 0..<0
    private var counts = InputCounts()
    private var app = ""
    /// Since when the application has been in front; nil while nothing is known.
    private var appSince: Int64?
    /// The earliest and the latest time that the recording speaks of.
    private var first = Int64.max
    private var latest = Int64.min
    /// The batch that is being read.
    private var header: BatchHeader?
    /// The change of the wall clock since the batch before, without the time asleep.
    private var shift: Int64 = 0
    /// For each device id the index in ``RecordingFacts/devices``.
    private var indices = [Int](repeating: -1, count: 256)
    /// For each monitor of the desktop, as it is now, the index of its map.
    private var maps: [Int] = []

    /// Creates a tally.
    ///
    /// - Parameter range: the time that is asked for, in milliseconds since 1970; everything is cut
    ///   to it.
    package init(_ range: ClosedRange<Int64>) {
        let bounds = range.clamped(to: Self.years)
        self.range = bounds.lowerBound..<bounds.upperBound + 1
    }

    /// The moments that have a date of four digits; a forged batch may name others.
    private static let years: ClosedRange<Int64> = 0...253_402_300_799_999

    /// Takes the next batch, before its events.
    package mutating func begin(_ batch: OpenedBatch) { begin(batch.header) }

    /// Takes the header of the next batch, before its events.
    package mutating func begin(_ new: BatchHeader) {
        facts.keyDetails[new.keyDetailName, default: 0] += 1
        if new.flags & BatchHeader.unconfined != 0 { facts.unconfined += 1 }
        if let header {
            countStep()
            shift = header.bootID == new.bootID ? new.wallOffset &- header.wallOffset : 0
            if new.sequence != header.sequence &+ 1 { skip(to: new.base, new.wallOffset) }
        }
        header = new
    }

    /// Counts a step of the wall clock; a rounding difference does not count.
    private mutating func countStep() {
        if shift.magnitude >= 100 { facts.clockSteps += 1 }
        shift = 0
    }

    /// Notes a time of which nothing is kept.
    private mutating func skip(to base: EventTime, _ offset: Int64) {
        // Nothing is known of the time before the first event.
        guard latest > .min else { return }
        leaveApp(at: latest)
        app = ""
        let next = base.milliseconds &+ offset
        if latest < next { facts.missing.add((latest..<next).clamped(to: range)) }
    }

    /// Takes the next event.
    package mutating func take(_ event: RecordedEvent) {
        let time = event.time.milliseconds
        switch event.item.payload {
        case .input(let input):
            guard Self.years.contains(time) else { return }
            if !hour.contains(time) { turnHour(time) }
            counts.add(event)
            note(time, event.end.milliseconds)
            if event.isInjected != false {
                if event.isInjected == nil { facts.undescribed += 1 } else { facts.injected += 1 }
            }
            count(event)
            switch input {
            case .button(_, isDown: true): if let pixel = event.item.pixel { click(pixel) }
            case .scroll: if event.item.pixel != nil { facts.scrollsWithPixel += 1 }
            default: break
            }
        case .focus(let name, _):
            note(time, time)
            flush()
            leaveApp(at: time)
            (app, appSince) = (name, time)
        case .gap(let reason, _, let stream):
            note(time, event.end.milliseconds)
            let gap = (time..<max(time, event.end.milliseconds)).clamped(to: range)
            facts.omissions[.init(reason, stream), default: Spans()].add(gap)
            if reason == .suspended, shift != 0 { shift &-= event.end.milliseconds &- time }
            guard stream == nil else { return }
            flush()
            leaveApp(at: time)
            app = ""
        case .device(let device): describe(event.item.device, device, event.time)
        case .screen(let new): use(new)
        case .demonstration(let demonstration): note(demonstration)
        }
    }

    /// Ends the count.
    ///
    /// - Parameters:
    ///   - summary: what the timeline says of the batches.
    ///   - openUntil: the moment until which mcid is known to have recorded, where it is recording
    ///     now; nil if it is not.
    /// - Returns: the facts.
    package consuming func facts(
        _ summary: TimelineReader.Summary,
        openUntil: WallTime? = nil
    ) -> RecordingFacts {
        countStep()
        flush()
        if first < .max {
            if let openUntil { latest = max(latest, openUntil.milliseconds) }
            leaveApp(at: latest)
            let from = max(first, range.lowerBound)
            facts.span = from..<max(from, min(latest, range.upperBound))
        }
        facts.omissions = facts.omissions.mapValues { $0.united }
        facts.front = facts.front.mapValues { $0.united }
        facts.clickMaps.removeAll { $0.clicks == 0 }
        facts.summary = summary
        return facts
    }

    // MARK: Hours and applications

    @inline(__always)
    private mutating func note(_ from: Int64, _ to: Int64) {
        if from < first { first = from }
        if to > latest { latest = to }
    }

    private mutating func turnHour(_ time: Int64) {
        flush()
        let start = Self.hour(of: WallTime(time))
        hour = start..<start + 3_600_000
    }

    /// Adds the counts of the last application in the last hour.
    private mutating func flush() {
        guard counts.events > 0 else { return }
        facts.hours[hour.lowerBound, default: [:]][app, default: InputCounts()].add(counts)
        counts = InputCounts()
    }

    private mutating func leaveApp(at time: Int64) {
        defer { appSince = nil }
        guard let appSince, !app.isEmpty, appSince < time else { return }
        facts.front[app, default: Spans()].add((appSince..<time).clamped(to: range))
    }

    /// When the hour of a moment began in local time, in milliseconds since 1970.
    package static func hour(of time: WallTime) -> Int64 {
        let local = LocalTime(time)
        let seconds = Int64(local.minute) * 60 + Int64(local.second)
        let second = time.milliseconds - (time.milliseconds % 1000 + 1000) % 1000
        var start = second - seconds * 1000
        // Where clocks were put by half an hour, the hour began with the change.
        while start < second, LocalTime(WallTime(start)).hour != local.hour { start += 60_000 }
        return start
    }

    private mutating func note(_ demonstration: Demonstration) {
        if let last = facts.demonstrations.last, demonstration.isSame(as: last) {
            facts.demonstrations[facts.demonstrations.count - 1] = demonstration
        } else {
            facts.demonstrations.append(demonstration)
        }
    }

    // MARK: Devices and monitors

    private mutating func count(_ event: RecordedEvent) {
        var index = indices[Int(event.item.device)]
        if index < 0 {
            describe(event.item.device, nil, event.time)
            index = indices[Int(event.item.device)]
        }
        facts.devices[index].events += 1
        facts.devices[index].last = event.time
    }

    private mutating func describe(_ id: UInt8, _ device: Device?, _ time: WallTime) {
        let known = facts.devices.firstIndex { $0.id == id && $0.device == device }
        indices[Int(id)] = known ?? facts.devices.count
        if known == nil {
            facts.devices.append(.init(id: id, device: device, first: time, last: time))
        }
    }

    private mutating func use(_ new: ScreenLayout) {
        let whole = ScreenLayout.Monitor(x: 0, y: 0, width: new.width, height: new.height)
        let monitors = new.monitors.isEmpty ? [whole] : new.monitors
        maps = monitors.map { monitor in
            if let known = facts.clickMaps.firstIndex(where: { $0.monitor == monitor }) {
                return known
            }
            let cell = max(
                RecordingFacts.ClickMap.leastCell,
                (Int(max(monitor.width, monitor.height)) + 47) / 48
            )
            var map = RecordingFacts.ClickMap(monitor: monitor, cell: cell, cells: [])
            map.cells = [Int](repeating: 0, count: map.columns * map.rows)
            facts.clickMaps.append(map)
            return facts.clickMaps.count - 1
        }
    }

    private mutating func click(_ pixel: Pixel) {
        for index in maps {
            let monitor = facts.clickMaps[index].monitor
            let (x, y) = (Int(pixel.x) - Int(monitor.x), Int(pixel.y) - Int(monitor.y))
            guard 0..<Int(monitor.width) ~= x, 0..<Int(monitor.height) ~= y else { continue }
            let cell = facts.clickMaps[index].cell
            facts.clickMaps[index].cells[y / cell * facts.clickMaps[index].columns + x / cell] += 1
            return
        }
        facts.clicksElsewhere += 1
    }
}
