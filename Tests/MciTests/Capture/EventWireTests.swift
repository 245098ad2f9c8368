// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing
import Wire

@testable import Capture

/// What is read from the bytes of the protocol, on a real server.
@Suite(.serialized) struct EventWireTests {
    let desktop: Desktop
    let hand: Hand
    let connection: X11Connection
    let wire: EventWire

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
        connection = try desktop.asDisplay { try X11Connection(role: .pointer) }
        wire = connection.wire
    }

    /// All that has come, after the server has done everything.
    private func read() -> [(event: X11Event, serial: StreamSerial)] {
        wire.synchronize()
        return (0..<wire.readArrived()).map { _ in wire.takeEvent() }
    }

    @Test func `the place of an event is right however many requests went before it`() throws {
        connection.watch(connection.root, for: .rootCrossing)
        _ = read()
        let root = UInt32(truncatingIfNeeded: connection.root)
        for (requests, questions) in [(1, 0), (40_000, 0), (70_000, 0), (0, 66_000), (3, 1)] {
            for _ in 0..<requests { wire.select(0, of: root) }
            for _ in 0..<questions { wire.synchronize() }
            connection.watch(connection.root, for: .rootCrossing)
            let before = wire.nextRequest
            hand.close(hand.open(WindowPlan(app: "Editor")))
            let events = read()
            #expect(events.count >= 2)
            #expect(events.allSatisfy { $0.serial.next == before })
        }
    }

    /// Gives the server more to do on the wire than it has done when this returns.
    private func keepBusy() {
        let root = UInt32(truncatingIfNeeded: connection.root)
        for _ in 0..<7000 { wire.select(0, of: root) }
    }

    @Test func `what is asked elsewhere has its place among the events, on a busy server`() throws {
        for _ in 0..<20 {
            let window = hand.open(WindowPlan(app: "Editor"))
            defer { hand.close(window) }
            keepBusy()
            connection.watch(window, for: .facts(.pointer))
            // What is watched is so before it is read.
            #expect(wire.isDone)
            #expect(connection.ownClass(of: window)?.app.text == "Editor")
            hand.setTitle(window, "one")
            #expect(try #require(read().last).event.isTitle)

            let two = connection.dated {
                hand.setTitle(window, "two")
                return connection.title(of: window)?.text
            }
            #expect(two.value == "two")
            let change = try #require(read().last).serial
            #expect(two.isOutdated(byChangeAt: change) && !two.holds(at: change))
            #expect(two.holds(at: wire.synchronize()))

            keepBusy()
            let old = connection.dated {
                defer { hand.setTitle(window, "three") }
                return connection.title(of: window)?.text
            }
            #expect(old.value == "two")
            #expect(old.isOutdated(byChangeAt: try #require(read().last).serial))
        }
    }

    @Test func `what another client sends is no event`() throws {
        connection.watch(connection.root, for: .rootCrossing)
        _ = read()
        var event = XEvent()
        event.xcreatewindow.type = CreateNotify
        event.xcreatewindow.parent = hand.root
        event.xcreatewindow.window = 0x123
        XSendEvent(hand.display, hand.root, 0, SubstructureNotifyMask, &event)
        hand.flush()
        let kinds = read().map { if case .created = $0.event { "window" } else { "other" } }
        #expect(kinds == ["other"])
        // It has bits of keys where all others have their place among the requests.
        event.xkeymap.type = KeymapNotify
        withUnsafeMutableBytes(of: &event.xkeymap.key_vector) { bits in
            for index in bits.indices { bits[index] = 0xFF }
        }
        XSendEvent(hand.display, hand.root, 0, SubstructureNotifyMask, &event)
        hand.flush()
        let before = wire.nextRequest
        #expect(read().allSatisfy { $0.serial.isBefore(before) })
        let window = hand.open(WindowPlan(app: "Editor"))
        let made = read().contains {
            if case .created(window, _) = $0.event { true } else { false }
        }
        #expect(made)
    }

    @Test func `where the server has room for one of two connections it is given back`() throws {
        let small = try Desktop(
            server: "Xvfb",
            ["-noreset", "-nolisten", "tcp", "-ac", "-maxclients", "64"],
            display: nil
        )
        var others: [OpaquePointer] = []
        defer { others.forEach { XCloseDisplay($0) } }
        while let other = XOpenDisplay(small.display) { others.append(other) }
        #expect(others.count > 32)
        XCloseDisplay(others.removeLast())
        let isFree = {
            guard let display = XOpenDisplay(small.display) else { return false }
            XCloseDisplay(display)
            return true
        }
        try #require(eventually { isFree() })
        usleep(50_000)
        try small.asDisplay {
            _ = #expect(throws: CaptureError.self) { try X11Connection(role: .pointer) }
        }
        #expect(eventually { isFree() })
    }

    @Test func `a server that counts requests nobody made is lost`() throws {
        let answer: [UInt8] = [1, 0, 1, 0] + [UInt8](repeating: 0, count: 28)
        let event: [UInt8] = [17, 0, 2, 0] + [UInt8](repeating: 0, count: 28)
        let server = try ScriptedServer([answer + event])
        let socket = try #require(WireSocket(server.path, cookie: nil))
        let wire = EventWire(socket, root: socket.root, connection.atoms)
        wire.synchronize()
        #expect(!wire.isLost && wire.unread == 1)
        _ = wire.takeEvent()
        #expect(wire.isLost)
    }

    @Test func `what comes with an answer counts as read, what comes in pieces as a whole`() throws
    {
        func event(_ type: UInt8, _ number: UInt8, words: UInt8 = 0) -> [UInt8] {
            [type, 0, number, 0, words] + [UInt8](repeating: 0, count: 27 + 4 * Int(words))
        }
        let long = event(35, 2, words: 20)
        let script: [[UInt8]] = [
            event(1, 1) + event(17, 1) + event(11, 200) + Array(long[..<50]),
            Array(long[50...]) + event(1, 2, words: 3) + event(0, 2) + event(18, 2),
            // More than anything can be long.
            event(1, 3) + [35, 0, 3, 0, 0xFF, 0xFF, 0xFF, 0xFF] + event(17, 3),
        ]
        let server = try ScriptedServer(script)
        let socket = try #require(WireSocket(server.path, cookie: nil))
        let wire = EventWire(socket, root: socket.root, connection.atoms)
        #expect(socket.root == 7)
        let (first, second) = (StreamSerial(1), StreamSerial(2))
        wire.synchronize()
        #expect(wire.unread == 2)
        #expect((0..<2).map { _ in wire.takeEvent().serial } == [first, first])
        #expect(wire.synchronize() == second)
        #expect(wire.unread == 2)
        #expect((0..<2).map { _ in wire.takeEvent().serial } == [second, second])
        wire.synchronize()
        #expect(wire.isLost)
    }

    @Test func `a reply that is too short answers nothing, and no zero is believed`() throws {
        func reply(_ number: UInt8, _ fields: [Int: UInt8] = [:]) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 32)
            (bytes[0], bytes[2]) = (1, number)
            for (offset, value) in fields { bytes[offset] = value }
            return bytes
        }
        let size: [Int: UInt8] = [17: 4, 19: 3]
        let server = try ScriptedServer([
            // Controls are at 56, a process behind one of four bytes at 44.
            reply(1), reply(2, [8: 1]),
            // No monitor, and one of which nothing follows.
            reply(3, size), reply(4), reply(5, size), reply(6, [12: 1]),
            // A device of which the rest is missing.
            reply(7, [8: 1]),
        ])
        let socket = try #require(WireSocket(server.path, cookie: nil))
        let wire = EventWire(socket, root: socket.root, connection.atoms)
        (wire.codes.resources, wire.codes.monitors) = (9, 9)
        #expect(wire.controls(of: 3) == nil)
        #expect(wire.process(of: 9) == nil)
        let screen = try #require(wire.screen())
        #expect(screen.width == 1024 && screen.height == 768)
        #expect(wire.screen() == nil)
        #expect(wire.position(of: 2, on: screen) == nil)
        #expect(!wire.isLost)
    }

    @Test func `a field of a message is whole or missing`() {
        let bytes: [UInt8] = [0x41, 0xFF, 3, 4, 5]
        let reader = WireReader(bytes)
        for offset in [-1, Int.min, 0, 1, 2, 3, 4, 5, Int.max - 8] {
            func isInside(_ length: Int) -> Bool { offset >= 0 && offset <= bytes.count - length }
            #expect((reader.byte(at: offset) != nil) == isInside(1))
            #expect((reader.uint16(at: offset) != nil) == isInside(2))
            #expect((reader.int16(at: offset) != nil) == isInside(2))
            #expect((reader.uint32(at: offset) != nil) == isInside(4))
            #expect((reader.text(at: offset, length: 3) != nil) == isInside(3))
        }
        #expect(reader.uint16(at: 0) == 0xFF41 && reader.int16(at: 0) == -191)
        #expect(reader.uint32(at: 1) == 0x0504_03FF)
        #expect(reader.text(at: 0, length: 1) == "A" && reader.text(at: 5, length: 0) == "")
        #expect(reader.text(at: 0, length: -1) == nil && reader.text(at: 1, length: .max) == nil)
    }

    @Test func `a flood that waits is read whole and in order, and its room is given back`() throws
    {
        connection.selectInput([XI_RawMotion], devices: XIAllMasterDevices)
        let room = wire.room
        for step in 0..<20_000 { hand.move(dx: step % 2 == 0 ? 5 : -5, dy: 1) }
        hand.flush()
        let events = read()
        #expect(events.count == 20_000)
        let moves = events.compactMap {
            if case .rawMotion(_, let move) = $0.event { move.raw.x } else { nil as Double? }
        }
        #expect(moves.count == 20_000)
        #expect(moves.indices.allSatisfy { moves[$0] == ($0 % 2 == 0 ? 5 : -5) })
        #expect(wire.room == room)
    }
}

extension X11Event {
    fileprivate var isTitle: Bool {
        if case .propertyChanged(_, .title) = self { true } else { false }
    }
}

/// A server that answers each request of four bytes with the next part of a script.
private final class ScriptedServer {
    private let folder: TemporaryFolder
    var path: String { "\(folder.path)/server" }

    init(_ script: [[UInt8]]) throws {
        folder = try TemporaryFolder()
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: "\(folder.path)/server".utf8)
        }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(listener, 1) == 0)
        // Its setup: a vendor without a name, no formats, keys, and one screen.
        var setup = [UInt8](repeating: 0, count: 72)
        (setup[26], setup[27], setup[32]) = (8, 255, 7)
        let parts = [[1, 0, 11, 0, 0, 0, 18, 0] + setup] + script
        Thread.detachNewThread {
            var ready = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            poll(&ready, 1, 5000)
            let client = accept(listener, nil, nil)
            close(listener)
            var bytes = [UInt8](repeating: 0, count: 64)
            for part in parts {
                guard recv(client, &bytes, bytes.count, 0) > 0 else { break }
                _ = part.withUnsafeBytes { send(client, $0.baseAddress, $0.count, 0) }
            }
            // Until the client has had enough.
            _ = recv(client, &bytes, bytes.count, 0)
            close(client)
        }
    }
}
