// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

/// The Xorg of the tests itself: what its devices are told is what another client sees.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct RigTests {
    @Test func `every kind of device does what it is told`() throws {
        let server = try XorgServer([
            "keyboard 1": .keyboard, "keyboard 2": .keyboard, "mouse": .mouse, "pad": .absolute,
            "pen": .tablet, "touch": .touch,
        ])
        // How fast the server thinks a movement was depends on how busy the machine is.
        let plain = try Program.run(
            "xset",
            ["m", "1/1", "1"],
            environment: ["DISPLAY": server.display]
        )
        #expect(plain.code == 0, "\(plain.errors)")
        let witness = try RawWitness(server)
        typealias Seen = RawWitness.Seen

        func sees(_ device: String, _ wanted: [Seen], _ body: (InputTestDevice) throws -> Void)
            throws
        {
            let tested = try server.device(device)
            try body(tested)
            try tested.synchronize()
            let seen = witness.seen()
            #expect(seen == wanted, "\(device): \(seen)")
        }
        func same(_ type: Int32, _ device: String, _ detail: Int32, _ axes: [Int: Double]) -> Seen {
            Seen(type: type, device: device, detail: detail, counts: axes, values: axes)
        }
        for keyboard in ["keyboard 2", "keyboard 1"] {
            try sees(
                keyboard,
                [
                    same(XI_RawKeyPress, keyboard, 38, [:]),
                    same(XI_RawKeyRelease, keyboard, 38, [:]),
                ]
            ) {
                try $0.key(38, down: true)
                try $0.key(38, down: false)
            }
        }
        var fast = same(XI_RawMotion, "mouse", 0, [0: 7, 1: -3])
        fast.values = [0: 17.5, 1: -7.5]
        try sees(
            "mouse",
            [
                same(XI_RawMotion, "mouse", 0, [0: 5]), fast,
                same(XI_RawMotion, "mouse", 0, [3: 15, 2: -30]),
                same(XI_RawButtonPress, "mouse", 9, [:]),
                same(XI_RawButtonRelease, "mouse", 9, [:]),
            ]
        ) {
            try $0.move(dx: 5, dy: 0)
            try $0.move(dx: 7, dy: -3, acceleration: 2.5)
            try $0.move([3: 15, 2: -30])
            try $0.button(9, down: true)
            try $0.button(9, down: false)
        }
        let spot = [0: 100.0, 1: 60.0]
        try sees("pad", [same(XI_RawMotion, "pad", 0, spot)]) {
            try $0.move(spot, absolute: true)
        }
        let pressed = [0: 1000.0, 1: 600.0, 4: 55.0]
        try sees("pen", [same(XI_RawMotion, "pen", 0, pressed)]) {
            try $0.proximity(true, [:])
            try $0.move(pressed, absolute: true)
        }
        let finger = [0: 20_000.0, 1: 30_000.0, 4: 9.0]
        try sees(
            "touch",
            [
                same(XI_RawTouchBegin, "touch", 1, finger),
                same(XI_RawTouchUpdate, "touch", 1, pressed),
                same(XI_RawTouchEnd, "touch", 1, pressed),
            ]
        ) {
            try $0.touch(0, .begin, finger)
            try $0.touch(0, .update, pressed)
            try $0.touch(0, .end, pressed)
        }
    }

    @Test func `two monitors stand side by side`() throws {
        let server = try XorgServer(["mouse": .mouse], isWide: true)
        let list = try Program.run("xrandr", ["-d", server.display, "--listmonitors"]).lines
        #expect(
            list.count == 3 && list[1].contains("1280/") && list[2].contains("+1280+0"),
            "\(list)"
        )
    }
}
