// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// The numbers of buttons: those that programs are told.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct ButtonMapTests {
    let server: XorgServer
    let mouse: InputTestDevice
    let hand: Hand
    let witness: ClickWitness

    init() throws {
        server = try XorgServer(["mouse": .mouse, "other": .mouse])
        mouse = try server.device("mouse")
        hand = try Hand(server)
        witness = try ClickWitness(server)
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
    }

    /// The buttons in words; notches as the buttons they stand for.
    private func seen(_ observer: Observer) -> [(word: String, isKnown: Bool)] {
        observer.seen.compactMap { seen in
            let isKnown = seen.context != .unknown
            switch seen.event.payload {
            case .button(let number, let isDown):
                return ("\(number) \(isDown ? "down" : "up")", isKnown)
            case .scroll(let dx, let dy):
                let number = dy < 0 ? 4 : dy > 0 ? 5 : dx < 0 ? 6 : 7
                return ("\(number) down", isKnown)
            default: return nil
            }
        }
    }

    private func heard() throws -> [String] {
        for device in server.devices.values { try device.synchronize() }
        hand.flush()
        return witness.heard().map(\.click)
            .filter { $0.isDown || !(4...7).contains($0.number) }
            .map { "\($0.number) \($0.isDown ? "down" : "up")" }
    }

    private func setMap(_ numbers: [UInt8]) {
        // As many as there are buttons; the others keep their numbers.
        var map = [UInt8](repeating: 0, count: 256)
        let count = Int(XGetPointerMapping(hand.display, &map, 256))
        map = Array(map.prefix(count))
        map.replaceSubrange(0..<numbers.count, with: numbers)
        _ = XSetPointerMapping(hand.display, map, Int32(count))
        hand.flush()
    }

    private func setMap(_ numbers: [Int], of device: String) throws {
        let words = ["set-button-map", device] + numbers.map(String.init)
        let result = try Program.run("xinput", words, environment: ["DISPLAY": server.display])
        try #require(result.code == 0, "\(result.errors)\(result.output)")
    }

    private func press(_ numbers: [UInt8], _ device: InputTestDevice? = nil) throws {
        for number in numbers {
            try (device ?? mouse).button(number, down: true)
            try (device ?? mouse).button(number, down: false)
        }
        try (device ?? mouse).synchronize()
    }

    @Test func `a button has the number that programs are told, under every map`() throws {
        let observer = try Observer(server)
        defer { observer.stop() }
        _ = try heard()
        observer.clear()
        // The pointer's map, a device's, both, one without a button, and none again.
        try press([1, 2, 3, 8, 9])
        setMap([3, 2, 1, 5, 4, 6, 7, 9, 8])
        observer.round()
        try press([1, 2, 3, 8, 9])
        for number: UInt32 in [1, 3, 4, 5] {
            hand.button(number, down: true)
            hand.button(number, down: false)
        }
        hand.flush()
        try setMap([2, 3, 1, 4, 5, 6, 7, 8, 12], of: "mouse")
        observer.round()
        try press([1, 2, 3, 9])
        try press([1, 3], server.device("other"))
        setMap([1, 0, 3])
        observer.round()
        try press([1, 2, 3, 11])
        let mine = observer.devices.first { $0.value.name == "mouse" }?.value.buttonMap
        #expect(mine == [0, 3, 1, 5, 4, 6, 7, 9, 12, 10, 11, 12])
        try setMap([1, 2, 3, 4, 5, 6, 7, 8, 9], of: "mouse")
        setMap([1, 2, 3, 4, 5, 6, 7, 8, 9])
        observer.round()
        try press([1, 2, 3])
        let told = try heard()
        let seen = seen(observer)
        let words = seen.map(\.word)
        #expect(words == told)
        let known = seen.count { $0.isKnown }
        #expect(known == seen.count)
        #expect(told.count > 40)
        let mapped = observer.devices.values.count { !$0.buttonMap.isEmpty }
        #expect(mapped == 0)
    }

    @Test func `no button has a number of another time, at random changes of the map`() throws {
        let observer = try Observer(server, pause: 60_000)
        defer { observer.stop() }
        _ = try heard()
        observer.clear()
        var random = SplitMix(seed: 61)
        var told: [String] = []
        for _ in 0..<(isProof ? 3000 : 300) {
            if Int.random(in: 0..<4, using: &random) == 0 {
                setMap([1, 2, 3].shuffled(using: &random))
            }
            try press([.random(in: 1...3, using: &random)])
            if Int.random(in: 0..<10, using: &random) == 0 {
                usleep(.random(in: 0...40_000, using: &random))
            }
            told += try heard()
        }
        let seen = seen(observer)
        let known = seen.count { $0.isKnown }
        let wrong = zip(seen, told).count { $0.isKnown && $0.word != $1 }
        print("maps: \(told.count) events, \(known) known, \(wrong) wrong")
        #expect(seen.count == told.count)
        #expect(wrong == 0)
        #expect(known > 0)
    }

    @Test(arguments: [4, 5, 6, 7] as [UInt8])
    func `a notch that a driver posts as a button counts once beside wheels`(number: UInt8) throws {
        let observer = try Observer(server)
        defer { observer.stop() }
        _ = try heard()
        observer.clear()
        try press([number, number, 1, number])
        // The same notch by the axis of the wheel.
        let axis = number < 6 ? 3 : 2
        let turn = number % 2 == 0 ? -120.0 : 120
        try mouse.move([axis: turn])
        try mouse.move([0: 3, axis: turn])
        // A device of the server without wheels.
        hand.button(UInt32(number), down: true)
        hand.button(UInt32(number), down: false)
        let told = try heard()
        #expect(told.count == 8)
        let words = seen(observer).map(\.word)
        #expect(words == told)
    }
}
