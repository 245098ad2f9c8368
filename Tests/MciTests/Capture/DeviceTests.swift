// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

@testable import Capture

/// What is known of the devices, and what those tell that are no mouse.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil)) struct DeviceTests {
    @Test func `each device is told with its kind, axes and buttons, and follows its master`()
        throws
    {
        let server = try XorgServer([
            "keys": .keyboard, "mouse": .mouse, "pen": .tablet, "glass": .touch,
        ])
        let hand = try Hand(server)
        let observer = try Observer(server)
        defer { observer.stop() }
        func named(_ name: String) throws -> (id: UInt8, device: Device) {
            let found = observer.devices.first { $0.value.name == name }
            let entry = try #require(found, "\(name)")
            return (entry.key, entry.value)
        }
        #expect(try named("keys").device.kind == .keyboard)
        #expect(try named("keys").device.axes.isEmpty)
        let mouse = try named("mouse")
        #expect(mouse.device.kind == .mouse && mouse.device.buttons == 12)
        #expect(mouse.device.master == 2)
        #expect(mouse.device.axes.prefix(2).map(\.isAbsolute) == [false, false])
        #expect(mouse.device.axes.first?.label == "Rel X")
        #expect(mouse.device.axes.first?.range == 0...0, "movements have no bounds")
        let pen = try named("pen").device
        #expect(pen.kind == .tablet)
        #expect(pen.axes.first { $0.number == 0 }?.range == 0...65_535)
        #expect(pen.axes.first { $0.label == "Abs Pressure" }?.isAbsolute == true)
        #expect(try named("glass").device.kind == .touchscreen)

        hand.addMaster(name: "second")
        let second = try named("second pointer").id
        hand.attach(mouse.id, to: second)
        #expect(try named("mouse").device.master == second)
        hand.attach(mouse.id, to: nil)
        #expect(try named("mouse").device.master == 0, "it floats")
        hand.attach(mouse.id, to: 2)
        #expect(try named("mouse") == mouse)
    }

    @Test func `a device is injected where the server's property says so, whatever its name`()
        throws
    {
        let server = try XorgServer(["fake XTEST keyboard": .keyboard, "mouse": .mouse])
        let observer = try Observer(server)
        defer { observer.stop() }
        let injected = observer.devices.values.filter(\.isInjected).map(\.name)
        #expect(
            Set(injected) == ["Virtual core XTEST keyboard", "Virtual core XTEST pointer"]
        )
        #expect(observer.devices.values.contains { $0.name == "fake XTEST keyboard" })
    }

    @Test func `a pen tells positions and pressure, and the pixel they mean`() throws {
        let server = try XorgServer(["mouse": .mouse, "pen": .tablet], isWide: true)
        let hand = try Hand(server)
        _ = hand.open(WindowPlan(app: "Canvas", frame: (0, 0, 2560, 1200), isPopup: true))
        let pen = try server.device("pen")
        let observer = try Observer(server)
        defer { observer.stop() }
        var random = SplitMix(seed: 71)
        try pen.proximity(true, [0: 1, 1: 1])
        for _ in 0..<20 {
            observer.clear()
            let (x, y) = (
                Int32.random(in: 0...65_535, using: &random),
                Int32.random(in: 0...65_535, using: &random)
            )
            let pressure = Int32.random(in: 1...1000, using: &random)
            let axes = [0: Double(x), 1: Double(y), 4: Double(pressure)]
            try pen.move(axes, absolute: true)
            try pen.button(1, down: true)
            try pen.button(1, down: false)
            try pen.synchronize()
            let seen = observer.seen.map(\.event)
            guard case .axes(let values)? = seen.first?.payload else {
                Issue.record("No axes.")
                return
            }
            #expect(values[0] == x && values[1] == y && values[4] == pressure)
            let place = hand.pointer
            let pixel = Pixel(x: Int16(place.x), y: Int16(place.y))
            #expect(seen.dropFirst().map(\.pixel) == [pixel, pixel])
            #expect(Int32(pixel.x) == x * 2560 / 65_536 && Int32(pixel.y) == y * 1024 / 65_536)
        }
    }

    @Test func `a pen's pressure, tilt and turn are told as they are, beside its wheel`() {
        var axes = PointerAxes()
        for number in 0..<7 { axes.add(number: number, isAbsolute: true) }
        axes.scroll = [PointerAxes.Scroll(axis: 6, isVertical: true, increment: 15)]
        var event = X11Event.Axes()
        event.present = 0b0111_1101
        event.move.raw.x = 4000
        event.others = [812, -63, 64, -900, 15, 9]
        event.move.present = 1
        var told: [String] = []
        axes.read(event) { payload in
            switch payload {
            case .axes(let values): told.append(values.words)
            case .scroll(let dx, let dy): told.append("scroll \(dx) \(dy)")
            default: told.append("other")
            }
        }
        #expect(told == ["scroll 0 120", "0=4000 2=812 3=-63 4=64 5=-900"])
    }

    @Test func `fractions of counts add up, and an axis that is not told moves nothing`() {
        var axes = PointerAxes()
        func read(_ x: Double?, _ y: Double?) -> [Int32] {
            var move = X11Event.Move()
            move.present = (x == nil ? 0 : 1) | (y == nil ? 0 : 2)
            move.raw = (x ?? 0, y ?? 0)
            guard case .motion(let dx, let dy) = axes.read(move) else { return [] }
            return [dx, dy]
        }
        #expect(read(0.25, nil).isEmpty)
        #expect(read(0.25, 3) == [1, 3], "half a count is rounded up")
        #expect(read(nil, 1) == [0, 1])
        #expect(read(0.5, -0.5) == [0, -1])
        #expect(read(nil, nil).isEmpty)
        #expect(read(-7.75, 0.5) == [-8, 1])
    }

    @Test func `a wheel turns by its increment and is no other axis`() throws {
        let server = try XorgServer(["mouse": .mouse])
        let mouse = try server.device("mouse")
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server)
        defer { observer.stop() }
        func seen(_ axes: [Int: Double]) throws -> [String] {
            observer.clear()
            try mouse.move(axes)
            try mouse.synchronize()
            return observer.seen.map {
                switch $0.event.payload {
                case .scroll(let dx, let dy): "scroll \(dx) \(dy)"
                case .motion(let dx, let dy): "motion \(dx) \(dy)"
                default: "other"
                }
            }
        }
        #expect(try seen([3: 120]) == ["scroll 0 120"])
        #expect(try seen([3: 30]) == ["scroll 0 30"], "a part of a notch")
        #expect(try seen([0: 5, 2: -120]) == ["scroll -120 0", "motion 5 0"])
    }

    @Test func `other monitors are told as they come`() throws {
        let server = try XorgServer(["mouse": .mouse], isWide: true)
        try server.randr("--addmode", "DUMMY1", "800x600")
        let observer = try Observer(server)
        defer { observer.stop() }
        func monitor(_ x: Int16, _ width: UInt16, _ height: UInt16) -> [Int] {
            [Int(x), 0, Int(width), Int(height)]
        }
        func last() -> [[Int]] {
            observer.screens.last?.monitors
                .map { [Int($0.x), Int($0.y), Int($0.width), Int($0.height)] }.sorted {
                    $0[0] < $1[0]
                }
                ?? []
        }
        #expect(last() == [monitor(0, 1280, 1024), monitor(1280, 1280, 1024)])
        #expect(observer.screens.last?.width == 2560)
        // Inside a desktop of the same size, which only RandR tells.
        try server.randr(
            "--fb",
            "2560x1024",
            "--output",
            "DUMMY1",
            "--pos",
            "1280x0",
            "--mode",
            "800x600"
        )
        #expect(eventually { last() == [monitor(0, 1280, 1024), monitor(1280, 800, 600)] })
        #expect(observer.screens.last?.width == 2560)
        try server.randr("--output", "DUMMY1", "--off")
        #expect(eventually { last() == [monitor(0, 1280, 1024)] })
        #expect(observer.screens.last?.width == 1280)
    }
}
