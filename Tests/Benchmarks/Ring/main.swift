// SPDX-License-Identifier: Apache-2.0
//
// What writing and reading the ring costs: mci-ring-bench FOLDER [MiB of the ring that is read [read]]

import Events
import Export
import Foundation
import Gate
import Packing
import Report
import Sealing
import Signing
import Storage
import System
import Timeline

/// CPU seconds of this process so far.
func cpu() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Bytes that this process had written to the disk so far.
func written() -> Double {
    let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("write_bytes") }
    return line.flatMap { Double($0.split(separator: " ")[1]) } ?? 0
}

func say(_ text: String) { print(text) }

func two(_ value: Double) -> String { String(format: "%.2f", value) }

/// Puts a workday through gate, packing, sealing and storage.
struct Writer: ~Copyable, GateSink {
    private var gate = Gate(stopped: EventTime(0))
    private var builder = BatchBuilder()
    private var day = Workday()
    private let sealer: Sealer
    private var digest = SealedBatch.noDigest
    private var sequence: UInt64
    private let offset: Int64
    private(set) var events = 0
    private(set) var batches = 0
    private var pending: [SealedBatch] = []
    private(set) var plain: [UInt8] = []

    init(_ sealer: Sealer, first: UInt64, offset: Int64) {
        (self.sealer, sequence, self.offset) = (sealer, first, offset)
        var conditions = Gate.Conditions()
        conditions.hasConsent = true
        conditions.isSound = true
        conditions.hasSpace = true
        conditions.isConnected = true
        conditions.isAwake = true
        conditions.isMarked = true
        begin()
        gate.set(conditions, at: EventTime(0)) { _ in }
        for stream in InputStream.allCases {
            feed(.context(.app("Editor"), stream: stream, at: EventTime(0)))
        }
    }

    private mutating func begin() {
        builder.begin(header)
    }

    private var header: BatchHeader {
        BatchHeader(
            sequence: sequence,
            bootID: [],
            wallOffset: offset,
            keyDetail: KeyDetail.shortcuts.code,
            base: day.time
        )
    }

    mutating func take(_ output: GateOutput) {
        if case .event(let event) = output {
            if case .typing(let key) = event.payload {
                _ = builder.type(event.device, event.time, continues: key.continues)
                return
            }
            if builder.tailDue.map({ $0 <= event.time }) == true || event.endsRuns { commit() }
        } else {
            commit()
        }
        builder.append(output)
        if builder.isFull { close() }
    }

    private mutating func commit() {
        while builder.hasTails {
            _ = builder.commitTail()
            if builder.isFull { close() }
        }
    }

    private mutating func close() {
        guard let batch = builder.pack(), let sealed = try? sealer.seal(batch, after: digest) else {
            return
        }
        digest = sealed.digest
        pending.append(sealed)
        sequence += 1
        builder.advance(header)
        if builder.isEmpty { begin() }
    }

    private mutating func feed(_ event: CaptureEvent) {
        var gate = self.gate
        if gate.take(event, into: &self) == true { events += 1 }
        self.gate = gate
    }

    /// Works until so many batches are full, each handed over.
    mutating func work(_ count: Int, _ body: (SealedBatch) throws -> Void) rethrows {
        let end = batches + count
        while batches < end {
            var piece: [CaptureEvent] = []
            day.piece { piece.append($0) }
            for event in piece { feed(event) }
            for sealed in pending {
                try body(sealed)
                batches += 1
            }
            pending = []
        }
    }
}

extension Gate {
    mutating func set(_ new: Conditions, at time: EventTime, into body: (GateOutput) -> Void) {
        var none = Nothing()
        set(new, at: time, into: &none)
    }
}

struct Nothing: GateSink {
    mutating func take(_ output: GateOutput) {}
}

let folder = CommandLine.arguments.dropFirst().first ?? "/tmp"
let size = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 64 : 64
let identity = Identity()
let key = DeviceKey()
guard let recipient = Recipient(identity.recipient) else { exit(1) }
let sealer = Sealer([recipient], signedBy: key)
let now: Int64 = 1_800_000_000_000

/// The ring as the daemon opens it.
func openRing(_ path: String, _ cap: Int) throws -> Ring {
    let clocks = AgeClock.Reading(
        wall: now,
        boottime: 100_000,
        monotonic: 100_000,
        bootID: [UInt8](repeating: 7, count: 16),
        isSynchronised: true
    )
    var setting = Ring.Setting(cap: cap, key: key, clocks: clocks)
    let marks = HighWaterKeeper(
        HighWaterFiles(inState: path + ".marks", inConfig: path + ".marks-2")
    )
    setting.note = { new in marks.raise(signedBy: key, readsFirst: false) { $0.raise(to: new) } }
    return try Ring.open(path, setting, retention: 7 * 86_400_000)
}

/// Writing at a ring size: CPU and bytes an event, storing alone and the whole path.
func write(_ mebibytes: Int, batches: Int) throws {
    let path = "\(folder)/write-\(mebibytes).db"
    let ring = try openRing(path, mebibytes << 20)
    try ring.rebuildToEnd()
    var writer = Writer(sealer, first: 1, offset: now)
    var (storing, events) = (0.0, 0)
    let (start, startBytes) = (cpu(), written())
    try writer.work(batches) { sealed in
        let before = cpu()
        try ring.put(sealed)
        storing += cpu() - before
    }
    events = writer.events
    let (whole, bytes) = (cpu() - start, written() - startBytes)
    let slots = RingFormat.slots(cap: mebibytes << 20)
    say(
        "write  ring \(mebibytes) MiB (\(slots) slots): \(events) events in \(writer.batches) batches · "
            + "store \(two(storing / Double(events) * 1e6)) µs/event · "
            + "gate+pack+seal+store \(two(whole / Double(events) * 1e6)) µs/event · "
            + "\(two(bytes / Double(events))) bytes written/event · "
            + "\(two(Double(writer.batches * 4096) / Double(events))) bytes kept/event"
    )
}

func read() throws {
    let path = "\(folder)/read.db"
    let slots = RingFormat.slots(cap: size << 20)
    do {
        let ring = try openRing(path, size << 20)
        try ring.rebuildToEnd()
        var writer = Writer(sealer, first: 1, offset: now)
        try writer.work(slots) { try ring.put($0) }
    }
    try Disk.write(Array(identity.file(createdAt: WallTime(now)).utf8), to: "\(folder)/identity")
    let reader = TimelineReader(try RingReader(path: path), [identity])
    func rate(_ name: String, _ body: () throws -> Int) rethrows {
        let start = cpu()
        let count = try body()
        let seconds = cpu() - start
        say(
            "read   \(name): \(count) events in \(two(seconds)) s = \(two(Double(count) / seconds / 1e6)) M events/s"
        )
    }
    try rate("decrypt and decode") {
        try reader.read(0...Int64.max / 4) { _ in true }.events
    }
    try rate("decrypt, decode, report") {
        var tally = Tally(0...Int64.max / 4)
        let summary = try reader.read(0...Int64.max / 4, onBatch: { tally.begin($0) }) {
            tally.take($0)
            return true
        }
        let around = Page.Setting(
            now: WallTime(now),
            period: "",
            readers: "",
            retention: 0,
            ring: ""
        )
        say("report \(Page(tally.facts(summary), around).html.utf8.count) bytes")
        return summary.events
    }
    let null = open("/dev/null", O_WRONLY)
    try rate("decrypt, decode, JSON Lines") {
        var lines = JSONLines(withKeys: true)
        let summary = try reader.read(0...Int64.max / 4) { event in
            lines.append(event)
            if let bytes = lines.take() { try? Disk.write(bytes, to: null) }
            return true
        }
        return summary.events
    }
    try writeForPeers(path)
    let before = Date()
    _ = try RingReader(path: path).entries()
    say("read   index of \(slots) slots: \(two(Date().timeIntervalSince(before) * 1e3)) ms")
    let start = Date()
    let found = try Verifier(path, [identity], key.verifier).verify()
    say(
        "verify \(found.whole) batches, \(found.findings.count) findings: \(two(Date().timeIntervalSince(start))) s"
    )
    let opening = Date()
    _ = try openRing(path, size << 20)
    say("open   \(size) MiB: \(two(Date().timeIntervalSince(opening) * 1e3)) ms")
}

/// The first two million events as CSV for a plain table, and all columns, each as one stream without
/// compression, for a strong compressor.
func writeForPeers(_ path: String) throws {
    let reader = TimelineReader(try RingReader(path: path), [identity])
    var csv = CSV()
    let file = try Disk.make("\(folder)/events.csv")
    var columns: [String: [UInt8]] = [:]
    var (count, last) = (0, now)
    func add(_ column: String, _ value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            columns[column, default: []].append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        columns[column, default: []].append(UInt8(truncatingIfNeeded: rest))
    }
    _ = try reader.read(0...Int64.max / 4) { event in
        count += 1
        csv.append(event)
        if let bytes = csv.take() { try? Disk.write(bytes, to: file) }
        add("time", event.time.milliseconds - last)
        last = event.time.milliseconds
        switch event.item.payload {
        case .input(.key(let key)):
            add("kind", 1)
            add("key", Int64(key.keyClass.rawValue) * 2 + (key.isDown ? 1 : 0))
        case .input(.button(let number, let isDown)):
            add("kind", 2)
            add("button", Int64(number) * 2 + (isDown ? 1 : 0))
        case .input(.motion(let dx, let dy)):
            add("kind", 3)
            if -8...7 ~= dx, -8...7 ~= dy {
                columns["motion", default: []].append(UInt8(dx & 15) << 4 | UInt8(dy & 15))
            } else {
                columns["motion", default: []].append(0x88)
                add("wide", Int64(dx))
                add("wide", Int64(dy))
            }
        case .input(.scroll(_, let dy)):
            add("kind", 4)
            add("scroll", Int64(dy))
        default: add("kind", 5)
        }
        return count < 2_000_000
    }
    try Disk.write(csv.take(all: true) ?? [], to: file)
    close(file)
    for (name, bytes) in columns {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/column.\(name)"))
    }
    say("peers  \(count) events written")
}

/// Makes the ring of a stopped mcid full, as after some weeks.
func fill(_ state: String, _ mebibytes: Int) throws {
    let key = try DeviceKeyFile.readOrMake(state + "/device.key")
    var clock = timespec()
    clock_gettime(CLOCK_REALTIME, &clock)
    let wall = Int64(clock.tv_sec) * 1000
    let marks = HighWaterKeeper(HighWaterFiles(inState: state + "/marks", inConfig: "/nonexistent"))
    marks.look(key.verifier)
    let clocks = AgeClock.Reading(
        wall: wall,
        boottime: 1,
        monotonic: 1,
        bootID: [UInt8](repeating: 0, count: 16),
        isSynchronised: false
    )
    var setting = Ring.Setting(cap: mebibytes << 20, key: key, clocks: clocks)
    setting.marks = marks.marks
    setting.note = { new in marks.raise(signedBy: key) { $0.raise(to: new) } }
    do {
        let ring = try Ring.open(state + "/ring.db", setting, retention: 7 * 86_400_000)
        try ring.rebuildToEnd()
        let sealer = Sealer([recipient], signedBy: key)
        var writer = Writer(sealer, first: ring.nextSequence, offset: wall - 86_400_000)
        try writer.work(RingFormat.slots(cap: mebibytes << 20)) { try ring.put($0) }
    }
    marks.look(key.verifier)
    setting.marks = marks.marks
    let steady = ContinuousClock()
    let begin = (cpu(), steady.now)
    let ring = try Ring.open(state + "/ring.db", setting, retention: 7 * 86_400_000)
    let seconds = Double((steady.now - begin.1) / .milliseconds(1)) / 1000
    say(
        "open   \(mebibytes) MiB full: \(two(seconds)) s, \(two(cpu() - begin.0)) s of a core, next \(ring.nextSequence)"
    )
}

if folder == "--fill" {
    try fill(CommandLine.arguments[2], Int(CommandLine.arguments[3]) ?? 64)
    exit(0)
}
try Disk.makeFolder(folder)
let readsOnly = CommandLine.arguments.last == "read"
for mebibytes in readsOnly ? [] : [4, 100, 1024] { try write(mebibytes, batches: 600) }
try read()
