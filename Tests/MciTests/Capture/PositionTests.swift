// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// Devices that are called relative and send positions.
@Suite(.serialized) struct PositionTests {
    private typealias Click = ClickWitness.Click

    /// What was seen beside what was done.
    private struct Comparison {
        var clicks = 0
        var known = 0
        var wrong = 0
        /// Movements that are not the way between two places.
        var strange = 0
        var moves = 0

        /// - Parameters:
        ///   - seen: the events.
        ///   - heard: the clicks the program was told.
        ///   - steps: the ways between the places, in their order, without those of no length.
        init(_ seen: [Observer.Seen], _ heard: [Click], _ steps: [[Int]]) {
            let buttons = seen.compactMap { seen -> (Click, Bool)? in
                guard case .button(let number, let isDown) = seen.event.payload else { return nil }
                let place = seen.event.pixel
                let pixel = place ?? Pixel(x: -1, y: -1)
                return (Click(number: number, isDown: isDown, pixel: pixel), place != nil)
            }
            clicks = buttons.count
            known = buttons.count { $0.1 }
            wrong = zip(buttons, heard).count { $0.1 && $0.0 != $1 }
            if buttons.count != heard.count { wrong += 1 }
            let motions = seen.compactMap { seen -> [Int]? in
                guard case .motion(let dx, let dy) = seen.event.payload else { return nil }
                return [Int(dx), Int(dy)]
            }
            moves = motions.count
            strange = zip(motions, steps).count { $0 != $1 } + abs(motions.count - steps.count)
        }
    }

    @Test(arguments: [0, 30_000, 300_000] as [UInt32])
    func `the pointer of a remote viewer moves by its ways and clicks at exact pixels`(
        pause: UInt32
    ) throws {
        let server = try VNCServer()
        let viewer = try server.viewer()
        let witness = try ClickWitness(server)
        let observer = try Observer(server, pause: pause)
        defer { observer.stop() }
        var random = SplitMix(seed: 51)
        var steps: [[Int]] = []
        let start = witness.hand.pointer
        var last = (x: Int(start.x), y: Int(start.y))
        var heard: [Click] = []
        let count = isProof ? 3000 : 300
        for round in 0..<count {
            // Corners too, and one axis alone.
            let place = (
                x: Bool.random(using: &random)
                    ? Int.random(in: 0..<1024, using: &random)
                    : [0, 1023, last.x].randomElement(using: &random) ?? 0,
                y: Bool.random(using: &random)
                    ? Int.random(in: 0..<768, using: &random)
                    : [0, 767, last.y].randomElement(using: &random) ?? 0
            )
            try viewer.move(toX: place.x, y: place.y)
            if place != last { steps.append([place.x - last.x, place.y - last.y]) }
            last = place
            if round % 3 == 0 { try viewer.click([1, 2, 3].randomElement(using: &random) ?? 1) }
            if round % 10 == 0 {
                try viewer.synchronize()
                heard += witness.heard().map(\.click)
                usleep(.random(in: 0...20_000, using: &random))
            }
        }
        try viewer.synchronize()
        heard += witness.heard().map(\.click)
        let result = Comparison(observer.seen, heard, steps)
        print("VNC, read every \(pause) µs: \(result)")
        #expect(result.clicks == (count + 2) / 3 * 2)
        #expect(result.wrong == 0)
        #expect(result.strange == 0)
        // Of a device the server remembers no more than 255 events.
        if pause < 100_000 { #expect(result.known >= result.clicks * 3 / 4) }
    }

    @Test func `a program that sends positions and movements in turns is followed`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let witness = try ClickWitness(desktop)
        let observer = try Observer(desktop, pause: 60_000)
        defer { observer.stop() }
        var random = SplitMix(seed: 52)
        var steps: [[Int]] = []
        var heard: [Click] = []
        var last = witness.hand.pointer
        let count = isProof ? 3000 : 300
        for _ in 0..<count {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let place = (
                    x: Int32.random(in: 0..<1280, using: &random),
                    y: Int32.random(in: 0..<1024, using: &random)
                )
                hand.put(x: place.x, y: place.y)
            case 1:
                hand.move(
                    dx: .random(in: -300...300, using: &random),
                    dy: .random(in: -300...300, using: &random)
                )
            default:
                hand.button(1, down: true)
                hand.button(1, down: false)
            }
            hand.flush()
            let now = hand.pointer
            if now != last { steps.append([Int(now.x - last.x), Int(now.y - last.y)]) }
            last = now
            if Int.random(in: 0..<8, using: &random) == 0 {
                heard += witness.heard().map(\.click)
                usleep(.random(in: 0...30_000, using: &random))
            }
        }
        heard += witness.heard().map(\.click)
        let seen = observer.seen
        let result = Comparison(seen, heard, steps)
        print("XTEST in turns: \(result)")
        #expect(result.wrong == 0)
        #expect(result.known >= result.clicks / 2)
        // A movement is stored as far as the device went, the way as far as the screen lets it.
        var (x, y) = (0, 0)
        var isKnown = false
        var lost = 0
        for event in seen.map(\.event) {
            switch event.payload {
            case .motion(let dx, let dy):
                x = min(max(x + Int(dx), 0), 1279)
                y = min(max(y + Int(dy), 0), 1023)
                if let place = event.pixel { (x, y, isKnown) = (Int(place.x), Int(place.y), true) }
            case .button:
                guard let place = event.pixel else { continue }
                if isKnown, (x, y) != (Int(place.x), Int(place.y)) { lost += 1 }
                (x, y, isKnown) = (Int(place.x), Int(place.y), true)
            default: continue
            }
        }
        // Thousands a second, in turns: what comes while the server is asked can only be guessed.
        #expect(lost * 20 < result.clicks, "adding up the movements leads to the clicks")
    }

    @Test func `a desktop of another size has exact pixels again`() throws {
        let server = try VNCServer()
        let viewer = try server.viewer()
        let witness = try ClickWitness(server)
        let observer = try Observer(server)
        defer { observer.stop() }
        for (width, height) in [(800, 600), (1280, 1024), (640, 480)] {
            try server.resize(width: width, height: height)
            let isResized = eventually { observer.screens.last.map { Int($0.width) } == width }
            #expect(isResized)
            try viewer.move(toX: width / 2, y: height / 2)
            try viewer.synchronize()
            observer.round()
            observer.clear()
            _ = witness.heard()
            let start = witness.hand.pointer
            try viewer.move(toX: width - 1, y: height - 1)
            try viewer.click()
            try viewer.move(toX: 7, y: 9)
            try viewer.click(3)
            try viewer.synchronize()
            let heard = witness.heard().map(\.click)
            let result = Comparison(
                observer.seen,
                heard,
                [
                    [width - 1 - Int(start.x), height - 1 - Int(start.y)],
                    [8 - width, 10 - height],
                ]
            )
            #expect(heard.count == 4)
            #expect(result.wrong == 0 && result.strange == 0 && result.known == 4, "\(result)")
        }
    }

    @Test func `a wheel of a viewer turns once a notch`() throws {
        let server = try VNCServer()
        let viewer = try server.viewer()
        let witness = try ClickWitness(server)
        let observer = try Observer(server)
        defer { observer.stop() }
        try viewer.move(toX: 100, y: 100)
        for number in [4, 5, 5, 6, 7, 7, 7] { try viewer.click(number) }
        try viewer.synchronize()
        let turns = observer.seen.compactMap { seen -> [Int32]? in
            guard case .scroll(let dx, let dy) = seen.event.payload else { return nil }
            return [dx / 120, dy / 120]
        }
        #expect(turns == [[0, -1], [0, 1], [0, 1], [-1, 0], [1, 0], [1, 0], [1, 0]])
        #expect(witness.heard().count == 14)
    }

    @Test(.enabled(if: XorgServer.refusal == nil))
    func `a mouse behind a program that puts the pointer into the corner stays a mouse`() throws {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        let hand = try Hand(server)
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server, pause: 40_000)
        defer { observer.stop() }
        observer.clear()
        var random = SplitMix(seed: 53)
        var wanted: [[Int32]] = []
        for _ in 0..<200 {
            XWarpPointer(hand.display, 0, hand.root, 0, 0, 0, 0, 0, 0)
            hand.flush()
            let step = (
                Int32.random(in: 1...40, using: &random), Int32.random(in: 1...40, using: &random)
            )
            try mouse.move(dx: step.0, dy: step.1)
            try mouse.synchronize()
            wanted.append([step.0, step.1])
            if Int.random(in: 0..<3, using: &random) == 0 { usleep(20_000) }
        }
        let seen = observer.seen.compactMap { seen -> [Int32]? in
            guard case .motion(let dx, let dy) = seen.event.payload else { return nil }
            return [dx, dy]
        }
        #expect(seen == wanted)
    }
}

extension Hand {
    /// Puts the pointer at a pixel as a program does that sends positions through XTEST.
    func put(x: Int32, y: Int32, screen: Int32 = -1) {
        typealias Put = @convention(c) (OpaquePointer?, Int32, Int32, Int32, UInt) -> Int32
        guard let library = dlopen("libXtst.so.6", RTLD_NOW),
            let symbol = dlsym(library, "XTestFakeMotionEvent")
        else {
            Issue.record("No libXtst.")
            return
        }
        _ = unsafeBitCast(symbol, to: Put.self)(display, screen, x, y, 0)
        XFlush(display)
    }
}
