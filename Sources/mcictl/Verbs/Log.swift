// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Glibc
import Packing
import Settings
import Timeline

/// The verb `log`.
struct LogVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show what was recorded.",
        discussion: """
            Keys are shown as classes; --keys shows which key, where the recording has it.

            EXAMPLES
              mcictl log --since 10m
              mcictl log --since 14:00 --until 14:30
              mcictl log --follow
            """
    )

    @Option(help: "From a time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to a time.")
    var until: String?

    @Option(help: "Read this ring: a file of an earlier version.")
    var ring: String?

    @Flag(help: "Go on showing what is being recorded.")
    var follow = false

    @Flag(help: "Show which keys, not only their classes.")
    var keys = false

    @Flag(help: "Print JSON Lines.")
    var json = false

    func run() throws {
        let place = Workplace()
        let range = try place.range(since: since, until: until)
        let timeline = try place.timeline(ring)
        if !json { Terminal.print("TIME          DEVICE       EVENT") }
        var summary = try show(timeline, range)
        while follow {
            sleep(1)
            _ = try? place.call(.flush)
            let next = try show(timeline, range)
            summary.events += next.events
            summary.gaps += next.gaps
        }
        warn(about: summary)
        if !json {
            let hint = keys ? "" : " · keys as classes (--keys shows which)"
            let events = TimeText.count(summary.events, "event", "events")
            Terminal.tell("\(events) · \(TimeText.count(summary.gaps, "gap", "gaps"))\(hint)")
        }
    }

    private func show(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>
    ) throws -> TimelineReader.Summary {
        var lines = JSONLines(withKeys: keys)
        var rows: [UInt8] = []
        let summary = try timeline.read(range, onlyNew: true) { event in
            if json {
                lines.append(event)
                if let bytes = lines.take() { Terminal.write(bytes) }
            } else {
                rows += Array((row(event) + "\n").utf8)
                if rows.count > 1 << 16 {
                    Terminal.write(rows)
                    rows.removeAll(keepingCapacity: true)
                }
            }
            return true
        }
        Terminal.write(rows + (lines.take(all: true) ?? []))
        return summary
    }

    private func row(_ event: RecordedEvent) -> String {
        var device = "–"
        let what: String
        switch event.item.payload {
        case .key(let isDown, let keyClass, let modifiers, let keysym):
            device = "keyboard \(event.item.device)"
            let name = keys && keysym != 0 ? " \(KeysymName.of(keysym))" : ""
            let held = modifiers.subtracting(.numLock).words.joined(separator: "+")
            let with = held.isEmpty || keyClass == .modifier ? "" : " with \(held)"
            what = "key \(keyClass.name)\(name) \(isDown ? "down" : "up")\(with)"
        case .button(let number, let isDown):
            device = "pointer \(event.item.device)"
            let place = event.item.place.map { " at \($0.x), \($0.y)" } ?? ""
            what = "button \(number) \(isDown ? "down" : "up")\(place)"
        case .motion(let dx, let dy):
            device = "pointer \(event.item.device)"
            what = "motion \(dx) \(dy)"
        case .scroll(let dx, let dy):
            device = "pointer \(event.item.device)"
            what = "scroll \(Double(dx) / 120) \(Double(dy) / 120)"
        case .axes(let values):
            device = "pointer \(event.item.device)"
            let axes = values.told.map { "\($0.axis) at \($0.value)" }
            what = "axes " + axes.joined(separator: ", ")
        case .touch(let touch):
            device = "touch \(event.item.device)"
            let place = event.item.place.map { " at \($0.x), \($0.y)" } ?? ""
            what = "finger \(touch.finger) \(touch.phase.name)\(place)"
        case .device(let described):
            device = "device \(event.item.device)"
            what = "is \(described.kind.name) \(Terminal.printable(described.name))"
        case .screen(let screen):
            let monitors = TimeText.count(screen.monitors.count, "monitor", "monitors")
            what = "desktop \(screen.width) × \(screen.height), \(monitors)"
        case .focus(let app, let title):
            let name = title.map { " “\(Terminal.printable($0))”" } ?? ""
            what =
                app.isEmpty
                ? "focus on what is not recorded" : "focus \(Terminal.printable(app))\(name)"
        case .gap(let reason, _, let stream):
            let length = TimeText.length(event.end.milliseconds - event.time.milliseconds)
            let scope = stream.map { ", \($0.name) only" } ?? ""
            what = "gap: \(reason.name), \(length) until \(TimeText.exact(event.end))\(scope)"
        }
        let time = TimeText.exact(event.time)
        return
            "\(time)  \(device)\(String(repeating: " ", count: max(1, 13 - device.count)))\(what)"
    }
}
