// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Logging
import Packing
import Person
import Policy
import Recording
import Sealing
import Signing
import Storage
import System
import Timeline

/// A source of events that a test scripts.
final class ScriptedSource: EventSource {
    private(set) var isConnected = false
    private(set) var connections = 0
    var failure: CaptureError?
    var willDisconnect: () -> Void = {}
    private var queue: [CaptureEvent] = []
    /// The context of each stream that was emitted last, and whether it must be emitted again.
    private var contexts: [Events.InputStream: AppContext] = [:]
    private var mustRepeat = false

    var descriptors: [Int32] { isConnected ? [-1] : [] }
    var promptDescriptors: [Int32] { [] }
    var urgentDescriptors: [Int32] { [] }
    var isDragging: Bool { false }
    /// Moved on with each reading.
    var lookDue: Int64?
    private(set) var readings: [Int64] = []
    private(set) var isTitleNeeded: (WindowFacts) -> Bool = { _ in false }

    private(set) var askers = SecretAskers()

    func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) { isTitleNeeded = isNeeded }

    func lookFor(_ askers: SecretAskers) { self.askers = askers }

    func connect() throws(CaptureError) {
        if let failure { throw failure }
        isConnected = true
        connections += 1
    }

    func disconnect() {
        if isConnected { willDisconnect() }
        isConnected = false
        (queue, contexts) = ([], [:])
    }

    func repeatContexts() { mustRepeat = true }

    private(set) var mark: MarkReport?
    private var markChanges: [MarkChange] = []

    func takeMarkChanges() -> [MarkChange] {
        defer { markChanges = [] }
        return markChanges
    }

    /// From here on the mark can be seen or not, as the next reading finds.
    func setMark(isSeen: Bool, at time: EventTime) {
        mark = MarkReport(
            isSeen: isSeen,
            since: time,
            cause: isSeen ? nil : .covered,
            monitors: 1,
            hasGivenUp: false
        )
        markChanges.append(MarkChange(isSeen: isSeen, at: time))
        lookDue = time.milliseconds
    }

    /// An event arrives; without a connection it does not.
    func arrive(_ event: CaptureEvent) {
        if isConnected { queue.append(event) }
    }

    func drain(
        now: EventTime,
        into sink: inout some CaptureSink & ~Copyable
    ) throws(CaptureError) -> Int {
        if let failure {
            disconnect()
            throw failure
        }
        if mustRepeat {
            let floor = EventTime(readings.last ?? now.milliseconds)
            for (stream, context) in contexts {
                sink.take(.context(context, stream: stream, at: floor))
            }
        }
        mustRepeat = false
        readings.append(now.milliseconds)
        if let due = lookDue, due <= now.milliseconds { lookDue = nil }
        let events = queue
        queue = []
        for event in events {
            if case .context(let context, let stream, _) = event { contexts[stream] = context }
            sink.take(event)
        }
        return events.count
    }
}

/// A clock that stands still unless it is moved.
private final class ScriptedClock {
    var now = Moment(
        monotonic: EventTime(100_000),
        boottime: 100_000,
        wall: WallTime(1_800_000_000_000)
    )
}

/// A disk with as much space as a test says.
final class ScriptedDisk {
    var space: (free: Int64, whole: Int64)? = (1 << 40, 1 << 41)
}

/// A kernel that calls the clock synchronised or not, as a test says.
final class ScriptedKernel {
    var isSynchronised = true
}

/// The recorder as in the daemon, with a scripted source, a clock that stands still unless moved,
/// and real files.
final class ScriptedSession {
    let folder: TemporaryFolder
    let source = ScriptedSource()
    let log: InMemoryLogHandler
    let recorder: Recorder
    private let clock: ScriptedClock
    let disk = ScriptedDisk()
    let kernel: ScriptedKernel

    var now: Moment {
        get { clock.now }
        set { clock.now = newValue }
    }

    /// Starts a recorder, in the home of a previous one and at the moment where that one ended, or
    /// in a home of its own.
    convenience init(
        consents: Bool = true,
        after previous: ScriptedSession? = nil,
        bootID: UInt8 = 7,
        isSynchronised: Bool = true,
        confinement: Confinement = Confinement(),
        detail: KeyDetail = .classes,
        syntheticKeys: Bool = true,
        isInMemory: Bool = false
    ) throws {
        let folder = try previous?.folder ?? TemporaryFolder(isInMemory: isInMemory)
        if previous == nil { try Self.makeKey(folder.paths, detail, syntheticKeys) }
        try self.init(
            in: folder,
            at: previous?.now,
            bootID: bootID,
            isSynchronised: isSynchronised,
            confinement: confinement
        )
        if consents, previous == nil { try consent() }
    }

    /// Starts a recorder in a home that is there.
    init(
        in folder: TemporaryFolder,
        at now: Moment?,
        bootID: UInt8 = 7,
        isSynchronised: Bool = true,
        confinement: Confinement = Confinement()
    ) throws {
        self.folder = folder
        let kernel = ScriptedKernel()
        kernel.isSynchronised = isSynchronised
        self.kernel = kernel
        let clock = ScriptedClock()
        if let now { clock.now = now }
        self.clock = clock
        let handler = InMemoryLogHandler()
        log = handler
        var paths = folder.paths
        paths.policy = PolicyFile("\(folder.path)/policy.json")
        recorder = Recorder(
            source,
            Recorder.Environment(
                paths: paths,
                clock: { clock.now },
                bootID: [UInt8](repeating: bootID, count: 16),
                version: "test",
                log: Logger(label: "test") { _ in handler },
                space: { [disk] _ in disk.space },
                // UTC; 1970 began on a Thursday.
                weekMinute: { time in
                    let minutes = Int(time.milliseconds / 60_000)
                    return WeekMinute(day: (minutes / 1440 + 3) % 7, minuteOfDay: minutes % 1440)
                },
                isSynchronised: { kernel.isSynchronised },
                confinement: confinement
            )
        )
        try recorder.start()
    }

    private static func makeKey(
        _ paths: Paths,
        _ detail: KeyDetail,
        _ syntheticKeys: Bool
    ) throws {
        let identity = Identity()
        let file = identity.file(createdAt: WallTime(0))
        try Disk.write(Array(file.utf8), to: paths.identity)
        try Disk.write(Array("\(identity.recipient)\n".utf8), to: paths.recipients)
        _ = try DeviceKeyFile.readOrMake(paths.deviceKey)
        var settings = PersonSettings()
        settings.ringSize = 3 << 20
        // Most tests describe no device, so that programs may have made their keys.
        settings.syntheticKeys = syntheticKeys
        // Each key by itself, for longer than a test lasts; runs of text have tests of their own.
        // Also where the clock is set back by an hour.
        settings.choose(detail, at: WallTime(1_800_000_000_000 - 3_700_000))
        try SettingsFile(paths.settings).write(settings)
    }

    /// Has a key detail in force, for eight hours where it tells of text.
    func use(_ detail: KeyDetail) throws {
        var settings = try SettingsFile(folder.paths.settings).read()
        settings.choose(detail, at: now.wall)
        try SettingsFile(folder.paths.settings).write(settings)
        _ = try recorder.handle(.reload)
    }

    /// Lets time pass on all clocks, a tick whenever the recorder asks for one.
    func pass(_ milliseconds: Int64) {
        let end = now.monotonic.milliseconds + milliseconds
        while now.monotonic.milliseconds < end {
            let wall = recorder.wallDeadline.map { $0.milliseconds - now.wallOffset }
            let long = recorder.longDeadline.map { $0 - now.boottime + now.monotonic.milliseconds }
            let next = [recorder.deadline, wall, long].compactMap(\.self).min()
            let due = next.map { max($0, now.monotonic.milliseconds + 1) } ?? end
            advance(min(due, end) - now.monotonic.milliseconds)
            recorder.tick()
        }
    }

    func advance(_ milliseconds: Int64) {
        now.monotonic.milliseconds += milliseconds
        now.boottime += milliseconds
        now.wall.milliseconds += milliseconds
    }

    /// Something arrives now, and the loop notices.
    func arrive(_ event: CaptureEvent) {
        source.arrive(event)
        if !recorder.descriptors.isEmpty { recorder.sourceBecameReadable() }
    }

    func focus(_ app: String) {
        for stream in InputStream.allCases {
            arrive(.context(.app(app), stream: stream, at: now.monotonic))
        }
    }

    func key(_ keysym: UInt32, down: Bool, modifiers: Modifiers = [], device: UInt8 = 5) {
        let key = RawEvent.Key(
            keycode: UInt8(truncatingIfNeeded: keysym),
            isDown: down,
            keyClass: (0x61...0x7A).contains(keysym) ? .letter : .function,
            modifiers: modifiers,
            keysym: keysym
        )
        let raw = RawEvent(time: now.monotonic, device: device, payload: .key(key))
        arrive(.input(raw, stream: .keyboard))
    }

    /// Types lower-case letters, a key every 10 ms.
    func type(_ text: String) {
        for letter in text.utf8 {
            key(UInt32(letter), down: true)
            pass(5)
            key(UInt32(letter), down: false)
            pass(5)
        }
    }

    /// The public half of the recorder's key.
    var deviceKey: String { DeviceKeyFile.read(folder.paths.deviceKey)?.verifier.text ?? "" }

    func consent() throws {
        let receipt = Consent.receipt(
            at: now.wall,
            recipients: Disk.lines(folder.paths.recipients),
            deviceKey: deviceKey,
            method: "test",
            ring: folder.paths.ring,
            under: try PolicyFile("\(folder.path)/policy.json").read()
        )
        _ = try recorder.handle(.consent(receipt))
    }

    func pause(seconds: Int? = nil, forgetting: Int? = nil) throws -> ControlReply {
        try recorder.handle(.pause(.init(seconds: seconds, forgetSeconds: forgetting)))
    }

    /// Puts a policy into force, or takes it away.
    func usePolicy(_ text: String?) throws {
        let path = "\(folder.path)/policy.json"
        guard let text else { return Disk.remove(path) }
        try Disk.write(Array(text.utf8), to: path)
    }

    /// Everything stored, opened with the person's key.
    func stored() throws -> [RecordedEvent] {
        guard FileManager.default.fileExists(atPath: folder.paths.ring) else { return [] }
        let text = try String(contentsOfFile: folder.paths.identity, encoding: .utf8)
        let reader = TimelineReader(
            try .init(path: folder.paths.ring),
            Identity.list(text) ?? []
        )
        var events: [RecordedEvent] = []
        _ = try reader.read(0...Int64.max / 4) {
            events.append($0)
            return true
        }
        return events
    }

    /// The stored events in short words, for comparison.
    func words() throws -> [String] {
        try stored().map { $0.words }
    }
}

extension Disk {
    /// The lines of a text file.
    static func lines(_ path: String) -> [String] {
        let bytes = (try? read(path)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension RecordedEvent {
    /// `a down`, `letter up`, `gap paused 60000`, …: what the item says, without its time.
    var words: String {
        switch item.payload {
        case .input(.key(let key)):
            "\(key.keysym == 0 ? key.keyClass.name : KeysymName.of(key.keysym)) \(key.isDown ? "down" : "up")"
        case .input(let input):
            ([input.name] + EventField.allCases.compactMap { item.value(of: $0)?.plain })
                .joined(separator: " ")
        case .device(let device): "device \(item.device) \(device.kind.name) \(device.name)"
        case .screen(let screen): "screen \(screen.width)x\(screen.height)"
        case .demonstration(let demonstration):
            "demonstration \(demonstration.name) \(demonstration.outcome?.name ?? "begins")"
        case .focus(let app, let title): "focus \(app)" + (title.map { " \($0)" } ?? "")
        case .gap(let reason, _, let stream):
            "gap \(reason.name) \(end.milliseconds - time.milliseconds)"
                + (stream.map { " \($0)" } ?? "")
        }
    }
}

extension FieldValue {
    /// The value as text, in the units in which it is stored.
    var plain: String {
        switch self {
        case .word(let word): word
        case .number(let number): "\(number)"
        case .notches(let amount): "\(amount)"
        case .modifiers(let modifiers): modifiers.words.joined(separator: "+")
        case .axes(let values): values.words
        }
    }
}
