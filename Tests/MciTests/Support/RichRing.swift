// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Events
import Foundation
import Gate
import Packing
import Person
import Query
import Recording
import Report
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// A ring of three uneven days: every reason for a gap, several devices, two desktops, names that would
/// be markup, a clock that was set, injected input, and batches that were erased.
///
/// A real recorder makes it from a fixed seed; only the reasons that nobody can bring about at will are
/// added to the ring afterwards.
final class RichRing {
    /// Names of applications, some of which a page or a terminal might obey.
    static let apps = [
        "Editor", "Mail", "<script>alert(1)</script>", "a\"b'c&d", "\u{202E}evil\u{1B}[31m",
        "Büro 日本語", "$(rm -rf ~)", "-f",
    ]

    /// One ring for all tests, which only read it.
    // Made once, and no test changes it.
    nonisolated(unsafe) static let shared = Result { try RichRing() }

    let folder: TemporaryFolder
    private var session: ScriptedSession
    private var random = SplitMix(seed: 23)

    init() throws {
        let session = try ScriptedSession(detail: .shortcuts, syntheticKeys: false)
        (self.session, folder) = (session, session.folder)
        try day(0)
        try night()
        try day(1)
        try night()
        try day(2)
        self.session.recorder.stop()
        try addOthers()
    }

    /// The events of one day, each part followed by something that stops it.
    private func day(_ number: Int) throws {
        describe(number)
        let stops = [
            paused, locked, away, grabbed, unknown, exempted, excluded, hidden, disconnected,
            suspended, full, forgotten, clock,
        ]
        for part in 0..<(number == 1 ? 4 : 16) {
            session.focus(Self.apps[Int(random.next() % UInt64(Self.apps.count))])
            for _ in 0..<(20 + random.next() % 60) { try input() }
            if number == 0 { if part < stops.count { try stops[part]() } }
            session.pass(Int64(random.next() % 240_000))
        }
        _ = try session.recorder.handle(.flush)
    }

    private func describe(_ day: Int) {
        var program = Device(name: "Virtual core XTEST pointer", kind: .mouse)
        program.isInjected = true
        session.arrive(
            .devices([
                5: Device(name: "AT <keyboard>", kind: .keyboard),
                6: Device(name: day == 2 ? "" : "Mouse", kind: .mouse, vendor: 7, buttons: 5),
                7: program, 8: Device(name: "Pen \u{1B}[31m", kind: .tablet),
            ])
        )
        var screen = ScreenLayout(width: 2560, height: 1024)
        screen.monitors = [.init(x: 0, y: 0, width: 1280, height: 1024)]
        if day > 0 { screen.monitors.append(.init(x: 1280, y: 100, width: 1280, height: 800)) }
        session.arrive(.screen(screen))
    }

    private func send(
        _ payload: RawEvent.Payload,
        _ device: UInt8 = 6,
        pixel: Pixel? = nil
    ) {
        var event = RawEvent(time: session.now.monotonic, device: device, payload: payload)
        event.pixel = pixel
        session.arrive(.input(event, stream: .pointer))
    }

    private func input() throws {
        let pixel = Pixel(
            x: Int16(random.next() % 2560 / (random.next() % 4 + 1)),
            y: Int16(random.next() % 1024)
        )
        switch random.next() % 12 {
        case 0: session.type("hello")
        case 1:
            session.key(0x63, down: true, modifiers: .control)
            session.pass(30)
            session.key(0x63, down: false, modifiers: .control)
        case 2:
            session.key(0xFF0D, down: true)
            session.key(0xFF0D, down: false)
        case 3, 4:
            let place = random.next() % 5 == 0 ? nil : pixel
            send(.button(number: 1, isDown: true), pixel: place)
            session.pass(40)
            send(.button(number: 1, isDown: false), pixel: place)
        case 5: send(.scroll(dx: 0, dy: 120), pixel: random.next() % 2 == 0 ? pixel : nil)
        case 6: send(.motion(dx: 3, dy: -4), 7)
        case 7:
            var values = AxisValues()
            values[0] = 40
            send(.axes(values), 8)
        default: send(.motion(dx: Int32(random.next() % 40) - 20, dy: Int32(random.next() % 40)))
        }
        session.pass(Int64(random.next() % 3000))
    }

    // MARK: What stops it

    private func paused() throws {
        _ = try session.pause(seconds: 300)
        session.pass(301_000)
    }

    private func locked() throws { try attend("locked") }

    private func away() throws { try attend("away") }

    private func attend(_ word: String) throws {
        _ = try session.recorder.handle(.attend(.init(closed: [word], leaseMs: 60_000)))
        session.pass(50_000)
        _ = try session.recorder.handle(.attend(.init(closed: [], leaseMs: 60_000)))
        _ = try session.recorder.handle(.leave)
    }

    private func grabbed() throws {
        session.arrive(.context(.grabbed, stream: .keyboard, at: session.now.monotonic))
        session.pass(20_000)
    }

    private func unknown() throws {
        for stream in InputStream.allCases {
            session.arrive(.context(.unknown, stream: stream, at: session.now.monotonic))
        }
        send(.motion(dx: 1, dy: 1))
        session.pass(30_000)
    }

    private func exempted() throws {
        _ = try session.recorder.handle(.exempt(ExemptCall(scope: Scope(app: "Secret"))))
        session.focus("Secret")
        send(.motion(dx: 1, dy: 1))
        session.pass(45_000)
    }

    private func excluded() throws {
        session.focus("KeePassXC")
        send(.motion(dx: 1, dy: 1))
        session.pass(45_000)
    }

    private func hidden() throws {
        session.source.setMark(isSeen: false, at: session.now.monotonic)
        session.pass(15_000)
        session.source.setMark(isSeen: true, at: session.now.monotonic)
        session.pass(1000)
    }

    private func disconnected() throws {
        session.source.failure = CaptureError(.connectionLost)
        send(.motion(dx: 1, dy: 1))
        session.pass(10_000)
        session.source.failure = nil
        session.pass(10_000)
    }

    private func suspended() throws {
        session.now.boottime += 7_200_000
        session.now.wall.milliseconds += 7_200_000
        session.pass(5000)
    }

    private func full() throws {
        session.disk.space = (1000, 1 << 41)
        session.pass(60_000)
        session.disk.space = (1 << 40, 1 << 41)
        session.pass(60_000)
    }

    private func forgotten() throws {
        let now = session.now.wall
        for _ in 0..<100 { try input() }
        let reply = try session.recorder.handle(.forget(.init(since: now.text, until: now.text)))
        try #require(reply.batches ?? 0 > 0)
    }

    private func clock() throws {
        session.now.wall.milliseconds += 1_800_000
        session.pass(10_000)
    }

    /// The machine is off until the next morning, which is another boot.
    private func night() throws {
        session.recorder.stop()
        var now = session.now
        now.wall.milliseconds += 80_000_000
        (now.monotonic, now.boottime) = (EventTime(50_000), 50_000)
        session = try ScriptedSession(in: folder, at: now, bootID: UInt8(random.next() % 200))
    }

    /// The reasons for which nothing above stops it.
    private func addOthers() throws {
        let key = try #require(DeviceKeyFile.read(folder.paths.deviceKey))
        let marks = HighWaterKeeper(folder.paths.highWater)
        marks.look(key.verifier)
        var setting = Ring.Setting(
            cap: 3 << 20,
            key: key,
            clocks: .init(
                wall: session.now.wall.milliseconds,
                boottime: session.now.boottime,
                monotonic: session.now.monotonic.milliseconds,
                bootID: [UInt8](repeating: 9, count: 16),
                isSynchronised: true
            )
        )
        setting.marks = marks.marks
        let ring = try Ring.open(folder.paths.ring, setting, retention: 7 * 86_400_000)
        try ring.rebuildToEnd()
        let known = Set(try facts().omissions.keys.map(\.reason))
        var builder = BatchBuilder()
        builder.begin(
            BatchHeader(
                sequence: ring.nextSequence,
                bootID: [UInt8](repeating: 9, count: 16),
                wallOffset: session.now.wallOffset,
                keyDetail: 5,
                base: session.now.monotonic
            )
        )
        var time = session.now.monotonic.milliseconds
        for reason in GapReason.allCases where !known.contains(reason) {
            let gap = Gap(reason: reason, from: EventTime(time), to: EventTime(time + 2500))
            builder.append(.gap(gap))
            time += 1500
        }
        guard let batch = builder.pack() else { throw PackingError(.badFrame) }
        let reader = try #require(Recipient(try identity.recipient))
        try ring.put(try Sealer([reader], signedBy: key).seal(batch, after: ring.head.digest))
    }

    // MARK: Reading

    var identity: Identity {
        get throws {
            let text = try String(contentsOfFile: folder.paths.identity, encoding: .utf8)
            return try #require(Identity.list(text)?.first)
        }
    }

    /// What is counted of a period.
    func facts(_ range: ClosedRange<Int64> = 0...Int64.max / 4) throws -> RecordingFacts {
        let reader = TimelineReader(try RingReader(path: folder.paths.ring), [try identity])
        var tally = Tally(range)
        let summary = try reader.read(range, onBatch: { tally.begin($0) }) {
            tally.take($0)
            return true
        }
        return tally.facts(summary)
    }

    /// The same ring in SQL.
    func query() throws -> QuerySession {
        try QuerySession(BatchSource(path: folder.paths.ring, identities: [try identity]))
    }
}
