// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

@testable import Capture

/// Where clicks happened, beside what the program that was clicked was told.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil)) struct PlaceTests {
    private typealias Click = ClickWitness.Click

    /// How the monitors stand, as options of xrandr, and whether a part of the desktop is dark.
    enum Monitors: String, CaseIterable {
        case one, beside, lower
    }

    /// The buttons the observer saw; without a place where it was not certain.
    private func seen(_ observer: Observer) -> [(click: Click, isCertain: Bool)] {
        observer.seen.compactMap {
            guard case .button(let number, let isDown) = $0.event.payload else { return nil }
            let place = $0.event.pixel
            return (
                Click(number: number, isDown: isDown, pixel: place ?? Pixel(x: -1, y: -1)),
                place != nil
            )
        }
    }

    private func server(_ monitors: Monitors) throws -> XorgServer {
        let server = try XorgServer(["mouse": .mouse, "tablet": .tablet], isWide: monitors != .one)
        if monitors == .lower {
            try server.randr("--addmode", "DUMMY1", "800x600")
            try server.randr("--output", "DUMMY1", "--mode", "800x600", "--pos", "1280x200")
        }
        return server
    }

    @Test(arguments: Monitors.allCases)
    func `every click has the pixel the clicked program was told, with acceleration, at edges`(
        monitors: Monitors
    ) throws {
        let server = try server(monitors)
        let mouse = try server.device("mouse")
        let witness = try ClickWitness(server)
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server, pause: 60_000)
        defer { observer.stop() }
        var random = SplitMix(seed: 41)
        let count = isProof ? 10_000 : 400
        var truth: [Click] = []
        for click in 0..<count {
            // Some steps, now and then far beyond an edge, with whatever acceleration.
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let reach: Int32 = Int.random(in: 0..<12, using: &random) == 0 ? 3000 : 30
                try mouse.move(
                    dx: .random(in: -reach...reach, using: &random),
                    dy: .random(in: -reach...reach, using: &random),
                    acceleration: .random(in: 0.2...3.7, using: &random)
                )
            }
            try mouse.button(1, down: click % 2 == 0)
            if Int.random(in: 0..<20, using: &random) == 0 {
                try mouse.synchronize()
                usleep(.random(in: 0...40_000, using: &random))
            }
            if click % 100 == 99 {
                try mouse.synchronize()
                truth += witness.heard().map(\.click)
            }
        }
        try mouse.synchronize()
        truth += witness.heard().map(\.click)
        let seen = seen(observer)
        let certain = zip(seen, truth).filter(\.0.isCertain)
        let wrong = certain.count { $0.0.click != $0.1 }
        print(
            """
            places, \(monitors.rawValue): \(truth.count) clicks, \(certain.count) certain, \
            \(wrong) at another pixel
            """
        )
        #expect(truth.count == count)
        #expect(seen.count == count)
        #expect(wrong == 0)
        // Some end on the border of two pixels, with more movements before they are read.
        #expect(certain.count > count * 3 / 4)
    }

    @Test func `a click the server's answers do not explain has no pixel`() throws {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        let hand = try Hand(server)
        let witness = try ClickWitness(server)
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server, pause: 20_000)
        defer { observer.stop() }
        var random = SplitMix(seed: 43)
        var truth: [Click] = []
        let count = isProof ? 2000 : 200
        for click in 0..<count {
            // A program moves the pointer, by however little, before or after a click.
            func warp() {
                let by = Int32.random(in: -2...2, using: &random)
                XWarpPointer(hand.display, 0, 0, 0, 0, 0, 0, by, by)
                hand.flush()
            }
            if Int.random(in: 0..<4, using: &random) == 0 { warp() }
            try mouse.move(
                dx: .random(in: -40...40, using: &random),
                dy: .random(in: -40...40, using: &random),
                acceleration: .random(in: 0.2...3.7, using: &random)
            )
            try mouse.button(1, down: click % 2 == 0)
            try mouse.synchronize()
            if Int.random(in: 0..<4, using: &random) == 0 { warp() }
            if Int.random(in: 0..<3, using: &random) == 0 { usleep(20_000) }
            truth += witness.heard().map(\.click)
        }
        let seen = seen(observer)
        let certain = zip(seen, truth).filter(\.0.isCertain)
        let wrong = certain.count { $0.0.click != $0.1 }
        print("places, warped: \(count) clicks, \(certain.count) certain, \(wrong) wrong")
        #expect(seen.count == truth.count && truth.count == count)
        #expect(wrong == 0)
        #expect(certain.count > 0 && certain.count < count)
    }

    @Test(arguments: [20, 240, 300, 2000])
    func `a click further back than the server remembers has no pixel`(moves: Int) throws {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let reader = try StepReader(server)
        func click() throws {
            try mouse.button(1, down: true)
            try mouse.button(1, down: false)
        }
        // The server keeps 255 of what a device did.
        let isRemembered = moves < 250
        // A busy machine may cost a pixel, but never gives one that nobody remembers.
        var found: [Bool] = []
        for _ in 0..<10 where found != [isRemembered, isRemembered, true, true] {
            try mouse.move(dx: 50, dy: 30)
            try click()
            for step in 0..<moves { try mouse.move(dx: step % 2 == 0 ? 1 : -1, dy: 0) }
            try click()
            try mouse.synchronize()
            found = try reader.read().map(\.event).filter {
                if case .button = $0.payload { true } else { false }
            }
            .map { $0.pixel != nil }
            if !isRemembered { #expect(found.prefix(2) == [false, false]) }
        }
        #expect(found == [isRemembered, isRemembered, true, true])
    }

    @Test
    func `a click wakes who waits for keys, a movement does not; a drag lasts as long as a button`()
        throws
    {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let reader = try StepReader(server)
        let source = reader.source
        func isWoken() throws -> Bool {
            try mouse.synchronize()
            var watched = source.promptDescriptors.map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            return poll(&watched, nfds_t(watched.count), 100) > 0
        }
        try mouse.move(dx: 3, dy: 3)
        #expect(try !isWoken())
        for isDown in [true, false] {
            try mouse.button(1, down: isDown)
            #expect(try isWoken())
            _ = try reader.read()
            #expect(source.isDragging == isDown)
        }
        try mouse.button(1, down: true)
        try mouse.synchronize()
        _ = try reader.read()
        #expect(source.isDragging)
        let float = ["float", "mouse"]
        let result = try Program.run("xinput", float, environment: ["DISPLAY": server.display])
        try #require(result.code == 0, "\(result.errors)")
        _ = try reader.read()
        #expect(!source.isDragging, "the server lets go of what it takes from its pointer")
    }

    @Test(arguments: [1.0, 1.7])
    func `the counts between two pixels lead from one to the other`(acceleration: Double) throws {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        let hand = try Hand(server)
        _ = hand.open(WindowPlan(app: "Canvas", frame: (0, 0, 1280, 1024), isPopup: true))
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server)
        defer { observer.stop() }
        var random = SplitMix(seed: 44)
        var way: (x: Int, y: Int)?
        var told = 0
        for _ in 0..<60 {
            for _ in 0..<10 {
                try mouse.move(
                    dx: .random(in: -5...5, using: &random),
                    dy: .random(in: -5...5, using: &random),
                    acceleration: acceleration
                )
            }
            try mouse.synchronize()
            let seen = observer.seen
            observer.clear()
            for event in seen.map(\.event) {
                guard case .motion(let dx, let dy) = event.payload else { continue }
                way?.x += Int(dx)
                way?.y += Int(dy)
                guard let place = event.pixel else { continue }
                way = (Int(place.x), Int(place.y))
                told += 1
            }
            // At the end of a reading a reader knows the pixel: told, or by adding up.
            let place = hand.pointer
            #expect(way?.x == Int(place.x) && way?.y == Int(place.y))
        }
        // Without acceleration once, and once more for each edge; with it nearly always.
        if acceleration == 1 { #expect(told < 25) } else { #expect(told > 40) }
    }

    @Test func `each of two pointers on the screen has its own place`() throws {
        let server = try XorgServer(["left": .mouse, "right": .mouse])
        let mice = [try server.device("left"), try server.device("right")]
        let hand = try Hand(server)
        let witness = try ClickWitness(server)
        hand.addMaster(name: "second")
        let observer = try Observer(server)
        defer { observer.stop() }
        func id(_ name: String) throws -> Int32 {
            Int32(try #require(observer.devices.first { $0.value.name == name }?.key))
        }
        var change = XIAnyHierarchyChangeInfo()
        change.attach = XIAttachSlaveInfo(
            type: XIAttachSlave,
            deviceid: try id("right"),
            new_master: try id("second pointer")
        )
        XIChangeHierarchy(hand.display, &change, 1)
        hand.flush()
        for mouse in mice {
            try mouse.move(dx: 1, dy: 1)
            try mouse.synchronize()
        }
        observer.clear()
        var random = SplitMix(seed: 45)
        var truth: [Click] = []
        for click in 0..<200 {
            let mouse = mice[click / 2 % 2]
            try mouse.move(
                dx: .random(in: -60...60, using: &random),
                dy: .random(in: -60...60, using: &random),
                acceleration: .random(in: 0.2...3.7, using: &random)
            )
            try mouse.button(1, down: click % 2 == 0)
            try mouse.synchronize()
            if Int.random(in: 0..<5, using: &random) == 0 { usleep(30_000) }
            truth += witness.heard().map(\.click)
        }
        let seen = seen(observer)
        let certain = zip(seen, truth).filter(\.0.isCertain)
        let wrong = certain.count { $0.0.click != $0.1 }
        print(
            "places, two pointers: \(truth.count) clicks, \(certain.count) certain, \(wrong) wrong"
        )
        #expect(seen.count == truth.count)
        #expect(wrong == 0)
        // The pointers are asked one after the other: what moves between is not certain.
        #expect(certain.count > 150)
    }

    @Test(arguments: [1.0, 2, 3, 10, 12, 17])
    func `fractions that were cut on the wire never name the pixel before`(parts: Double) {
        var random = SplitMix(seed: 46)
        let desk = DesktopGeometry(ScreenLayout(width: 4000, height: 4000))
        /// As the wire tells it.
        func cut(_ value: Double) -> Double { (value * 0x1p32).rounded(.down) * 0x1p-32 }
        var path = DeadReckoning()
        var truth = 2000.0
        func settle() -> Bool {
            let pixel = DeadReckoning.pixel((truth, truth))
            return path.settle(at: (cut(truth), cut(truth)), shown: { pixel })
        }
        _ = settle()
        var (known, unknown, wrong) = (0, 0, 0)
        for _ in 0..<20_000 {
            let back = truth > 2000 ? -1.0 : 1
            let move = (Double.random(in: -60...60, using: &random) + back).rounded() / parts
            truth += move
            path.move(by: (cut(move), cut(move)), raw: (0, 0), on: desk)
            if Int.random(in: 0..<9, using: &random) == 0 {
                // The server shows the pixel.
                if !settle() || path.pixel == nil { wrong += 1 }
            }
            if let pixel = path.pixel {
                known += 1
                if Double(pixel.x) != truth.rounded(.down) { wrong += 1 }
            } else {
                unknown += 1
            }
        }
        print("Places in parts of 1/\(Int(parts)): \(known) known, \(unknown) at a border")
        #expect(wrong == 0)
        #expect(parts > 2 || unknown == 0, "what is told whole is known")
        #expect(known > unknown)
    }
}
