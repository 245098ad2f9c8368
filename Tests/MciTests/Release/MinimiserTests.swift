// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Packing
import Person
import Recording
import Storage
import Testing
import Timeline

@testable import Release

/// What leaves the machine is what the fields say, and nothing else.
@Suite struct MinimiserTests {
    /// Makes a payload from a ring.
    private func payload(
        _ ring: String,
        _ identities: [Identity],
        _ fields: ReleaseFields,
        cut: (inout Recipe) -> Void = { _ in }
    ) throws -> [UInt8] {
        var recipe = Recipe(grant: "", span: .init(from: 0, to: Int64.max / 4))
        cut(&recipe)
        var minimiser = try Minimiser(fields, recipe)
        let timeline = TimelineReader(try RingReader(path: ring), identities)
        _ = try timeline.read(
            recipe.span.from...recipe.span.to,
            onBatch: { minimiser.begin($0) },
            {
                minimiser.take($0, in: timeline.app)
                return true
            }
        )
        return try #require(minimiser.finish().bytes)
    }

    private func identities(_ folder: TemporaryFolder) throws -> [Identity] {
        let text = try String(contentsOfFile: folder.paths.identity, encoding: .utf8)
        return try #require(Identity.list(text))
    }

    /// Three days with every reason, device and hostile name, and a recording of every key.
    private func rings() throws -> [(String, [Identity], TemporaryFolder)] {
        let rich = try RichRing.shared.get()
        let session = try ScriptedSession(detail: .full)
        session.focus("Editor")
        for word in ["asecretoffortytwowords", "anotherone"] {
            session.type(word)
            session.key(0xFF08, down: true)
            session.key(0xFF08, down: false)
            session.pass(3000)
            session.key(0x63, down: true, modifiers: .control)
            session.key(0x63, down: false, modifiers: .control)
            session.focus("Mail")
            session.pass(7000)
        }
        _ = try session.recorder.handle(.flush)
        return try [rich.folder, session.folder].map { ($0.paths.ring, try identities($0), $0) }
    }

    @Test func `no value outside the fields granted, and none finer than its grade`() throws {
        var random = SplitMix(seed: 24)
        let rings = try rings()
        let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil
        for round in 0..<(isProof ? 2000 : 40) {
            let (ring, identities, _) = rings[round % rings.count]
            let fields = round < 2 ? .finest : ReleaseFields.random(&random)
            let payload = try payload(ring, identities, fields)
            let again = try self.payload(ring, identities, fields)
            #expect(payload == again, "the same recording gives the same bytes")
            let frames = try ReleasePayload.read(payload)
            for frame in frames { try check(frame, fields) }
            if fields.motion == .tenth { checkSums(frames) }
        }
    }

    private func check(_ frame: OpenedBatch, _ fields: ReleaseFields) throws {
        #expect(frame.header.bootID.allSatisfy { $0 == 0 } && frame.header.wallOffset == 0)
        #expect(frame.header.flags == 0 && frame.predecessor.isEmpty && frame.signature.isEmpty)
        #expect(frame.demonstration == nil)
        #expect(frame.screen?.monitors.isEmpty ?? true)
        if fields.screen == .none { #expect(frame.screen == nil) }
        for device in frame.devices.values {
            #expect(device.name.isEmpty && device.axes.isEmpty && device.buttonMap.isEmpty)
            #expect(device.vendor == 0 && device.product == 0 && device.buttons == 0)
            if fields.device == .none { #expect(device.kind == .other) }
        }
        if fields.application == .none { #expect(frame.header.app.isEmpty) }
        let allowed = Set(fields.applications)
        for item in frame.items {
            let time = item.time.milliseconds
            #expect(time % fields.time.step == 0)
            switch (fields.place, item.pixel) {
            case (.none, let pixel): #expect(pixel == nil)
            case (.cell, let pixel?): #expect(pixel.x % 64 == 0 && pixel.y % 64 == 0)
            default: break
            }
            switch item.payload {
            case .focus(let app, let title):
                #expect(title == nil && fields.application != .none)
                if fields.application == .listed { #expect(allowed.contains(app)) }
            case .gap(let reason, let end, _):
                #expect(end.milliseconds % fields.time.step == 0)
                if fields.gaps == .bare { #expect(reason == .withheld) }
            case .input(.typing(let end)):
                #expect(fields.typing == .seconds)
                #expect(time % TypingRun.step == 0)
                #expect((end.milliseconds - time) % TypingRun.step == 0)
            case .input(.key(let key)):
                #expect(fields.keys == .named && key.keysym != 0)
                if fields.modifiers == .none { #expect(key.modifiers.isEmpty) }
                // A key that writes text is released only as a part of a chord.
                if key.keyClass.writesText {
                    #expect(!key.modifiers.isDisjoint(with: .command), "\(key.keyClass)")
                }
            case .input(.button): #expect(fields.buttons == .numbers)
            case .input(.scroll): #expect(fields.scroll == .notches)
            case .input(.motion):
                #expect(fields.motion != .none)
                if fields.motion == .tenth, fields.time == .millisecond { #expect(time % 100 == 0) }
            case .input(.axes), .input(.touch), .device, .screen, .demonstration:
                Issue.record("never released")
            }
        }
    }

    /// No two movements of one device directly behind each other lie in the same tenth of a second.
    private func checkSums(_ frames: [OpenedBatch]) {
        var last: OpenedItem?
        for item in frames.flatMap(\.items) {
            if case .input(.motion) = item.payload, let before = last,
                case .input(.motion) = before.payload, before.device == item.device
            {
                #expect(before.time != item.time || item.time.milliseconds % 1000 == 0)
            }
            last = item
        }
    }

    @Test func `a stranger reads a payload from the document alone`() throws {
        for (ring, identities, folder) in try rings() {
            let payload = try payload(ring, identities, .finest)
            let file = "\(folder.path)/payload-\(UInt32.random(in: 0...(.max)))"
            try Data(payload).write(to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let script = Program.root + "/Tests/MciTests/Release/released.py"
            let result = try Program.run("python3", [script, file])
            #expect(result.code == 0, "\(result.errors)")
            let items = try ReleasePayload.read(payload).flatMap(\.items)
            let objects = result.objects
            #expect(objects.count == items.count && !items.isEmpty)
            for (item, object) in zip(items, objects) {
                #expect(object["kind"] as? String == item.payload.name)
                #expect(object["time"] as? Int64 == item.time.milliseconds)
                #expect(object["x"] as? Int == item.pixel.map { Int($0.x) })
                switch item.payload {
                case .focus(let app, _): #expect(object["app"] as? String == app)
                case .gap(let reason, let end, _):
                    #expect(object["reason"] as? Int == Int(reason.rawValue))
                    let length = end.milliseconds - item.time.milliseconds
                    #expect(object["length"] as? Int64 == length)
                case .input(.key(let key)):
                    #expect(object["keysym"] as? UInt32 == key.keysym)
                    #expect(object["modifiers"] as? UInt8 == key.modifiers.rawValue)
                case .input(.motion(let dx, let dy)):
                    #expect(object["by"] as? [Int32] == [dx, dy])
                case .input(.typing): #expect(object["seconds"] as? Int64 == item.seconds)
                default: break
                }
            }
        }
    }

    @Test
    func `the example of a purpose fits its schema, and the schema refuses what the reader does`()
        throws
    {
        let folder = Program.root + "/Sources/Release"
        let script = """
            import json, sys
            sys.path.insert(0, sys.argv[1])
            import jsonschema
            schema = json.load(open(sys.argv[2]))
            text = open(sys.argv[3]).read()
            for word in ("AUTHORITY", "STEWARD", "READERS"):
                text = text.replace(f"@{word}@", f"{word.lower()}+00000000+" + "A" * 44)
            good = json.loads(text)
            check = jsonschema.Draft202012Validator(schema)
            assert check.is_valid(good), list(check.iter_errors(good))
            for key, value in (("days", 0), ("holders", ["keeper"]), ("id", "../x"), ("more", 1)):
                assert not check.is_valid({**good, key: value}), key
            for field, grade in (("place", "atom"), ("titles", "all"), ("application", "listed")):
                assert not check.is_valid({**good, "fields": {**good["fields"], field: grade}}), field
            for field, row in json.load(sys.stdin).items():
                assert schema["properties"]["fields"]["properties"][field]["enum"] == row, field
            """
        func grades<G: Grade>(_ type: G.Type) -> [String] { G.allCases.map(\.rawValue) }
        let all: [String: [String]] = [
            "time": grades(ReleaseFields.Time.self), "device": grades(ReleaseFields.Device.self),
            "typing": grades(ReleaseFields.Typing.self), "keys": grades(ReleaseFields.Keys.self),
            "modifiers": grades(ReleaseFields.Modifiers.self),
            "buttons": grades(ReleaseFields.Buttons.self),
            "motion": grades(ReleaseFields.Motion.self),
            "scroll": grades(ReleaseFields.Scroll.self),
            "application": grades(ReleaseFields.Application.self),
            "place": grades(ReleaseFields.Place.self), "screen": grades(ReleaseFields.Screen.self),
            "gaps": grades(ReleaseFields.Gaps.self),
        ]
        #expect(Set(all.keys) == Set(ReleaseFields.finest.rows.map(\.field)))
        let result = try Program.run(
            "python3",
            [
                "-c", script, Program.root + "/.build-python/jsonschema",
                folder + "/purpose.schema.json", folder + "/purpose.example.json",
            ],
            input: String(decoding: try JSONEncoder().encode(all), as: UTF8.self)
        )
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test func `what was typed does not leave, whatever detail was recorded`() throws {
        let words = ["correcthorse", "batterystaple", "wrongsecret"]
        for detail in [KeyDetail.full, .classes, .shortcuts] {
            let session = try ScriptedSession(detail: detail)
            session.focus("Editor")
            for word in words {
                session.type(word)
                session.pass(9000)
            }
            _ = try session.recorder.handle(.flush)
            let payload = try payload(
                session.folder.paths.ring,
                try identities(session.folder),
                .finest
            )
            let items = try ReleasePayload.read(payload).flatMap(\.items)
            let keys = items.contains {
                if case .input(.key) = $0.payload { true } else { false }
            }
            #expect(!keys, "\(detail)")
            let runs = items.compactMap { item -> Int64? in
                if case .input(.typing) = item.payload { item.seconds } else { nil }
            }
            #expect(runs.count == words.count && runs.allSatisfy { $0 >= 5 }, "\(detail) \(runs)")
        }
    }

    @Test func `two texts whose keys fall into the same steps leave alike`() throws {
        var random = SplitMix(seed: 5)
        func bytes(_ keysyms: [UInt32], at times: [Int64]) throws -> [UInt8] {
            var minimiser = try Minimiser(
                .finest,
                Recipe(grant: "", span: .init(from: 0, to: 1_000_000))
            )
            let header = BatchHeader(
                sequence: 1,
                bootID: [],
                wallOffset: 0,
                keyDetail: KeyDetail.full.code,
                base: EventTime(0)
            )
            for (keysym, time) in zip(keysyms, times) {
                for isDown in [true, false] {
                    let key = StoredKey(
                        isDown: isDown,
                        keyClass: .letter,
                        modifiers: [],
                        keysym: keysym
                    )
                    let item = OpenedItem(
                        time: EventTime(time + (isDown ? 0 : 30)),
                        device: 5,
                        payload: .input(.key(key))
                    )
                    let event = RecordedEvent(
                        item,
                        in: header,
                        isInjected: false,
                        after: WallTime(0)
                    )
                    minimiser.take(event, in: "Editor")
                }
            }
            return try #require(minimiser.finish().bytes)
        }
        for _ in 0..<300 {
            let first = 100_000 + Int64(random.next() % 5000)
            let last = 110_000 + Int64(random.next() % 5000)
            func text() -> ([UInt32], [Int64]) {
                var times = [first, last]
                var time = first
                while time + 1900 < last {
                    time += 100 + Int64(random.next() % 1800)
                    if time < last { times.append(time) }
                }
                times.sort()
                return (times.map { _ in 0x61 + UInt32(random.next() % 26) }, times)
            }
            let (one, two) = (text(), text())
            #expect(try bytes(one.0, at: one.1) == bytes(two.0, at: two.1))
        }
    }

    @Test func `what was cut out is not there, and is a gap`() throws {
        let session = try ScriptedSession(detail: .shortcuts)
        var middle: Int64 = 0
        for app in ["Editor", "Signal", "Editor"] {
            session.focus(app)
            if app == "Signal" { middle = session.now.wall.milliseconds }
            session.key(0xFF0D, down: true)
            session.key(0xFF0D, down: false)
            session.pass(60_000)
        }
        _ = try session.recorder.handle(.flush)
        let (ring, identities) = (session.folder.paths.ring, try identities(session.folder))
        func names(_ cut: (inout Recipe) -> Void) throws -> (
            apps: Set<String>, keys: Int, gaps: Int
        ) {
            let items = try ReleasePayload.read(
                try payload(ring, identities, .finest, cut: cut)
            ).flatMap(\.items)
            var result: (apps: Set<String>, keys: Int, gaps: Int) = ([], 0, 0)
            for item in items {
                switch item.payload {
                case .focus(let app, _): result.apps.insert(app)
                case .input(.key(let key)) where key.isDown: result.keys += 1
                case .gap(.withheld, _, _): result.gaps += 1
                default: break
                }
            }
            return result
        }
        let whole = try names { _ in }
        #expect(whole.apps == ["Editor", "Signal"] && whole.keys == 3 && whole.gaps == 0)
        let without = try names { $0.apps = ["signal"] }
        #expect(without.apps == ["Editor"] && without.keys == 2 && without.gaps == 1)
        let earlier = try names { $0.spans = [.init(from: middle, to: middle + 59_000)] }
        #expect(earlier.apps == ["Editor"] && earlier.keys == 2 && earlier.gaps == 1)
        let none = try names { $0.batches = Array(1...100) }
        #expect(none.apps.isEmpty && none.keys == 0)
        let short = try names { $0.span = .init(from: middle, to: middle + 59_000) }
        #expect(short.apps == ["Signal"] && short.keys == 1)
    }

    @Test func `a description comes before its first use, and again when it changes`() throws {
        let payload = ReleasePayload(keyDetail: .activity)
        let mouse = Device(name: "", kind: .mouse)
        func click(_ time: Int64, of device: Device) {
            let input = OpenedItem.Input.button(number: 1, isDown: true)
            let item = OpenedItem(time: EventTime(time), device: 1, payload: .input(input))
            payload.append(item, of: device)
        }
        payload.use(ScreenLayout(width: 800, height: 600))
        click(1, of: mouse)
        click(2, of: mouse)
        payload.use(ScreenLayout(width: 1920, height: 1080))
        click(3, of: Device(name: "", kind: .touchpad))
        payload.use(ScreenLayout(width: 800, height: 600))
        click(4, of: Device(name: "", kind: .touchpad))
        var seen: [String] = []
        var events = ReleasedEvents()
        try events.read(try #require(payload.finish())) { event in
            switch event.item.payload {
            case .screen(let screen): seen.append("\(screen.width)")
            case .device(let device): seen.append("\(device.kind)")
            default: seen.append("click")
            }
        }
        #expect(
            seen == [
                "800", "mouse", "click", "click", "1920", "touchpad", "click", "800", "click",
            ]
        )
    }

    @Test func `a damaged payload is refused and never traps`() throws {
        let rich = try RichRing.shared.get()
        let payload = try payload(rich.folder.paths.ring, try identities(rich.folder), .finest)
        #expect(payload.count % ReleasePayload.unit == 0)
        var random = SplitMix(seed: 9)
        for _ in 0..<300 {
            var changed = payload
            changed[Int(random.next() % UInt64(changed.count))] ^= 1 << UInt8(random.next() % 8)
            _ = try? ReleasePayload.read(changed)
            _ = try? ReleasePayload.read(Array(payload.prefix(Int(random.next() & 0xFFFF))))
        }
        #expect(throws: PackingError.self) { try ReleasePayload.read(Array(payload.dropLast())) }
        #expect(throws: PackingError.self) {
            try ReleasePayload.read(payload + [UInt8](repeating: 0, count: ReleasePayload.unit))
        }
    }

    @Test func `the stricter of two sets of fields is what both allow, in any order`() {
        var random = SplitMix(seed: 3)
        for _ in 0..<2000 {
            let (one, two) = (ReleaseFields.random(&random), ReleaseFields.random(&random))
            let both = one.stricter(two)
            #expect(both == two.stricter(one) || both.applications.count == 2)
            #expect(both.stricter(one) == both && both.stricter(two) == both)
            #expect(both.defect == nil && one.stricter(one) == one)
            for (row, (left, right)) in zip(both.rows, zip(one.rows, two.rows)) {
                #expect(
                    [left.grade, right.grade].contains(row.grade) || row.field == "application"
                )
            }
        }
    }
}
