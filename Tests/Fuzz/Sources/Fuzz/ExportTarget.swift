// SPDX-License-Identifier: Apache-2.0

import Glibc

@testable import Events
@testable import Replay
@testable import Wire

extension Target {
    /// The cookies' file, and the name of a display.
    static let xauthority = Target(
        name: "xauthority",
        run: { input in
            let bytes = Array(input)
            for host in ["here", ""] {
                let cookie = XAuthority.cookie(for: 7, host: host, in: bytes)
                check((cookie?.count ?? 0) <= bytes.count, "A cookie is in the file.")
            }
            let text = String(decoding: bytes.prefix(64), as: UTF8.self)
            if let name = DisplayName(text, ownHost: "here") {
                check(name.number >= 0, "A display has a number.")
            }
        },
        seeds: {
            func field(_ bytes: [UInt8]) -> [UInt8] { [0, UInt8(bytes.count)] + bytes }
            func entry(_ family: [UInt8], _ host: String, _ number: String) -> [UInt8] {
                family + field(Array(host.utf8)) + field(Array(number.utf8))
                    + field(Array(XAuthority.method.utf8)) + field([UInt8](repeating: 5, count: 16))
            }
            let one = entry([1, 0], "here", "7")
            return [
                one, entry([255, 255], "", "") + one, entry([0, 0], "there", "7") + one,
                [0, 0, 255, 255] + one, Array("unix/here:7.0".utf8), Array("[::1]:7".utf8),
            ]
        }
    )

    /// The lines of an export that is played.
    static let export = Target(
        name: "export",
        run: { ExportTarget.play($0) },
        seeds: ExportTarget.seeds
    )
}

private enum ExportTarget {
    /// One display for all runs, for it only counts what is asked.
    nonisolated(unsafe) private static let target: Replay.Target? = {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        AnsweringServer.start(on: ends[1])
        guard let socket = WireSocket(connected: ends[0], nil),
            let display = DisplayName(":7", ownHost: "here")
        else { return nil }
        return try? Replay.Target(
            WireConnection(display, socket),
            ownDaemon: nil,
            mayBeRecorded: false
        )
    }()

    static func play(_ input: ArraySlice<UInt8>) {
        guard let target else { preconditionFailure("The display answers.") }
        var rest = input
        let control = rest.take()
        guard var player = try? Player(target, skipsText: control & 1 == 0) else {
            preconditionFailure("A player is made.")
        }
        // A clock as it is with each speed.
        let speed: Double? = [nil, 0.01, 1, 1000][Int(control >> 1) % 4]
        var clock = ReplayFile.Clock(speed: speed)
        var last: Int64 = .min
        for (index, bytes) in rest.split(separator: 0x0A).prefix(32).enumerated() {
            guard let line = try? ExportLine.read(Array(bytes), number: index + 1) else { continue }
            let moment = clock.moment(of: line)
            check(moment >= last, "Time does not go back.")
            last = moment
            do {
                try player.play(line)
            } catch {
                preconditionFailure("What was read can be played.")
            }
        }
        do {
            try player.letGo()
        } catch {
            preconditionFailure("Everything is let go of.")
        }
        check(player.holdsNothing, "No key and no button stays down.")
        check(AnsweringServer.held.isEmpty, "For the display neither.")
    }

    @Sendable static func seeds() -> [[UInt8]] {
        func line(_ fields: String, time: String = "2027-01-15T08:00:00.000Z") -> String {
            "{\"time\":\"\(time)\",\(fields)}\n"
        }
        func key(_ keysym: String, _ state: String) -> String {
            line(
                "\"type\":\"key\",\"state\":\"\(state)\",\"class\":\"letter\","
                    + "\"keysym\":\"\(keysym)\",\"modifiers\":[\"shift\",\"lock\"],\"device\":5"
            )
        }
        let unknown = line("\"type\":\"key\",\"state\":\"down\",\"class\":\"digit\"")
        let texts = [
            key("a", "down") + key("U20AC", "down") + key("a", "up"), unknown + unknown,
            line("\"type\":\"motion\",\"dx\":7,\"dy\":-3,\"x\":100,\"y\":50"),
            key("0xff0d", "down")
                + line("\"type\":\"motion\",\"dx\":1e300,\"dy\":0,\"x\":1,\"y\":1"),
            line("\"type\":\"button\",\"button\":1,\"state\":\"down\",\"x\":1,\"y\":2"),
            line("\"type\":\"button\",\"button\":255,\"state\":\"up\""),
            line("\"type\":\"scroll\",\"dx\":0.5,\"dy\":-1.25,\"x\":3,\"y\":4"),
            line("\"type\":\"axes\",\"axes\":{\"0\":900},\"x\":20,\"y\":30"),
            line("\"type\":\"gap\"") + line("\"type\":\"focus\"", time: "9999-12-31T23:59:59Z"),
            line("\"type\":\"focus\"", time: "0001-01-01T00:00:00+23:59")
                + line("\"type\":\"touch\"", time: "9999-12-31T23:59:60Z"),
            "{\"time\":1,\"type\":3}\n[[[[\n\"\n{}\n",
        ]
        return texts.enumerated().map { [UInt8($0.offset)] + Array($0.element.utf8) }
    }
}

/// An X server that answers what a replay asks, on a thread of its own, and knows what is held.
private enum AnsweringServer {
    /// Read when everything that was sent is answered.
    nonisolated(unsafe) static var held: Set<UInt16> = []
    nonisolated(unsafe) private static var descriptor: Int32 = -1
    private static let majors: [[UInt8]: UInt8] = [
        Array("XTEST".utf8): 200, Array("XInputExtension".utf8): 201,
        Array("X-Resource".utf8): 202, Array("XKEYBOARD".utf8): 203, Array("RANDR".utf8): 204,
    ]

    static func start(on end: Int32) {
        descriptor = end
        var thread = pthread_t()
        pthread_create(&thread, nil, { _ in AnsweringServer.serve() }, nil)
    }

    private static func receive(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress?.advanced(by: done), count - done)
            }
            if got <= 0 { exit(0) }
            done += got
        }
        return bytes
    }

    private static func serve() -> UnsafeMutableRawPointer? {
        var rest = [UInt8](repeating: 0, count: 32 + 40)
        (rest[20], rest[26], rest[27], rest[32]) = (1, 8, 255, 7)
        let greeting: [UInt8] = [1, 0, 11, 0, 0, 0, UInt8(rest.count / 4), 0] + rest
        _ = receive(12)
        write(descriptor, greeting, greeting.count)
        var number: UInt16 = 0
        while true {
            let head = receive(4)
            let body = receive(4 * max(0, (Int(head[2]) | Int(head[3]) << 8) - 1))
            number &+= 1
            guard var answer = answer(head, body) else { continue }
            answer[0] = 1
            (answer[2], answer[3]) = (UInt8(number & 255), UInt8(number >> 8))
            let extra = (answer.count - 32) / 4
            (answer[4], answer[5]) = (UInt8(extra & 255), UInt8(extra >> 8))
            write(descriptor, answer, answer.count)
        }
    }

    /// The answer to a request; nil where it has none.
    private static func answer(_ head: [UInt8], _ body: [UInt8]) -> [UInt8]? {
        var answer = [UInt8](repeating: 0, count: 32)
        switch (head[0], head[1]) {
        case (98, _):
            let name = Array(body.dropFirst(4).prefix(Int(body[0])))
            (answer[8], answer[9]) = (1, majors[name] ?? 0)
        case (101, _):
            // Two keysyms a key: letters and digits, and forty keys that stand for nothing.
            answer[1] = 2
            for keycode in 8...255 {
                let keysym = keycode < 215 ? UInt8(keycode & 0x7F | 0x20) : 0
                for _ in 0..<2 { answer += [keysym, 0, 0, 0] }
            }
        case (119, _): answer[1] = 0
        case (200, 2):
            let key = UInt16(body[0] <= 3 ? 0 : 256) | UInt16(body[1])
            if body[0] == 2 || body[0] == 4 { held.insert(key) }
            if body[0] == 3 || body[0] == 5 { held.remove(key) }
            return nil
        case (200, _), (41, _), (100, _), (203, 5): return nil
        default: break
        }
        return answer
    }
}
