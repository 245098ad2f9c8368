// SPDX-License-Identifier: Apache-2.0

import Events
import Export
import Foundation
import Packing
import Testing
import Timeline

/// Exports for other tools, read by these tools or by what they are written with.
@Suite struct InterchangeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let header = BatchHeader(
        sequence: 0,
        bootID: [],
        wallOffset: 1_800_000_000_000,
        keyDetail: 3,
        base: EventTime(0)
    )

    private func event(
        _ time: Int64,
        _ device: UInt8,
        _ payload: OpenedItem.Payload,
        _ place: Pixel? = nil
    ) -> RecordedEvent {
        let item = OpenedItem(time: EventTime(time), device: device, payload: payload, pixel: place)
        return RecordedEvent(item, in: Self.header, after: WallTime(0))
    }

    private func event(
        _ time: Int64,
        _ device: UInt8,
        _ input: OpenedItem.Input,
        _ place: Pixel? = nil
    ) -> RecordedEvent {
        event(time, device, .input(input), place)
    }

    private func key(
        _ time: Int64,
        _ keysym: UInt32,
        down: Bool,
        _ keyClass: KeyClass = .letter
    ) -> RecordedEvent {
        event(
            time,
            5,
            .key(StoredKey(isDown: down, keyClass: keyClass, modifiers: [], keysym: keysym))
        )
    }

    /// A bit of everything, in the order of its times.
    private var story: [RecordedEvent] {
        [
            event(0, 0, .focus(app: "Editor")),
            key(1000, 0xFFE1, down: true, .modifier), key(1010, 0x41, down: true),
            key(1015, 0x41, down: false), key(1016, 0xFFE1, down: false, .modifier),
            key(1020, 0, down: true), key(1025, 0, down: false),
            key(1030, 0x6C1, down: true), key(1035, 0x6C1, down: false),
            key(1040, 0x22, down: true, .punctuation), key(1045, 0x22, down: false, .punctuation),
            event(1100, 4, .motion(dx: -3, dy: 0)), event(1105, 4, .motion(dx: 70_000, dy: 8)),
            event(1110, 4, .button(number: 1, isDown: true)),
            event(1120, 4, .button(number: 1, isDown: false)),
            event(1130, 4, .button(number: 9, isDown: true)),
            event(1140, 4, .button(number: 9, isDown: false)),
            event(1150, 4, .scroll(dx: 0, dy: 120)), event(1160, 4, .scroll(dx: -60, dy: 0)),
            event(1170, 4, .scroll(dx: -60, dy: -240)),
            event(2000, 0, .gap(.paused, to: EventTime(9000), stream: nil)),
            event(9500, 4, .motion(dx: 1, dy: 1)),
        ]
    }

    private func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = "\(folder.path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func libinput(_ events: [RecordedEvent]) -> [UInt8] {
        var summary = Libinput.Summary()
        for event in events { summary.take(event) }
        var bytes = summary.head
        for device in summary.devices {
            var lines = Libinput(device, summary)
            bytes += lines.head
            for event in events { lines.append(event) }
            bytes += lines.take(all: true) ?? []
        }
        return bytes
    }

    @Test func `DuckTrack's lines are what its player takes`() throws {
        var lines = DuckTrack()
        for event in story { lines.append(event) }
        let bytes = lines.take(all: true) ?? []
        #expect(lines.omissions.hiddenKeys == 1 && lines.omissions.unnamedKeys == 1)
        #expect(lines.omissions.motions == 3)
        let path = try file("events.jsonl", bytes)
        let text = try Program.python(
            """
            import json, os
            os.environ["PYNPUT_BACKEND"] = "dummy"
            from pynput.keyboard import Key, KeyCode
            events = [json.loads(line) for line in open("\(path)").readlines()]
            last = 0
            for e in events:
                assert isinstance(e["time_stamp"], float) and e["time_stamp"] >= last
                last = e["time_stamp"]
                if e["action"] in ("press", "release"):
                    assert set(e) == {"time_stamp", "action", "name"}
                    assert hasattr(Key, e["name"]) or len(e["name"]) == 1, e
                elif e["action"] == "click":
                    assert isinstance(e["pressed"], bool) and e["button"] in ("left", "button9")
                elif e["action"] == "scroll":
                    assert isinstance(e["dx"], int) and isinstance(e["dy"], int)
                else:
                    assert e["action"] in ("pause", "resume")
            print([(round(e["time_stamp"] - 1.8e9, 3), e["action"],
                e.get("name", e.get("pressed", (e.get("dx"), e.get("dy"))))) for e in events])
            """,
            in: folder.path
        )
        #expect(
            text.output == """
                [(1.0, 'press', 'shift'), (1.01, 'press', 'A'), (1.015, 'release', 'A'), \
                (1.016, 'release', 'shift'), (1.04, 'press', '"'), (1.045, 'release', '"'), \
                (1.11, 'click', True), (1.12, 'click', False), (1.13, 'click', True), \
                (1.14, 'click', False), (1.15, 'scroll', (0, -1)), (1.17, 'scroll', (-1, 2)), \
                (2.0, 'pause', (None, None)), (9.0, 'resume', (None, None))]

                """,
            "\(text.errors)"
        )
    }

    @Test func `pixels and names of devices are told where they are known`() throws {
        let events = [
            event(1, 4, .device(Device(name: "A \"mouse\"", vendor: 7, product: 9))),
            event(2, 4, .motion(dx: 1, dy: 1), Pixel(x: -5, y: 6)),
            event(3, 4, .button(number: 3, isDown: true), Pixel(x: 8, y: 9)),
            event(4, 4, .scroll(dx: 0, dy: 120), Pixel(x: 10, y: 11)),
        ]
        var lines = DuckTrack()
        for event in events { lines.append(event) }
        let text = String(decoding: lines.take(all: true) ?? [], as: UTF8.self)
        #expect(
            text == """
                {"time_stamp":1800000000.002,"action":"move","x":-5,"y":6}
                {"time_stamp":1800000000.003,"action":"click","button":"right","pressed":true,"x":8,"y":9}
                {"time_stamp":1800000000.004,"action":"scroll","dx":0,"dy":-1,"x":10,"y":11}

                """
        )
        let path = try file("recording.yml", libinput(events))
        let result = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        #expect(result.lines.first == "A \"mouse\" 0.0", "\(result.errors)")
        #expect(String(decoding: libinput(events), as: UTF8.self).contains("id: [0, 7, 9, 0]\n"))
    }

    @Test func `every key that DuckTrack is told has a name in pynput`() throws {
        var lines = DuckTrack()
        let blocks: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0xA0...0xFF, 0xFE00...0xFFFF, 0x1008_FF00...0x1008_FFFF,
        ]
        for keysym in blocks.joined() { lines.append(key(1, keysym, down: true)) }
        let path = try file("events.jsonl", lines.take(all: true) ?? [])
        let result = try Program.python(
            """
            import json, os
            os.environ["PYNPUT_BACKEND"] = "dummy"
            from pynput.keyboard import Key
            names = [json.loads(line)["name"] for line in open("\(path)")]
            bad = [n for n in names if len(n) != 1 and not hasattr(Key, n)]
            print(len(names) > 250, bad)
            """,
            in: folder.path
        )
        #expect(result.output == "True []\n", "\(result.errors)")
    }

    /// The loader of libinput's own replay, short of the kernel's door for made-up devices.
    private static let loader = """
        import sys, importlib.machinery, importlib.util, libevdev, yaml
        loader = importlib.machinery.SourceFileLoader("replay", "/usr/libexec/libinput/libinput-replay")
        spec = importlib.util.spec_from_loader("replay", loader)
        replay = importlib.util.module_from_spec(spec)
        loader.exec_module(replay)
        recording = yaml.safe_load(open(sys.argv[1]))
        replay.check_file(recording)
        for device in recording["devices"]:
            evdev = device["evdev"]
            made = libevdev.Device()
            for kind, codes in evdev["codes"].items():
                for code in codes:
                    limits = evdev["absinfo"][code] if kind == 3 else None
                    names = ("minimum", "maximum", "fuzz", "flat", "resolution")
                    made.enable(libevdev.evbit(kind, code),
                                libevdev.InputAbsInfo(**dict(zip(names, limits))) if limits else None)
            dict(p.split("=", maxsplit=1) for p in device["udev"]["properties"])
            print(evdev["name"], replay.first_timestamp(device))
            last = (0, 0)
            for event in device["events"] or []:
                frame = replay.collect_events(event["evdev"])
                assert frame[-1].matches(libevdev.EV_SYN.SYN_REPORT) and len(frame) > 1
                assert last <= (frame[0].sec, frame[0].usec)
                last = (frame[0].sec, frame[0].usec)
                for e in frame: assert made.has(e.code), e
                print(f"{last[0]}.{last[1]:06d}", *(f"{e.code.name}={e.value}" for e in frame[:-1]))
        """

    @Test func `libinput's own tools read its recordings`() throws {
        let path = try file("recording.yml", libinput(story))
        let result = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        #expect(
            result.output == """
                X11 device 4 0.1
                0.100000 REL_X=-3
                0.105000 REL_X=70000 REL_Y=8
                0.110000 BTN_LEFT=1
                0.120000 BTN_LEFT=0
                0.130000 BTN_EXTRA=1
                0.140000 BTN_EXTRA=0
                0.150000 REL_WHEEL=-1 REL_WHEEL_HI_RES=-120
                0.160000 REL_HWHEEL_HI_RES=-60
                0.170000 REL_WHEEL=2 REL_WHEEL_HI_RES=240 REL_HWHEEL=-1 REL_HWHEEL_HI_RES=-60
                8.500000 REL_X=1 REL_Y=1
                X11 device 5 0.0
                0.000000 KEY_LEFTSHIFT=1
                0.010000 KEY_A=1
                0.015000 KEY_A=0
                0.016000 KEY_LEFTSHIFT=0
                0.020000 KEY_A=1
                0.025000 KEY_A=0
                0.030000 KEY_UNKNOWN=1
                0.035000 KEY_UNKNOWN=0
                0.040000 KEY_APOSTROPHE=1
                0.045000 KEY_APOSTROPHE=0

                """,
            "\(result.errors)"
        )
        // Its Python modules are Debian's.
        let analyzed = try Program.run(
            "libinput",
            ["analyze", "recording", path],
            environment: folder.environment
        )
        #expect(analyzed.code == 0 && analyzed.output.contains("+70000"), "\(analyzed.errors)")
        #expect(!analyzed.errors.contains("Traceback"))
    }

    @Test func `libinput's own tools read a pen with tilt, and fingers in their slots`() throws {
        func axis(_ number: UInt8, _ label: String, _ range: ClosedRange<Int32>) -> Device.Axis {
            Device.Axis(
                number: number,
                label: label,
                isAbsolute: true,
                range: range,
                resolution: 100_000
            )
        }
        let places = [axis(0, "Abs X", 0...65_535), axis(1, "Abs Y", 0...65_535)]
        var pen = Device(name: "Pen", kind: .tablet)
        pen.axes =
            places + [
                axis(2, "Abs Pressure", 0...2047), axis(3, "Abs Tilt X", -64...63),
                axis(4, "Abs Tilt Y", -64...63), axis(5, "Abs Mystery", 0...1),
            ]
        var glass = Device(name: "Glass", kind: .touchscreen)
        glass.axes = places + [axis(2, "Abs MT Pressure", 0...255)]
        func values(_ told: [Int: Int32]) -> AxisValues {
            var values = AxisValues()
            for (axis, value) in told { values[axis] = value }
            return values
        }
        func touch(_ time: Int64, _ finger: UInt8, _ phase: Touch.Phase, _ x: Int32)
            -> RecordedEvent
        {
            let touch = Touch(finger: finger, phase: phase, values: values([0: x, 1: 7]))
            return event(time, 5, .touch(touch))
        }
        let events = [
            event(0, 4, .device(pen)), event(0, 5, .device(glass)),
            event(0, 4, .axes(values([0: 100, 1: 0, 2: 0, 3: -60, 4: 9, 5: 1]))),
            event(1, 4, .button(number: 1, isDown: true)),
            event(2, 4, .axes(values([2: 2000]))),
            event(3, 4, .button(number: 1, isDown: false)),
            touch(4, 0, .down, 10), touch(5, 1, .down, 20), touch(6, 1, .move, 21),
            touch(7, 0, .up, 11), touch(8, 0, .down, 30), touch(9, 1, .up, 22),
            touch(10, 0, .up, 31),
        ]
        let path = try file("recording.yml", libinput(events))
        let result = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        #expect(
            result.output == """
                Pen 0.0
                0.000000 BTN_TOOL_PEN=1 ABS_X=100 ABS_Y=0 ABS_PRESSURE=0 ABS_TILT_X=-60 ABS_TILT_Y=9
                0.001000 BTN_TOUCH=1
                0.002000 ABS_PRESSURE=2000
                0.003000 BTN_TOUCH=0
                Glass 0.004
                0.004000 ABS_MT_SLOT=0 ABS_MT_TRACKING_ID=0 BTN_TOUCH=1 ABS_MT_POSITION_X=10 ABS_MT_POSITION_Y=7
                0.005000 ABS_MT_SLOT=1 ABS_MT_TRACKING_ID=1 ABS_MT_POSITION_X=20 ABS_MT_POSITION_Y=7
                0.006000 ABS_MT_POSITION_X=21 ABS_MT_POSITION_Y=7
                0.007000 ABS_MT_SLOT=0 ABS_MT_POSITION_X=11 ABS_MT_POSITION_Y=7 ABS_MT_TRACKING_ID=-1
                0.008000 ABS_MT_TRACKING_ID=2 ABS_MT_POSITION_X=30 ABS_MT_POSITION_Y=7
                0.009000 ABS_MT_SLOT=1 ABS_MT_POSITION_X=22 ABS_MT_POSITION_Y=7 ABS_MT_TRACKING_ID=-1
                0.010000 ABS_MT_SLOT=0 ABS_MT_POSITION_X=31 ABS_MT_POSITION_Y=7 ABS_MT_TRACKING_ID=-1 BTN_TOUCH=0

                """,
            "\(result.errors)"
        )
        let text = String(decoding: libinput(events), as: UTF8.self)
        #expect(text.contains(" 26: [-64, 63, 0, 0, 100]\n"))
        #expect(text.contains("ID_INPUT_TABLET=1") && text.contains("ID_INPUT_TOUCHSCREEN=1"))
        var summary = Libinput.Summary()
        for event in events { summary.take(event) }
        var lines = Libinput(4, summary)
        for event in events { lines.append(event) }
        #expect(lines.omissions.axes == 1 && lines.omissions.touches == 0, "an axis without a name")
        summary = Libinput.Summary()
        for event in events.dropFirst(2) { summary.take(event) }
        lines = Libinput(5, summary)
        for event in events.dropFirst(2) { lines.append(event) }
        #expect(lines.omissions.touches == 7, "of a device that is not described")
        #expect(String(decoding: lines.head, as: UTF8.self).contains("1: []\n"))
    }

    @Test func `an absolute mouse, as virtual machines have, is no pen`() throws {
        var mouse = Device(name: "Virtual", kind: .mouse)
        mouse.axes = (0...1).map { Device.Axis(number: $0, isAbsolute: true, range: 0...32_767) }
        var values = AxisValues()
        (values[0], values[1]) = (5, 6)
        let events = [
            event(0, 4, .device(mouse)), event(0, 4, .axes(values)),
            event(1, 4, .button(number: 1, isDown: true)),
        ]
        let path = try file("recording.yml", libinput(events))
        let result = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        let lines = ["Virtual 0.0", "0.000000 ABS_X=5 ABS_Y=6", "0.001000 BTN_LEFT=1"]
        #expect(result.lines == lines, "\(result.errors)")
        #expect(String(decoding: libinput(events), as: UTF8.self).contains("ID_INPUT_MOUSE=1"))
    }

    @Test func `a key has the kernel's name of its place on a us keyboard`() throws {
        let names: [(UInt32, String)] = [
            (0x71, "KEY_Q"), (0x7E, "KEY_GRAVE"), (0x5C, "KEY_BACKSLASH"), (0x3F, "KEY_SLASH"),
            (0xFF0D, "KEY_ENTER"), (0xFE03, "KEY_RIGHTALT"), (0xFFB5, "KEY_KP5"),
            (0xFF9D, "KEY_KP5"), (0xFF9F, "KEY_KPDOT"), (0xFF95, "KEY_KP7"),
            (0xFFAF, "KEY_KPSLASH"),
            (0xFFBE, "KEY_F1"), (0xFFC8, "KEY_F11"), (0xFFC9, "KEY_F12"), (0xFFCA, "KEY_F13"),
            (0xFF56, "KEY_PAGEDOWN"), (0xFF7F, "KEY_NUMLOCK"), (0x1008_FF13, "KEY_VOLUMEUP"),
            (0xFFEB, "KEY_LEFTMETA"), (0xFF67, "KEY_COMPOSE"), (0x20, "KEY_SPACE"),
            (0x1008_FF17, "KEY_NEXTSONG"), (0xFF13, "KEY_PAUSE"), (0xFF61, "KEY_SYSRQ"),
        ]
        let path = try file(
            "recording.yml",
            libinput(names.enumerated().map { key(Int64($0), $1.0, down: true) })
        )
        let result = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        let found = result.lines.dropFirst().map {
            $0.split(separator: " ").last.map(String.init) ?? ""
        }
        #expect(found == names.map { $0.1 + "=1" }, "\(result.errors)")
    }

    @Test func `the command writes both formats from a ring and says what it left out`() throws {
        let ring = try SyntheticRing()
        try ring.put(minute: 1)
        try ring.putGap(from: 400_000, to: 500_000)
        let environment = ring.folder.environment
        let path = "\(ring.folder.path)/recording.yml"
        let recorded = try Program.run(
            "mcictl",
            ["export", "--format", "libinput", "--out", path],
            environment: environment
        )
        #expect(recorded.code == 0, "\(recorded.errors)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("node: xinput:9\n") && text.contains("# gap: paused until"))
        let read = try Program.run("/usr/bin/python3", ["-c", Self.loader, path])
        #expect(read.lines.count == 4 && read.lines.last == "50.000000 REL_X=1", "\(read.errors)")
        let duck = try Program.run(
            "mcictl",
            ["export", "--format", "ducktrack"],
            environment: environment
        )
        #expect(duck.objects.compactMap { $0["action"] as? String } == ["pause", "resume"])
        #expect(duck.errors.contains("3 movements without a pixel: left out."))
    }
}
