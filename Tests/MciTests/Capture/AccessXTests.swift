// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

@testable import Capture

/// What the server's keyboard filters take out of what programs get.
@Suite(.serialized) struct AccessXTests {
    let desktop: Desktop
    let hand: Hand
    let window: UInt

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
        window = hand.openWindow(app: "Editor")
        hand.listen(window)
    }

    private func set(_ controls: Int, _ isOn: Bool, of device: Int32 = XkbUseCoreKbd) {
        let bits = UInt32(controls)
        _ = XkbChangeEnabledControls(hand.display, UInt32(device), bits, isOn ? bits : 0)
        hand.flush()
    }

    /// The keys of which it is known where they went, of those that were typed.
    private func known(_ observer: Observer, _ names: [String]) -> [UInt8] {
        observer.clear()
        hand.type(names)
        return observer.seen.filter { $0.event.isPress && $0.context != .unknown }
            .compactMap(\.event.keycode)
    }

    private func codes(_ names: [String]) -> [UInt8] { names.map { UInt8(hand.keycode($0)) } }

    @Test(arguments: [
        XkbSlowKeysMask, XkbBounceKeysMask, XkbOverlay1Mask, XkbSlowKeysMask | XkbStickyKeysMask,
    ])
    func `no key is anybody's while a filter may swallow it`(controls: Int) throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        let names = ["a", "b", "b", "F5"]
        #expect(known(observer, names) == codes(names))
        set(controls, true)
        #expect(known(observer, names).isEmpty)
        // One that was in force before.
        let second = try Observer(desktop)
        defer { second.stop() }
        #expect(known(second, names).isEmpty)
        set(controls, false)
        usleep(0)
        #expect(known(observer, names) == codes(names))
        #expect(known(second, names) == codes(names))
    }

    @Test func `a filter of one keyboard counts, whoever types`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        let devices = observer.devices
        let xtest = try #require(devices.first { $0.value.name == "Virtual core XTEST keyboard" })
        set(XkbBounceKeysMask, true, of: Int32(xtest.key))
        #expect(known(observer, ["a", "b"]).isEmpty)
        set(XkbBounceKeysMask, false, of: Int32(xtest.key))
        #expect(known(observer, ["a", "b"]) == codes(["a", "b"]))
    }

    @Test func `a program gets what counts as its own under BounceKeys and without`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        observer.round()
        _ = hand.heardKeys()
        var random = SplitMix(seed: 81)
        var heard: [UInt8] = []
        for step in 0..<60 {
            if step % 6 == 0 { set(XkbBounceKeysMask, step % 12 == 0) }
            hand.type([["a", "b"].randomElement(using: &random) ?? "a"])
            heard += hand.heardKeys().map { UInt8(truncatingIfNeeded: $0 >> 32) }
        }
        set(XkbBounceKeysMask, false)
        let known = observer.seen.filter { $0.event.isPress && $0.context != .unknown }
            .compactMap(\.event.keycode)
        #expect(heard.count < 60, "the filter swallowed some")
        #expect(known.count == 30, "half of them without the filter")
        // What is known is a part of what the program got, in its order.
        var rest = heard[...]
        for code in known {
            let index = rest.firstIndex(of: code)
            #expect(index != nil)
            rest = index.map { rest[($0 + 1)...] } ?? []
        }
    }

    @Test func `a key of the keypad that moves the pointer is nobody's, others are typed`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        _ = known(observer, ["a"])
        _ = hand.heardKeys()
        let names = ["a", "KP_Up", "KP_Begin", "KP_Add", "b", "Return"]
        #expect(known(observer, names) == codes(names))
        #expect(hand.heardKeys().count == 6)
        set(XkbMouseKeysMask, true)
        #expect(known(observer, names) == codes(["a", "b", "Return"]))
        #expect(hand.heardKeys().count == 3, "as the program got them")
        set(XkbMouseKeysMask, false)
        #expect(known(observer, names) == codes(names))
    }

    @Test func `a modifier that StickyKeys latches counts for the next key, repeats are none`()
        throws
    {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        _ = known(observer, ["a"])
        set(XkbStickyKeysMask | XkbRepeatKeysMask, true)
        observer.clear()
        hand.type(["Shift_L"])
        hand.type(["a", "a"])
        hand.key("b", down: true)
        hand.flush()
        usleep(700_000)
        hand.key("b", down: false)
        hand.flush()
        let keysyms = observer.seen.compactMap { seen -> UInt32? in
            guard case .key(let key) = seen.event.payload, key.isDown else { return nil }
            return key.keysym
        }
        #expect(keysyms == [0xFFE1, 0x41, 0x61, 0x62])
    }
}
