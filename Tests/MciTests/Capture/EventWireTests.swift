// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

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
        wire = try #require(connection.wire)
    }

    /// All that has come, after the server has done everything.
    private func read() -> [(event: X11Event, serial: UInt)] {
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
            #expect(events.allSatisfy { $0.serial == before - 1 })
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
            #expect(connection.ownClass(of: window)?.app == "Editor")
            hand.setTitle(window, "one")
            #expect(try #require(read().last).event.isTitle)

            hand.setTitle(window, "two")
            #expect(connection.title(of: window) == "two")
            let behind = connection.placeAfterAnswer
            #expect(try #require(read().last).serial < behind)

            keepBusy()
            let before = connection.placeBeforeQuestion
            #expect(connection.title(of: window) == "two")
            hand.setTitle(window, "three")
            #expect(try #require(read().last).serial >= before)
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
        let window = hand.open(WindowPlan(app: "Editor"))
        let made = read().contains { if case .created(window) = $0.event { true } else { false } }
        #expect(made)
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
            if case .rawMotion(_, let move) = $0.event { move.counts.x } else { nil as Double? }
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
