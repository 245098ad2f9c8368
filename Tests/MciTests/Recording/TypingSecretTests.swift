// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Logging
import Packing
import Person
import Signing
import Storage
import Testing
import Timeline

@testable import Recording

/// What is stored of a text is a function of the steps of its first and its last key, and of nothing else.
@Suite struct TypingSecretTests {
    /// A key that goes down or up.
    private struct Stroke {
        var time: Int64
        var code: UInt8
        var isDown: Bool
        var keyClass: KeyClass
        var modifiers: Modifiers
        var keysym: UInt32
    }

    /// What a text may be made of: letters of several scripts, digits, signs, keys of the keypad, dead keys,
    /// Compose, keys of an unknown map, and what edits.
    private static let keys: [(KeyClass, UInt32)] = [
        (.letter, 0x61), (.letter, 0x7A), (.letter, 0x5D0), (.letter, 0x0100_0431), (.digit, 0x35),
        (.punctuation, 0x2E), (.space, 0x20), (.keypad, 0xFFB5), (.punctuation, 0xFE51),
        (.punctuation, 0xFF20), (.key, 0), (.other, 0xFF31), (.editing, 0xFF08), (.editing, 0xFFFF),
        (.navigation, 0xFF51), (.navigation, 0xFF57), (.navigation, 0xFF55), (.keypad, 0xFF95),
    ]
    private static let modifiers: [(UInt8, UInt32, Modifiers)] = [
        (50, 0xFFE1, .shift), (37, 0xFFE3, .control), (66, 0xFFE5, .lock), (108, 0xFE03, .level3),
        (200, 0xFE08, []),
    ]

    /// A text whose first and last keys come at given times, without a pause of two seconds.
    private static func text(
        from first: Int64,
        to last: Int64,
        _ random: inout SplitMix
    ) -> [Stroke] {
        var strokes: [Stroke] = []
        var time = first
        let pace = Int64.random(in: 30...1900, using: &random)
        while true {
            var (keyClass, keysym) = Self.keys.randomElement(using: &random) ?? (.letter, 0x61)
            // What edits does so behind text only: as the first key it would have its own name.
            if time == first { (keyClass, keysym) = (.letter, 0x62) }
            let edits = keyClass == .editing || keyClass == .navigation
            let shift = Bool.random(using: &random)
            let code = UInt8.random(in: 10...49, using: &random)
            let held = Int64.random(in: 5...90, using: &random)
            var with: Modifiers = shift ? .shift : []
            if edits, Bool.random(using: &random) { with.insert(.control) }
            let wrapped = Self.modifiers.randomElement(using: &random) ?? Self.modifiers[0]
            func stroke(_ at: Int64, _ code: UInt8, _ isDown: Bool, _ k: KeyClass, _ s: UInt32) {
                strokes.append(
                    Stroke(
                        time: at,
                        code: code,
                        isDown: isDown,
                        keyClass: k,
                        modifiers: with,
                        keysym: s
                    )
                )
            }
            let wraps = time > first && time < last && Int.random(in: 0..<3, using: &random) == 0
            if wraps { stroke(time, wrapped.0, true, .modifier, wrapped.1) }
            stroke(time, code, true, keyClass, keysym)
            let up = min(time + held, last + 60)
            stroke(up, code, false, keyClass, keysym)
            if wraps { stroke(up, wrapped.0, false, .modifier, wrapped.1) }
            if time == last { return strokes.sorted { $0.time < $1.time } }
            let step = Int64.random(in: 1...max(2, pace), using: &random)
            time =
                last - time <= 1900 && Int.random(in: 0..<4, using: &random) == 0
                ? last : min(last, time + step)
        }
    }

    /// What may come behind a text: Return, a click, or nothing.
    private static func ending(
        _ time: Int64,
        _ random: inout SplitMix
    ) -> [(Int64, RawEvent.Payload)] {
        func enter(_ isDown: Bool) -> RawEvent.Payload {
            .key(
                RawEvent.Key(
                    keycode: 36,
                    isDown: isDown,
                    keyClass: .editing,
                    modifiers: [],
                    keysym: 0xFF0D
                )
            )
        }
        return switch Int.random(in: 0..<3, using: &random) {
        case 0: [(time, enter(true)), (time + 70, enter(false))]
        case 1:
            [
                (time, .button(number: 1, isDown: true)),
                (time + 90, .button(number: 1, isDown: false)),
            ]
        default: []
        }
    }

    private static func stream(of payload: RawEvent.Payload) -> Events.InputStream {
        if case .key = payload { .keyboard } else { .pointer }
    }

    /// What happens beside the text, whatever it is.
    private struct Scene {
        var events: [(time: Int64, raw: RawEvent.Payload, stream: Events.InputStream)] = []
        var focus: [(time: Int64, app: String)] = []
        var end: Int64 = 0
        /// When the person asks for a flush.
        var flushes: [Int64] = []
    }

    private static let start: Int64 = 200_000

    private static func scene(after last: Int64, _ random: inout SplitMix) -> Scene {
        var scene = Scene()
        scene.end = last + 90_000
        var time = start - 3000
        let moves = Bool.random(using: &random)
        while time < scene.end {
            time +=
                moves
                ? .random(in: 1...400, using: &random) : .random(in: 3000...9000, using: &random)
            let payload: RawEvent.Payload =
                Int.random(in: 0..<10, using: &random) == 0
                ? .scroll(dx: 0, dy: 120) : .motion(dx: .random(in: -9...9, using: &random), dy: 1)
            scene.events.append((time, payload, .pointer))
        }
        let after = last + .random(in: 70...4000, using: &random)
        for (time, payload) in ending(after, &random) {
            scene.events.append((time, payload, stream(of: payload)))
        }
        if Int.random(in: 0..<4, using: &random) == 0 { scene.focus.append((after, "Terminal")) }
        if Bool.random(using: &random) {
            scene.flushes = (0..<3).map { _ in
                .random(in: last + 100...scene.end, using: &random)
            }
        }
        scene.events.sort { $0.time < $1.time }
        return scene
    }

    /// What a session tells: the plaintexts without their proofs, the status, the log, the accounts.
    private struct Told: Equatable {
        var plaintexts: [[UInt8]] = []
        var words: [String] = []
        var status: [String] = []
        var log: [String] = []
    }

    private static func record(_ text: [Stroke], _ scene: Scene) throws -> Told {
        let session = try ScriptedSession(detail: .shortcuts)
        session.focus("Editor")
        var steps: [(time: Int64, act: () throws -> Void)] = []
        for stroke in text {
            let key = RawEvent.Key(
                keycode: stroke.code,
                isDown: stroke.isDown,
                keyClass: stroke.keyClass,
                modifiers: stroke.modifiers,
                keysym: stroke.keysym
            )
            let raw = RawEvent(time: EventTime(stroke.time), device: 5, payload: .key(key))
            steps.append((stroke.time, { session.arrive(.input(raw, stream: .keyboard)) }))
        }
        for (time, payload, stream) in scene.events {
            let raw = RawEvent(
                time: EventTime(time),
                device: stream == .keyboard ? 5 : 6,
                payload: payload
            )
            steps.append((time, { session.arrive(.input(raw, stream: stream)) }))
        }
        for (time, app) in scene.focus { steps.append((time, { session.focus(app) })) }
        var told = Told()
        for time in scene.flushes {
            steps.append((time, { _ = try session.recorder.handle(.flush) }))
        }
        // In steps of the clock, so that those who ask see whole steps alone.
        for time in stride(from: Self.start, through: scene.end, by: 5000) {
            steps.append(
                (
                    time + 4999,
                    {
                        let status = try session.recorder.handle(.getStatus).status
                        guard let status else { return }
                        let events = status.events
                        told.status.append(
                            "\(status.lastStored ?? "–") \(events.seen) \(events.admitted) \(events.suppressed)"
                        )
                    }
                )
            )
        }
        for step in steps.sorted(by: { $0.time < $1.time }) {
            session.pass(step.time - session.now.monotonic.milliseconds)
            try step.act()
        }
        session.pass(scene.end + 10_000 - session.now.monotonic.milliseconds)
        session.recorder.stop()
        let identity = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let opener = BatchOpener(Identity.list(identity) ?? [])
        let ring = try RingReader(path: session.folder.paths.ring)
        for entry in try ring.entries() {
            guard let sealed = try ring.sealed(entry), case .opened(let batch) = opener.open(sealed)
            else { continue }
            told.plaintexts.append(batch.signed.dropLast(BatchLayout.digestSize))
        }
        told.words = try session.words()
        told.log = session.log.entries.map { entry in
            let fields = entry.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(entry.level) \(entry.message) \(fields)"
        }
        return told
    }

    @Test func `two texts whose first and last keys fall into the same steps are stored alike`()
        throws
    {
        var random = SplitMix(seed: 17)
        for round in 0..<(isProof ? 400 : 30) {
            let steps = Int64.random(in: 0...(round % 3 == 0 ? 30 : 4), using: &random)
            let first = Self.start + 5000 * .random(in: 0...2, using: &random)
            let texts = (0..<2).map { _ -> [Stroke] in
                let begin = first + .random(in: 0..<2400, using: &random)
                let last = first + 5000 * steps + .random(in: 2500..<5000, using: &random)
                return Self.text(from: begin, to: last, &random)
            }
            let scene = Self.scene(after: first + 5000 * (steps + 1), &random)
            let (one, two) = (try Self.record(texts[0], scene), try Self.record(texts[1], scene))
            #expect(one.words == two.words, "round \(round)")
            #expect(one.plaintexts == two.plaintexts, "round \(round)")
            #expect(one.status == two.status, "round \(round)")
            #expect(one.log == two.log, "round \(round)")
            #expect(one.words.contains { $0.hasPrefix("typing ") })
            if one != two { break }
        }
    }

    // MARK: Many pairs

    /// Gate and open batch of the recorder, without a ring.
    private struct Bench: ~Copyable {
        var path: Pipeline

        init(_ folder: TemporaryFolder) {
            let moment = Moment(monotonic: EventTime(0), boottime: 0, wall: WallTime(0))
            let environment = Recorder.Environment(
                paths: folder.paths,
                clock: { moment },
                bootID: [UInt8](repeating: 7, count: 16),
                version: "test",
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            path = Pipeline(environment, HighWaterKeeper(folder.paths.highWater))
            path.openBatch.mayStore = true
            path.openBatch.use(.shortcuts)
        }

        private mutating func set(isPaused: Bool, _ time: Int64) {
            var conditions = GateRig.open
            (conditions.keyDetail, conditions.isPaused) = (.shortcuts, isPaused)
            path.set(conditions, at: EventTime(time))
        }

        /// What is stored of a text, as bytes; what comes around it is the same for all.
        mutating func bytes(_ text: [Stroke], in scene: [(Int64, RawEvent)]) -> [UInt8] {
            set(isPaused: false, scene[0].0)
            for stream in Events.InputStream.allCases {
                path.take(.context(.app("Editor"), stream: stream, at: EventTime(scene[0].0)))
            }
            var strokes = text[...]
            for (time, raw) in scene {
                while let next = strokes.first, next.time <= time {
                    strokes.removeFirst()
                    let key = RawEvent.Key(
                        keycode: next.code,
                        isDown: next.isDown,
                        keyClass: next.keyClass,
                        modifiers: next.modifiers,
                        keysym: next.keysym
                    )
                    let event = RawEvent(
                        time: EventTime(next.time),
                        device: 5,
                        payload: .key(key)
                    )
                    path.take(.input(event, stream: .keyboard))
                }
                path.take(.input(raw, stream: stream(of: raw.payload)))
                // The pointer alone is in a window of which nobody knows, for one movement.
                guard case .motion(_, 3) = raw.payload else { continue }
                path.take(.context(.unknown, stream: .pointer, at: EventTime(time)))
                path.take(.input(raw, stream: .pointer))
                path.take(.context(.app("Editor"), stream: .pointer, at: EventTime(time)))
            }
            set(isPaused: true, scene[scene.count - 1].0)
            let bytes = path.openBatch.builder.pack()?.withPlaintext { Array($0) } ?? []
            let end = Moment(monotonic: EventTime(0), boottime: 0, wall: WallTime(0))
            path.openBatch.flush(at: end, closing: true)
            return bytes
        }
    }

    /// Movements before, between and after, and what ends the text or nothing.
    private static func surroundings(
        _ first: Int64,
        _ last: Int64,
        _ random: inout SplitMix
    ) -> [(Int64, RawEvent)] {
        var events: [(Int64, RawEvent)] = []
        func add(_ time: Int64, _ device: UInt8, _ payload: RawEvent.Payload) {
            let raw = RawEvent(time: EventTime(time), device: device, payload: payload)
            events.append((time, raw))
        }
        var time = first - 1
        // A finger that lies on the glass meanwhile ends nothing.
        func finger(_ phase: Touch.Phase) -> RawEvent.Payload {
            .touch(Touch(finger: 0, phase: phase, values: AxisValues()))
        }
        add(first - 1, 7, finger(.down))
        while time < last + 9000 {
            let isFinger = Int.random(in: 0..<4, using: &random) == 0
            add(
                time,
                isFinger ? 7 : 6,
                isFinger ? finger(.move) : .motion(dx: 1, dy: .random(in: -3...3, using: &random))
            )
            time += .random(in: 300...2500, using: &random)
        }
        let after = last + .random(in: 61...3000, using: &random)
        for (time, payload) in ending(after, &random) {
            add(time, stream(of: payload) == .keyboard ? 5 : 6, payload)
        }
        return events.sorted { $0.0 < $1.0 }
    }

    @Test func `random pairs of texts of the same steps give the same bytes`() throws {
        let folder = try TemporaryFolder()
        var one = Bench(folder)
        var two = Bench(folder)
        var random = SplitMix(seed: 1017)
        var (time, wrong, sizes): (Int64, Int, Set<Int>) = (1_000_000, 0, [])
        let pairs = isProof ? 1_000_000 : 500
        for _ in 0..<pairs {
            let steps = Int64.random(in: 0...3, using: &random)
            let texts = (0..<2).map { _ in
                Self.text(
                    from: time + .random(in: 0..<2400, using: &random),
                    to: time + 5000 * steps + .random(in: 2500..<5000, using: &random),
                    &random
                )
            }
            let scene = Self.surroundings(time, time + 5000 * (steps + 1), &random)
            let stored = (one.bytes(texts[0], in: scene), two.bytes(texts[1], in: scene))
            if stored.0 != stored.1 || stored.0.isEmpty { wrong += 1 }
            sizes.insert(texts[0].count)
            time += 60_000
        }
        print("pairs of texts: \(pairs), of \(sizes.count) lengths; \(wrong) stored unlike")
        #expect(wrong == 0)
        // A letter more or less in another step shows: the comparison can fail.
        let late = Self.text(from: time, to: time + 11_000, &random)
        let early = late.filter { $0.time < time + 4000 }
        let scene = Self.surroundings(time, time + 15_000, &random)
        #expect(one.bytes(late, in: scene) != two.bytes(early, in: scene))
    }
}
