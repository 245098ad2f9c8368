// SPDX-License-Identifier: Apache-2.0
//
// Has the recorder store what a plan says somebody did: mci-attack-typist HOME DETAIL [MIB] < PLAN
// A line of the plan is `MS CLASS KEYSYM DOWN`: milliseconds, a letter for the class of the key (l letter,
// d digit, p punctuation, s space, n a key that writes nothing, m modifier, b a button), keysym or button,
// 1 for down. Gate, batches, seals and ring are the daemon's; the clock and the X server are not.

import Capture
import Control
import Events
import Foundation
import Gate
import Logging
import Person
import Recording
import Signing
import System
import Timeline

/// A clock that is moved, and the events that stand at the X server.
final class World: EventSource {
    static let wall: Int64 = 1_800_000_000_000
    var now: Int64 = 100_000
    var waiting: [CaptureEvent] = []
    private var isConnected = false

    var moment: Moment {
        let wall = WallTime(Self.wall + now)
        return Moment(monotonic: EventTime(now), boottime: now, wall: wall)
    }

    var descriptors: [Int32] { isConnected ? [-1] : [] }
    var promptDescriptors: [Int32] { [] }
    var urgentDescriptors: [Int32] { [] }
    var isDragging: Bool { false }
    var lookDue: Int64? { nil }
    func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {}
    func connect() throws(CaptureError) { isConnected = true }
    func disconnect() { isConnected = false }

    func drain(
        now: EventTime,
        into sink: inout some CaptureSink & ~Copyable
    ) throws(CaptureError) -> Int {
        defer { waiting.removeAll(keepingCapacity: true) }
        for event in waiting { sink.take(event) }
        return waiting.count
    }
}

let words = CommandLine.arguments
guard words.count > 2, let detail = KeyDetail(rawValue: words[2]) else {
    print("usage: mci-attack-typist HOME DETAIL [MIB] < PLAN")
    exit(64)
}
let home = words[1]
let size = (words.count > 3 ? Int(words[3]) : nil) ?? 4
let paths = Paths(environment: ["HOME": home, "XDG_RUNTIME_DIR": home + "/run"])
let identity = Identity()
try Disk.write(Array(identity.file(createdAt: WallTime(0)).utf8), to: paths.identity)
try Disk.write(Array("\(identity.recipient)\n".utf8), to: paths.recipients)
let key = try DeviceKeyFile.readOrMake(paths.deviceKey)
let world = World()

/// `classes` and `full` end after eight hours: they are chosen again.
@MainActor func choose() throws {
    var settings = PersonSettings()
    // No device is described, so that the keys may be a program's.
    settings.syntheticKeys = true
    settings.ringSize = size << 20
    settings.retention = 3650 * 86_400
    settings.choose(detail, at: world.moment.wall)
    try SettingsFile(paths.settings).write(settings)
}

try choose()
let recorder = Recorder(
    world,
    Recorder.Environment(
        paths: paths,
        clock: { world.moment },
        bootID: [UInt8](repeating: 7, count: 16),
        version: "attack",
        log: Logger(label: "attack") { _ in SwiftLogNoOpLogHandler() },
        isSynchronised: { true }
    )
)
try recorder.start()
let receipt = Consent.receipt(
    at: world.moment.wall,
    recipients: [identity.recipient],
    deviceKey: key.verifier.text,
    method: "attack",
    ring: paths.ring
)
_ = try recorder.handle(.consent(receipt))

/// Lets time pass, with a tick whenever the recorder asks for one.
@MainActor func pass(until time: Int64) {
    while let due = recorder.deadline, due <= time {
        world.now = max(due, world.now + 1)
        recorder.tick()
    }
    world.now = max(world.now, time)
}

@MainActor func arrive(_ event: CaptureEvent) {
    world.waiting.append(event)
    recorder.sourceBecameReadable()
}

for stream in Events.InputStream.allCases {
    arrive(.context(.app("Browser"), stream: stream, at: EventTime(world.now)))
}
let classes: [String: KeyClass] = [
    "l": .letter, "d": .digit, "p": .punctuation, "s": .space, "n": .editing, "m": .modifier,
]
var chosen = world.now
while let line = readLine() {
    let words = line.split(separator: " ")
    guard words.count == 4, let time = Int64(words[0]), let code = UInt32(words[2]) else {
        print("not a line of a plan: \(line)")
        exit(65)
    }
    pass(until: time)
    if detail.revealsText, world.now - chosen > 6 * 3_600_000 {
        chosen = world.now
        try choose()
        _ = try recorder.handle(.reload)
    }
    let isDown = words[3] == "1"
    guard let keyClass = classes[String(words[1])] else {
        let payload = RawEvent.Payload.button(number: UInt8(clamping: code), isDown: isDown)
        let raw = RawEvent(time: EventTime(time), device: 6, payload: payload)
        arrive(.input(raw, stream: .pointer))
        continue
    }
    let key = RawEvent.Key(
        keycode: UInt8(8 + code % 240),
        isDown: isDown,
        keyClass: keyClass,
        modifiers: [],
        keysym: code
    )
    let raw = RawEvent(time: EventTime(time), device: 5, payload: .key(key))
    arrive(.input(raw, stream: .keyboard))
}
pass(until: world.now + 20_000)
recorder.stop()
print(recorder.status.events.seen)
