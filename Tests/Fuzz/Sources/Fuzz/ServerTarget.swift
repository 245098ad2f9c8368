// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Glibc

@testable import Capture
@testable import Replay
@testable import Wire

extension Target {
    /// What an X server sends to the daemon: the greeting, events, answers, texts of windows.
    static let server = Target(
        name: "server",
        run: { input in
            var rest = input
            switch rest.take() % 4 {
            case 0: ServerTarget.greeting(Array(rest))
            case 1: ServerTarget.texts(rest)
            case 2: ServerTarget.events(rest, isKeyboard: false)
            default: ServerTarget.events(rest, isKeyboard: true)
            }
        },
        seeds: ServerTarget.seeds
    )

    /// What an X server answers a replay before anything is played.
    static let replies = Target(
        name: "replies",
        run: { ServerTarget.replies($0) },
        seeds: ServerTarget.replySeeds
    )
}

private enum ServerTarget {
    /// The other end of a connection on which a server has said all this, and then ends.
    static func socket(saying bytes: [UInt8]) -> WireSocket? {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        var done = 0
        while done < bytes.count {
            let count = write(ends[1], Array(bytes[done...]), bytes.count - done)
            if count <= 0 { break }
            done += count
        }
        shutdown(ends[1], Int32(SHUT_WR))
        // What is asked stays unread; closing would make sending an error.
        let socket = WireSocket(connected: ends[0], nil)
        peers.append(ends[1])
        return socket
    }

    /// The servers' ends of the run.
    nonisolated(unsafe) private static var peers: [Int32] = []

    static func hangUp() {
        for peer in peers { close(peer) }
        peers.removeAll(keepingCapacity: true)
    }

    /// A greeting like Xvfb's: keycodes 8 to 255, no formats, one screen.
    static let greeting: [UInt8] = {
        var rest = [UInt8](repeating: 0, count: 32 + 40)
        (rest[26], rest[27]) = (8, 255)
        rest[20] = 1
        rest[32] = 7
        return [1, 0, 11, 0, 0, 0, UInt8(rest.count / 4), 0] + rest
    }()

    static func greeting(_ bytes: [UInt8]) {
        defer { hangUp() }
        guard let socket = socket(saying: bytes) else { return }
        check(socket.keycodes.lowerBound >= 8, "No keycode is below 8.")
    }

    static func texts(_ input: ArraySlice<UInt8>) {
        var rest = input
        let isUTF8 = rest.take() & 1 == 0
        let pattern = Glob(String(decoding: rest.take(Int(rest.take() % 64)), as: UTF8.self))
        let text = ServerText(Array(rest), isUTF8: isUTF8)
        let short = text.prefix(128)
        check(short.text.count <= 128 && short.other?.count ?? 0 <= 128, "A name is short.")
        if let other = text.other {
            check(other.unicodeScalars.count == rest.count, "Byte by byte.")
        }
        var facts = WindowFacts(app: text.text, title: text.text)
        (facts.others.app, facts.others.title) = (text.other, text.other)
        guard let pattern else { return }
        let rule = Rule(title: pattern)
        let isEither = pattern.matches(text.text) || text.other.map(pattern.matches) == true
        check(rule.matches(facts) == isEither, "Either reading is enough.")
    }

    /// Packets in the order in which they come: of each a byte that says how its length and its number
    /// are put right, so that more than the first answer is reached.
    static func packets(_ input: ArraySlice<UInt8>, _ number: inout UInt16) -> [UInt8] {
        var rest = input
        var bytes: [UInt8] = []
        while let control = rest.popFirst() {
            let extra = Int(control >> 3)
            var packet = rest.take(32 + 4 * extra).padded(to: 32 + 4 * extra)
            if control & 3 == 1 { packet[0] = 1 }
            if control & 3 == 2 { packet[0] = 35 }
            if control & 3 != 0 {
                if control & 3 == 1 { number &+= 1 }
                (packet[2], packet[3]) = (UInt8(number & 255), UInt8(number >> 8))
                (packet[4], packet[5], packet[6], packet[7]) = (UInt8(extra), 0, 0, 0)
            }
            bytes += packet
        }
        return bytes
    }

    static func events(_ input: ArraySlice<UInt8>, isKeyboard: Bool) {
        defer { hangUp() }
        var number: UInt16 = 0
        guard let socket = socket(saying: greeting + packets(input, &number)) else { return }
        let atoms = WindowAtoms(state: 300, leader: 301, netName: 302, netProcess: 303, utf8: 304)
        let wire = EventWire(socket, root: socket.root, atoms)
        if isKeyboard {
            try? wire.beginKeyboard()
            wire.followMap(of: 3)
            wire.followModifiers(of: 3)
            _ = (wire.modifiers(of: 3), wire.controls(of: 3), wire.keyTarget(), wire.process(of: 9))
        } else {
            try? wire.beginPointer()
        }
        wire.selectInput(1 << 17, devices: 0)
        wire.select(1 << 16, of: 9)
        wire.followMonitors()
        let screen = wire.screen() ?? ScreenLayout(width: 640, height: 480, monitors: [])
        if let point = wire.position(of: 2, on: screen) {
            check(!point.x.isNaN && !point.y.isNaN, "A place is a number.")
        }
        _ = wire.readArrived()
        var events: [PendingEvent] = []
        let cut = StreamSerial(6)
        let behind = wire.takeEvents(until: cut, into: &events)
        check(events.allSatisfy { $0.serial.isBefore(cut) }, "What is before a place is before it.")
        check(behind.map { $0.serial.hasReached(cut) } ?? true, "And what is behind it behind it.")
        while wire.unread > 0 { _ = wire.takeEvent() }
        _ = wire.readArrived()
    }

    static func replies(_ input: ArraySlice<UInt8>) {
        defer { hangUp() }
        var number: UInt16 = 0
        guard let socket = socket(saying: greeting + packets(input, &number)),
            let display = DisplayName(":7", ownHost: "here")
        else { return }
        let connection = WireConnection(display, socket)
        let target = try? Replay.Target(connection, ownDaemon: 1, mayBeRecorded: false)
        // Where it is refused the rest is still read.
        _ = target
        guard let target, var player = try? Player(target, skipsText: false) else { return }
        try? player.prepare([WantedKey(0x61, []), WantedKey(0xE9, .shift), WantedKey(0x20AC, [])])
        let line =
            #"{"type":"key","time":"2027-01-15T08:00:00Z","state":"down","class":"letter","#
            + #""keysym":"a","modifiers":["lock"]}"#
        if let line = try? ExportLine.read(Array(line.utf8), number: 1) { try? player.play(line) }
        try? player.letGo()
    }

    // MARK: Seeds

    /// A packet with its control byte: an answer (1), an event of an extension (2), or as it is (0).
    private static func packet(_ kind: UInt8, _ bytes: [UInt8], extra: Int = 0) -> [UInt8] {
        [kind | UInt8(extra) << 3] + bytes.padded(to: 32 + 4 * extra)
    }

    private static func answer(_ at: Int, _ bytes: [UInt8], extra: Int = 0) -> [UInt8] {
        packet(1, [UInt8](repeating: 0, count: at) + bytes, extra: extra)
    }

    private static func raw(_ type: UInt8, words: UInt8, axes: UInt8) -> [UInt8] {
        let count = axes.nonzeroBitCount
        let values = (0..<count * 2).flatMap { _ in [0, 0, 0, 0, 1, 0, 0, 0] as [UInt8] }
        let head: [UInt8] = [35, 131, 0, 0, 0, 0, 0, 0, type, 0, 2, 0, 5, 0, 0, 0, 1, 0, 0, 0]
        let rest: [UInt8] = [4, 0, words, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let mask = [axes].padded(to: 4 * Int(words))
        return packet(2, head + rest + mask + values, extra: Int(words) + 4 * count)
    }

    @Sendable static func seeds() -> [[UInt8]] {
        // XInputExtension, XIQueryVersion, SHAPE, RANDR, RRQueryVersion, two that only synchronise.
        let start =
            answer(8, [1, 131, 90]) + answer(8, [2, 0, 2, 0]) + answer(8, [1, 129, 64])
            + answer(8, [1, 140, 89]) + answer(8, [1, 0, 0, 0, 5, 0, 0, 0])
        // Event codes so high that the next one does not fit a byte.
        let high =
            answer(8, [1, 131, 250]) + answer(8, [2, 0, 2, 0]) + answer(8, [1, 129, 255])
            + answer(8, [1, 140, 255]) + answer(8, [1, 0, 0, 0, 5, 0, 0, 0])
        // Requests without an answer count too; raw packets carry their own numbers.
        func numbered(_ number: UInt8, _ at: Int, _ bytes: [UInt8], extra: Int = 0) -> [UInt8] {
            var packet = ([UInt8](repeating: 0, count: at) + bytes).padded(to: 32 + 4 * extra)
            (packet[0], packet[2], packet[4]) = (1, number, UInt8(extra))
            return [UInt8(extra) << 3] + packet
        }
        let selected = start + numbered(7, 0, []) + numbered(11, 0, [])
        let screen = selected + numbered(12, 16, [128, 2, 224, 1])
        let monitors = screen + numbered(13, 12, [1], extra: 6)
        let axis: [UInt8] = [2, 0, 11, 0, 2, 0, 0, 0, 0, 0, 0, 0].padded(to: 44)
        let device: [UInt8] =
            [1, 0, 0, 0].padded(to: 24) + [2, 0, 1, 0, 0, 0, 2, 0, 4, 0, 1, 0] + [65, 66, 67, 68]
            + axis + axis
        let position = monitors + numbered(14, 8, device, extra: 27)
        let events =
            raw(17, words: 2, axes: 3) + raw(17, words: 2, axes: 15) + raw(15, words: 1, axes: 0)
            + raw(22, words: 1, axes: 7) + raw(11, words: 0, axes: 0)
            + packet(0, [7, 3, 14, 0]) + packet(0, [28, 0, 14, 0, 9, 0, 0, 0, 39]) + packet(0, [11])
        // XInputExtension, XIQueryVersion, XKEYBOARD, XkbUseExtension, X-Resource, SHAPE, RANDR,
        // RRQueryVersion; then what is asked, and what is selected.
        let asked =
            answer(8, [1, 131, 90]) + answer(8, [2, 0, 0, 0]) + answer(8, [1, 135, 85])
            + answer(1, [1]) + answer(8, [1, 141, 0]) + answer(8, [1, 129, 64])
            + answer(8, [1, 140, 89]) + answer(8, [1, 0, 0, 0, 5, 0, 0, 0])
        let known =
            asked + numbered(11, 8, [1, 0, 0, 0, 1]) + numbered(12, 8, [0], extra: 15)
            + numbered(13, 8, [9]) + numbered(14, 8, [0])
        let keyboard =
            known + numbered(16, 0, []) + numbered(19, 0, []) + numbered(20, 16, [128, 2, 224, 1])
            + numbered(21, 12, [1], extra: 6)
        let keys =
            raw(13, words: 0, axes: 0) + raw(14, words: 0, axes: 0)
            + packet(0, [85, 2, 14, 0, 0, 0, 0, 0, 3, 1])
            + packet(0, [85, 0, 14, 0, 0, 0, 0, 0, 3])
            + packet(0, [85, 1, 14, 0, 0, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 250, 9])
            + packet(0, [85, 3, 14, 0]) + packet(0, [9, 3, 14, 0, 9])
            + packet(0, [10, 0, 14, 0, 9])
        let title: [UInt8] = Array("*bank*".utf8)
        let other = Array("M".utf8) + [0xFC] + Array("ller Банк straße ﬁ İ".utf8)
        return [
            [0] + greeting, [0] + greeting.prefix(40), [2] + start, [2] + position + events,
            [2] + high + numbered(7, 0, []) + numbered(11, 0, []) + events,
            [2] + position + raw(17, words: 0, axes: 0) + raw(17, words: 7, axes: 255),
            [3] + keyboard + keys, [3] + start,
            [1, 0, UInt8(title.count)] + title + other, [1, 1, 3, 42, 63, 42] + other,
        ]
    }

    @Sendable static func replySeeds() -> [[UInt8]] {
        func found(_ major: UInt8) -> [UInt8] { answer(8, [1, major]) }
        let extensions = found(131) + found(140) + found(132) + found(135)
        let name = Array("Xvfb mouse".utf8)
        let device: [UInt8] =
            [6, 0, 3, 0, 2, 0, 1, 0, UInt8(name.count), 0, 0, 0] + name + [0, 0]
            + [0, 0, 2, 0, 0, 0, 0, 0]
        let devices =
            answer(8, [2, 0, 2, 0]) + answer(8, [1, 0].padded(to: 24) + device, extra: 8)
        let client: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0]
        let clients =
            answer(8, [1, 4]) + answer(8, [1, 0, 0, 0].padded(to: 24) + client, extra: 4)
        let keyboard = answer(8, [1, 0]) + answer(1, [1]) + answer(1, [0])
        let real = Array("Acme mouse".utf8)
        let hand: [UInt8] =
            [6, 0, 3, 0, 2, 0, 0, 0, UInt8(real.count), 0, 0, 0] + real + [0, 0]
        let inhabited =
            answer(8, [2, 0, 2, 0]) + answer(8, [1, 0].padded(to: 24) + hand, extra: 6)
            + found(141) + answer(8, [1, 0]) + answer(16, [0, 0, 1, 0], extra: 2)
            + answer(26, [0, 0], extra: 4)
        return [
            extensions + devices + clients + keyboard, extensions + inhabited + clients,
            extensions, found(0) + devices,
        ]
    }
}
