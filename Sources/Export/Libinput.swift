// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
package import Timeline

/// Writes the events of one device in the format of `libinput record` (version 1), a YAML document.
///
/// A document describes its devices one after the other: first comes a ``Summary`` of all events,
/// then its head, and then for each device a writer that skips the events of the others. Times
/// count from the very first event. Key codes are those of a US keyboard; keys whose identity was
/// not recorded are KEY_A, as in libinput's own recordings. Pixels, focus and modifiers are
/// omitted, and gaps are comments. A pen is in proximity from its first event on, because the
/// server does not report when it comes and goes.
package struct Libinput: EventWriter {
    /// The devices of a recording, and when it begins.
    package struct Summary: Sendable {
        /// The kinds of events of a device.
        fileprivate struct Uses {
            var keys = false
            var pointer = false
            var axes = false
            var fingers = false
        }

        fileprivate var uses: [UInt8: Uses] = [:]
        fileprivate var described: [UInt8: Device] = [:]
        fileprivate var start: WallTime?
        /// The latest time so far, in milliseconds since 1970.
        package private(set) var end: Int64 = 0

        /// Makes an empty summary.
        package init() {}

        /// Adds an event.
        ///
        /// - Parameter event: from the timeline, of any device.
        package mutating func take(_ event: RecordedEvent) {
            end = max(end, event.time.milliseconds)
            switch event.item.payload {
            case .input(.key): uses[event.item.device, default: Uses()].keys = true
            case .input(.axes): uses[event.item.device, default: Uses()].axes = true
            case .input(.touch): uses[event.item.device, default: Uses()].fingers = true
            case .device(let device):
                described[event.item.device] = device
                return
            case .input(.typing):
                end = max(end, event.end.milliseconds)
                uses[event.item.device, default: Uses()].keys = true
                return
            case .input: uses[event.item.device, default: Uses()].pointer = true
            case .screen, .focus, .gap, .demonstration: return
            }
            if start == nil { start = event.time }
        }

        /// The ids of the devices with events, in ascending order.
        package var devices: [UInt8] { uses.keys.sorted() }

        /// The beginning of the document, before all devices.
        package var head: [UInt8] {
            Array(
                """
                # Made by mcictl export from X11 raw events. Key codes are those of a US keyboard; KEY_A is a
                # key that was recorded by class only, KEY_UNKNOWN one that a US keyboard does not have.
                version: 1
                ndevices: \(uses.count)
                libinput:
                  version: "0.0.0"
                system:
                  os: "mci"
                  kernel: ""
                  dmi: ""
                devices:\(uses.isEmpty ? " []" : "")

                """.utf8
            )
        }
    }

    /// What was written and not yet taken.
    package var text = TextBuffer()
    /// What was omitted so far.
    package private(set) var omissions = Omissions()

    private let device: UInt8
    private let uses: Summary.Uses
    private let description: Device?
    private let start: WallTime
    private var last: Int64 = 0
    private var turns = (x: NotchCounter(), y: NotchCounter())
    /// The axes of a pen or a touch screen that is described; nil for other devices.
    private var axes: EvdevAxes?
    /// Whether it is a pen; an absolute mouse reports axes as well.
    private let isPen: Bool
    private var isPenAnnounced = false

    /// The codes of movements and wheels (`linux/input-event-codes.h`).
    private enum Code {
        static let (x, y, sideWheel, wheel): (UInt16, UInt16, UInt16, UInt16) = (0, 1, 6, 8)
        static let (fineWheel, fineSideWheel): (UInt16, UInt16) = (11, 12)
    }

    /// Makes the writer of one device.
    ///
    /// - Parameters:
    ///   - device: the id of the device.
    ///   - summary: the summary of all events.
    package init(_ device: UInt8, _ summary: Summary) {
        self.device = device
        uses = summary.uses[device] ?? Summary.Uses()
        description = summary.described[device]
        start = summary.start ?? WallTime(0)
        if uses.axes || uses.fingers {
            axes = EvdevAxes(description, isTouched: uses.fingers)
        }
        isPen = uses.axes && axes != nil && description?.kind == .tablet
    }

    /// The description of the device, before its events.
    package var head: [UInt8] {
        let infos = axes?.infos ?? []
        let keys =
            (uses.keys ? EvdevCode.keys : []) + (uses.pointer ? EvdevCode.buttons : [])
            + (isPen ? [EvdevAxes.pen] + EvdevAxes.penButtons : [])
            + (uses.fingers && axes != nil ? [EvdevAxes.touch] : [])
        let relatives = [
            Code.x, Code.y, Code.sideWheel, Code.wheel, Code.fineWheel, Code.fineSideWheel,
        ]
        var name = TextBuffer()
        name.append(quoted: description?.name ?? "X11 device \(device)")
        let ids = [0, description?.vendor ?? 0, description?.product ?? 0, 0]
        func list(_ codes: [UInt16]) -> String { codes.map { "\($0)" }.joined(separator: ", ") }
        let relative = uses.pointer ? "\n      2: [\(list(relatives))]" : ""
        let absolute = infos.isEmpty ? "" : "\n      3: [\(list(infos.map(\.code)))]"
        let ranges = infos.map {
            "\n      \($0.code): [\($0.range.lowerBound), \($0.range.upperBound), 0, 0, \($0.resolution)]"
        }
        let bounds = infos.isEmpty ? "" : "\n    absinfo:" + ranges.joined()
        let kinds =
            (uses.keys ? ["KEYBOARD", "KEY"] : []) + (uses.pointer && !isPen ? ["MOUSE"] : [])
            + (isPen ? ["TABLET"] : []) + (uses.fingers ? ["TOUCHSCREEN"] : [])
        return Array(
            """
            - node: xinput:\(device)
              evdev:
                name: \(String(decoding: name.bytes, as: UTF8.self))
                id: [\(list(ids))]
                codes:
                  0: [0]
                  1: [\(list(keys))]\(relative)\(absolute)\(bounds)
                properties: [\(uses.fingers ? "1" : "")]
              udev:
                properties:
                - ID_INPUT=1
            \(kinds.map { "    - ID_INPUT_\($0)=1" }.joined(separator: "\n"))
              events:

            """.utf8
        )
    }

    /// Appends one event of the device, or a gap as a comment; events of other devices are skipped.
    ///
    /// - Parameter event: from the timeline.
    package mutating func append(_ event: RecordedEvent) {
        let (item, time) = (event.item, event.time)
        if case .gap(let reason, _, _) = item.payload {
            text.append("  # gap: \(reason.name) until \(event.end.text)\n")
            return
        }
        guard item.device == device else { return }
        switch item.payload {
        case .input(.key(let key)):
            let code = key.keysym == 0 ? EvdevCode.hidden : EvdevCode.key(key.keysym)
            if key.isDown, key.keysym == 0 { omissions.hiddenKeys += 1 }
            if key.isDown, code == nil { omissions.unnamedKeys += 1 }
            frame([(EvdevType.key, code ?? EvdevCode.unknown, key.isDown ? 1 : 0)], time)
        case .input(.button(let number, let isDown)):
            let isOfPen = isPen && 1...EvdevAxes.penButtons.count ~= Int(number)
            let code =
                isOfPen ? EvdevAxes.penButtons[Int(number) - 1] : EvdevCode.button(number)
            frame([(EvdevType.key, code, isDown ? 1 : 0)], time)
        case .input(.motion(let dx, let dy)):
            frame([(EvdevType.relative, Code.x, dx), (EvdevType.relative, Code.y, dy)], time)
        case .input(.scroll(let dx, let dy)):
            // The kernel's wheel is positive upwards, X11's downwards.
            frame(
                [
                    (EvdevType.relative, Code.wheel, 0 &- turns.y.take(dy)),
                    (EvdevType.relative, Code.fineWheel, 0 &- dy),
                    (EvdevType.relative, Code.sideWheel, turns.x.take(dx)),
                    (EvdevType.relative, Code.fineSideWheel, dx),
                ],
                time
            )
        case .input(.axes(let values)):
            guard let reported = axes?.values(values) else { return omissions.axes += 1 }
            omissions.axes += reported.omitted
            guard !reported.values.isEmpty else { return }
            let near: EvdevAxes.Value = (EvdevType.key, EvdevAxes.pen, 1)
            frame((!isPen || isPenAnnounced ? [] : [near]) + reported.values, time)
            isPenAnnounced = true
        case .input(.touch(let touch)):
            guard let reported = axes?.values(touch) else { return omissions.touches += 1 }
            omissions.axes += reported.omitted
            frame(reported.values, time)
        case .input(let other):
            // A run, or a kind for which the format has no code.
            if case .typing = other { omissions.runs += 1 } else { omissions.axes += 1 }
        case .device, .screen, .focus, .gap, .demonstration: return
        }
    }

    /// Appends one report of the device: the changed values and SYN_REPORT.
    private mutating func frame(
        _ values: [EvdevAxes.Value],
        _ time: WallTime
    ) {
        // A report contains no axis that did not move.
        let reported = values.filter { $0.type != EvdevType.relative || $0.value != 0 }
        guard !reported.isEmpty else { return }
        last = max(last, time.milliseconds - start.milliseconds)
        text.append("  - evdev:\n")
        for value in reported { line(value.type, value.code, value.value) }
        line(EvdevType.synchronization, 0, 0)
    }

    private mutating func line(_ type: UInt16, _ code: UInt16, _ value: Int32) {
        text.append("    - [\(last / 1000), \(last % 1000 * 1000), \(type), \(code), \(value)]\n")
    }
}
