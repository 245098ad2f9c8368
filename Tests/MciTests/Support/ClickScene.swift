// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

/// A way of clicking.
enum ClickScene: String, CaseIterable {
    /// A mouse whose movements are accelerated, far beyond the edges too.
    case one = "one monitor"
    case beside = "two monitors"
    /// The same at the pace of a hand: it rests for a moment where it clicks.
    case calm = "two monitors, a hand that rests"
    case lower = "a smaller monitor beside, lower"
    case left = "a smaller primary monitor on the left"
    case split = "a monitor split in two"
    /// The server itself multiplies the movements.
    case scaled = "a mouse the server slows down"
    case pen = "a pen"
    case mapped = "a pen mapped to one monitor"
    /// A program clicks, with the server's own device for that.
    case program = "a program"
    case turns = "a mouse, a pen and a program in turns"
    // What moves the pointer without being told:
    case warps = "a program that moves the pointer"
    case visits = "a program that clicks elsewhere and goes back"
    case steps = "a mouse at rest that a program moves away and back"
    case confined = "a grab that confines the pointer"
    case frozen = "a grab that holds clicks back"
    case touched = "a touch between"

    /// Whether only devices move the pointer: then the pixel of nearly every click must be known.
    var isCertain: Bool {
        switch self {
        case .one, .calm, .beside, .lower, .left, .split, .scaled, .pen, .mapped, .program, .turns:
            true
        case .warps, .visits, .steps, .confined, .frozen, .touched: false
        }
    }

    /// The share of clicks that may be without a pixel.
    var mostUnknown: Double {
        // Of a program's visits every click is elsewhere.
        if !isCertain { return self == .visits ? 1 : 0.99 }
        // The others move and click a thousand times a second, which no hand does: further than the
        // server remembers before a click is read. Accelerated movements are fractions, too, cut on the
        // wire: where they end just at the border of two pixels, and others follow before the click is
        // read, nobody can say which of the two it was. And after a mouse a pen may tell one axis: then
        // the server rounds the other one.
        return switch self {
        case .pen, .mapped: 0
        case .calm: 0.01
        default: 0.5
        }
    }

    static let devices: [String: InputTestDevice.Kind] = [
        "mouse": .mouse, "pen": .tablet, "glass": .touch,
    ]

    /// A server with the monitors of the scene.
    func server() throws -> XorgServer {
        let server = try XorgServer(
            Self.devices,
            isWide: ![.one, .split, .scaled, .program].contains(self)
        )
        switch self {
        case .lower, .left:
            try server.randr("--addmode", "DUMMY1", "800x600")
            let place = self == .lower ? "1280x200" : "0x424"
            try server.randr(
                "--output",
                "DUMMY0",
                "--pos",
                self == .lower ? "0x0" : "800x0",
                "--output",
                "DUMMY1",
                "--mode",
                "800x600",
                "--pos",
                place,
                "--primary"
            )
        case .split:
            try server.randr("--setmonitor", "West", "640/300x1024/400+0+0", "DUMMY0")
            try server.randr("--setmonitor", "East", "640/300x1024/400+640+0", "none")
        case .scaled:
            try server.transform("mouse", "0.37 0 0 0 0.37 0 0 0 1")
        case .mapped:
            try server.transform("pen", "0.5 0 0.5 0 1 0 0 0 1")
        default: break
        }
        return server
    }
}

extension XorgServer {
    /// Sets the matrix with which the server transforms what a device says.
    func transform(_ device: String, _ matrix: String) throws {
        let words =
            ["--set-prop", "pointer:\(device)", "--type=float", "Coordinate Transformation Matrix"]
            + matrix.split(separator: " ").map(String.init)
        let result = try Program.run("xinput", words, environment: ["DISPLAY": display])
        try #require(result.code == 0, "\(result.errors)\(result.output)")
    }
}

/// Plays a scene: clicks as its device does, and keeps what the witness was told.
struct ClickPlayer {
    let scene: ClickScene
    let server: XorgServer
    let witness: ClickWitness
    /// What moves the pointer or grabs it, as another program.
    let other: Hand
    private(set) var heard: [ClickWitness.Heard] = []
    private var random = SplitMix(seed: 5)
    private var isDown = false
    /// Whether the pen is at the tablet.
    private var isNear = false

    init(_ scene: ClickScene, _ server: XorgServer, _ witness: ClickWitness) throws {
        (self.scene, self.server, self.witness) = (scene, server, witness)
        other = try Hand(server)
    }

    mutating func play(_ count: Int) throws {
        if scene == .frozen { holdClicks() }
        if scene == .confined { confine() }
        for click in 0..<count {
            try step()
            // A reading in which something else moved the pointer tells of no click where it was, so
            // that some must have one reading for themselves.
            if !scene.isCertain, oneIn(3) { usleep(.random(in: 0...250_000, using: &random)) }
            // Sometimes a pause, so that readings end anywhere.
            if Int.random(in: 0..<12, using: &random) == 0 {
                usleep(.random(in: 0...30_000, using: &random))
            }
            if click % 50 == 49 { try listen() }
        }
        if isDown { try click() }
        try listen()
    }

    private mutating func listen() throws {
        for device in server.devices.values { try device.synchronize() }
        other.flush()
        heard += witness.heard()
    }

    private mutating func step() throws {
        let mouse = try server.device("mouse")
        switch scene {
        case .one, .beside, .lower, .left, .split:
            try wander(mouse)
            try click()
        case .calm:
            try wander(mouse)
            try click()
            try mouse.synchronize()
            usleep(.random(in: 40_000...60_000, using: &random))
        case .scaled:
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                try mouse.move(dx: reach(90), dy: reach(90))
            }
            try click()
        case .pen, .mapped: try draw()
        case .program:
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                other.move(dx: reach(200), dy: reach(200))
            }
            other.button(1, down: true)
            other.button(1, down: false)
        case .turns: try turn(mouse)
        case .warps:
            try wander(mouse)
            if oneIn(4) { try warp(by: reach(2), reach(2)) }
            try click()
            if oneIn(4) { try warp(by: reach(2), reach(2)) }
        case .visits: try visit(mouse)
        case .steps:
            try mouse.move(dx: reach(20), dy: reach(20))
            let (x, y) = (reach(300), reach(300))
            let isAway = oneIn(2)
            if isAway { try warp(by: x, y) }
            try click()
            if isAway { try warp(by: -x, -y) }
        case .confined:
            try wander(mouse)
            try click()
        case .frozen:
            if oneIn(2) { try mouse.move(dx: reach(30), dy: reach(30)) }
            try click()
            if oneIn(3) { try mouse.move(dx: reach(30), dy: reach(30)) }
            try mouse.synchronize()
            if oneIn(4) { usleep(.random(in: 0...30_000, using: &random)) }
            XAllowEvents(other.display, ReplayPointer, 0)
            other.flush()
        case .touched:
            try wander(mouse)
            if oneIn(5) { try touch() }
            try click()
        }
    }

    // MARK: What a scene does

    private mutating func click() throws {
        let mouse = try server.device("mouse")
        isDown.toggle()
        try mouse.button(1, down: isDown)
        if oneIn(20) { try mouse.synchronize() }
    }

    /// Some steps, now and then far beyond an edge, with whatever acceleration.
    private mutating func wander(_ mouse: InputTestDevice) throws {
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let far: Int32 = oneIn(12) ? 3000 : 30
            try mouse.move(
                dx: reach(far),
                dy: reach(far),
                acceleration: .random(in: 0.2...3.7, using: &random)
            )
        }
    }

    private mutating func draw() throws {
        let pen = try server.device("pen")
        if !isNear { try pen.proximity(true, [0: 1, 1: 1]) }
        isNear = true
        let axes: [Int: Double] = [
            0: Double(Int32.random(in: 0...65_535, using: &random)),
            1: Double(Int32.random(in: 0...65_535, using: &random)),
            4: Double(Int32.random(in: 0...1000, using: &random)),
        ]
        // A pen that goes straight across says one axis alone.
        let told = oneIn(6) ? axes.filter { $0.key != 1 } : axes
        try pen.move(told, absolute: true)
        try pen.button(1, down: true)
        try pen.button(1, down: false)
    }

    /// One device after the other presses, and often does not move before.
    private mutating func turn(_ mouse: InputTestDevice) throws {
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            if oneIn(2) { try wander(mouse) }
            try mouse.button(2, down: true)
            try mouse.button(2, down: false)
            try mouse.synchronize()
        case 1:
            try draw()
            try server.device("pen").synchronize()
        default:
            if oneIn(2) { other.move(dx: reach(20), dy: reach(20)) }
            other.button(3, down: true)
            other.button(3, down: false)
            other.flush()
        }
        if oneIn(4) { usleep(.random(in: 0...60_000, using: &random)) }
    }

    /// What `xdotool mousemove X Y click 1 mousemove restore` does.
    private mutating func visit(_ mouse: InputTestDevice) throws {
        try mouse.move(dx: reach(20), dy: reach(20))
        try mouse.synchronize()
        let home = other.pointer
        XWarpPointer(other.display, 0, other.root, 0, 0, 0, 0, 640 + reach(500), 512 + reach(400))
        other.button(1, down: true)
        other.button(1, down: false)
        XWarpPointer(other.display, 0, other.root, 0, 0, 0, 0, home.x, home.y)
        other.flush()
    }

    private func warp(by x: Int32, _ y: Int32) throws {
        try server.device("mouse").synchronize()
        XWarpPointer(other.display, 0, 0, 0, 0, 0, 0, x, y)
        other.flush()
    }

    private mutating func touch() throws {
        let glass = try server.device("glass")
        let axes = [
            0: Double(UInt16.random(in: 0...65_535, using: &random)),
            1: Double(UInt16.random(in: 0...65_535, using: &random)),
        ]
        // The witness is told of clicks that the server makes of touches; those are no buttons.
        try listen()
        try glass.touch(1, .begin, axes)
        try glass.touch(1, .end, axes)
        try glass.synchronize()
        _ = witness.heard()
    }

    /// Clicks into the witness's window wait until this program has let them through, as a window
    /// manager does that raises what is clicked.
    private func holdClicks() {
        XGrabButton(
            other.display,
            1,
            UInt32(AnyModifier),
            witness.window,
            0,
            UInt32(ButtonPressMask),
            GrabModeSync,
            GrabModeAsync,
            0,
            0
        )
        other.flush()
    }

    /// Keeps the pointer inside a part of the witness's window, whose clicks it still gets.
    private func confine() {
        let hand = witness.hand
        let frame = hand.open(
            WindowPlan(frame: (300, 200, 500, 400), isPopup: true, parent: witness.window)
        )
        XGrabPointer(
            hand.display,
            witness.window,
            0,
            UInt32(ButtonPressMask | ButtonReleaseMask),
            GrabModeAsync,
            GrabModeAsync,
            frame,
            0,
            0
        )
        hand.flush()
    }

    // MARK: Chance

    private mutating func oneIn(_ count: Int) -> Bool {
        Int.random(in: 0..<count, using: &random) == 0
    }

    private mutating func reach(_ most: Int32) -> Int32 {
        .random(in: -most...most, using: &random)
    }
}
