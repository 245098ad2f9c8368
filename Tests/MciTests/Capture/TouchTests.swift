// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

@testable import Capture

/// Whose the touch of a finger is, and where it was.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal)) struct TouchTests {
    private let server: XorgServer
    private let secret: Hand
    private let plain: Hand

    init() throws {
        server = try XorgServer(["glass": .touch, "mouse": .mouse])
        secret = try Hand(server)
        plain = try Hand(server)
    }

    /// What the glass tells for a pixel's middle.
    private func axes(_ x: Int, _ y: Int) -> [Int: Double] {
        [0: ((Double(x) + 0.5) * 65_536 / 1280).rounded(), 1: (Double(y) + 0.5) * 64]
    }

    private struct Truth {
        var app: String
        var finger: UInt8
        var phase: Touch.Phase
        var pixel: Pixel
    }

    private struct Finger {
        var number: UInt8
        var app: String
    }

    @Test func `no touch in one window counts as another's, with several fingers and a mouse`()
        throws
    {
        let (glass, mouse) = (try server.device("glass"), try server.device("mouse"))
        _ = plain.open(WindowPlan(app: "Plain", frame: (640, 0, 640, 1024), isPopup: true))
        let window = secret.open(WindowPlan(app: "Secret", frame: (0, 0, 640, 1024), isPopup: true))
        let menu = secret.open(WindowPlan(app: "Secret", frame: (600, 0, 300, 300), isPopup: true))
        secret.unmap(menu)
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        let observer = try Observer(server)
        defer { observer.stop() }
        var random = SplitMix(seed: 91)
        var truth: [Truth] = []
        var fingers: [UInt32: Finger] = [:]
        var isMenuOpen = false
        func app(_ x: Int, _ y: Int) -> String {
            if isMenuOpen, (600..<900).contains(x), y < 300 { return "Secret" }
            return x < 640 ? "Secret" : "Plain"
        }
        let count = isProof ? 10_000 : 600
        while truth.count < count {
            switch Int.random(in: 0..<30, using: &random) {
            case 0...1:
                isMenuOpen.toggle()
                if isMenuOpen { secret.map(menu) } else { secret.unmap(menu) }
            case 2: secret.raise(window)
            case 3...4:
                try mouse.move(dx: .random(in: -400...400, using: &random), dy: 3)
                try mouse.synchronize()
            default: break
            }
            if isMenuOpen { secret.raise(menu) }
            let slot = UInt32.random(in: 0..<3, using: &random)
            let (x, y) = (
                Int.random(in: 0..<1280, using: &random), Int.random(in: 0..<1024, using: &random)
            )
            let place = Pixel(x: Int16(x), y: Int16(y))
            if let finger = fingers[slot] {
                let isEnd = Int.random(in: 0..<4, using: &random) == 0
                truth.append(
                    Truth(
                        app: finger.app,
                        finger: finger.number,
                        phase: isEnd ? .up : .move,
                        pixel: place
                    )
                )
                try glass.touch(slot, isEnd ? .end : .update, axes(x, y))
                if isEnd { fingers[slot] = nil }
            } else {
                let taken = fingers.values.map(\.number)
                let number = (UInt8(0)..<3).first { !taken.contains($0) } ?? 3
                let finger = Finger(number: number, app: app(x, y))
                fingers[slot] = finger
                truth.append(Truth(app: finger.app, finger: number, phase: .down, pixel: place))
                try glass.touch(slot, .begin, axes(x, y))
            }
            try glass.synchronize()
            if Int.random(in: 0..<4, using: &random) == 0 { usleep(30_000) }
        }
        let seen = observer.seen.compactMap { seen -> (touch: Touch, seen: Observer.Seen)? in
            if case .touch(let touch) = seen.event.payload { (touch, seen) } else { nil }
        }
        #expect(seen.count == truth.count)
        var (wrong, changed, known) = (0, 0, [Touch.Phase: Int]())
        for (truth, seen) in zip(truth, seen) {
            let isSame =
                seen.touch.finger == truth.finger && seen.touch.phase == truth.phase
                && seen.seen.event.pixel == truth.pixel
            if !isSame { changed += 1 }
            guard let app = seen.seen.context.facts?.app else { continue }
            if app != truth.app { wrong += 1 } else { known[truth.phase, default: 0] += 1 }
        }
        let all = Dictionary(grouping: truth, by: \.phase).mapValues(\.count)
        print(
            "touch: \(truth.count) events, \(wrong) in another window, "
                + Touch.Phase.allCases.map { "\($0) known \(known[$0] ?? 0) of \(all[$0] ?? 0)" }
                .joined(separator: ", ")
        )
        #expect(changed == 0)
        #expect(wrong == 0)
        #expect((known[.down] ?? 0) * 3 > (all[.down] ?? 0))
    }

    @Test func `a tap and a pinch within one window are known whole`() throws {
        let glass = try server.device("glass")
        _ = plain.open(WindowPlan(app: "Plain", frame: (0, 0, 1280, 1024), isPopup: true))
        let observer = try Observer(server)
        defer { observer.stop() }
        func synchronize() throws {
            try glass.synchronize()
            observer.round()
        }
        for _ in 0..<10 {
            try glass.touch(0, .begin, axes(100, 100))
            // What a tap opens elsewhere takes nothing from it.
            let tip = secret.open(WindowPlan(app: "Tip", frame: (500, 500, 50, 50), isPopup: true))
            try glass.touch(0, .end, axes(100, 100))
            secret.close(tip)
            try synchronize()
            try glass.touch(0, .begin, axes(300, 300))
            try glass.touch(1, .begin, axes(400, 400))
            for step in 1...9 {
                try glass.touch(0, .update, axes(300 - step, 300))
                try glass.touch(1, .update, axes(400 + step, 400))
            }
            try glass.touch(0, .end, axes(290, 300))
            try glass.touch(1, .end, axes(410, 400))
            try synchronize()
        }
        let apps = observer.seen.map { $0.context.facts?.app }
        #expect(apps.count == 240 && apps.allSatisfy { $0 == "Plain" }, "\(apps.count)")
    }

    @Test func `after a finger nobody can place, the mouse is known at once`() throws {
        let (glass, mouse) = (try server.device("glass"), try server.device("mouse"))
        _ = plain.open(WindowPlan(app: "Plain", frame: (0, 0, 640, 1024), isPopup: true))
        _ = secret.open(WindowPlan(app: "Secret", frame: (640, 0, 640, 1024), isPopup: true))
        let observer = try Observer(server)
        defer { observer.stop() }
        // Each window is looked at once.
        for x in [1000, 100] {
            try glass.touch(0, .begin, axes(x, 100))
            try glass.touch(0, .end, axes(x, 100))
            try glass.synchronize()
            observer.round()
        }
        observer.clear()
        try glass.touch(0, .begin, axes(100, 100))
        try glass.touch(1, .begin, axes(1000, 100))
        try glass.synchronize()
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        try glass.touch(1, .update, axes(1010, 100))
        try glass.synchronize()
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        // The second finger is in a window that the pointer is not in.
        #expect(
            observer.seen.map { $0.context.facts?.app } == ["Plain", nil, "Plain", nil, "Plain"]
        )
        observer.clear()
        // A device that is gone has no fingers; a new one begins with the first.
        try server.restart("glass")
        let again = try server.device("glass")
        try again.touch(0, .begin, axes(200, 100))
        try again.touch(0, .end, axes(200, 100))
        try again.synchronize()
        let seen = observer.seen.suffix(2)
        let fingers = seen.compactMap { seen -> UInt8? in
            if case .touch(let touch) = seen.event.payload { touch.finger } else { nil }
        }
        #expect(fingers == [0, 0])
        #expect(seen.map { $0.context.facts?.app } == ["Plain", "Plain"])
    }

    /// The applications of what has come since, nil for unknown.
    private static func apps(_ glass: InputTestDevice, _ reader: StepReader) throws -> [String?] {
        try glass.synchronize()
        return try reader.read().map { $0.context.facts?.app }
    }

    /// Of touches the applications, nil for unknown.
    private func apps(_ observer: Observer) -> [String?] {
        observer.seen.compactMap { seen -> String?? in
            guard case .touch = seen.event.payload else { return nil }
            return .some(seen.context.facts?.app)
        }
    }

    @Test func `what comes under a resting finger does not get its touch, grab or not`() throws {
        let glass = try server.device("glass")
        let window = secret.open(WindowPlan(app: "Secret", frame: (0, 0, 640, 1024), isPopup: true))
        secret.selectTouches(window)
        _ = plain.open(WindowPlan(app: "Plain", frame: (640, 0, 640, 1024), isPopup: true))
        let reader = try StepReader(server)
        func apps() throws -> [String?] { try Self.apps(glass, reader) }
        func tap(_ x: Int, _ y: Int = 500) throws {
            try glass.touch(0, .begin, axes(x, y))
            try glass.touch(0, .end, axes(x, y))
            for _ in 0..<3 { _ = try apps() }
        }
        // Each window is looked at.
        for x in [300, 1000, 300] { try tap(x) }

        // A window appears under the finger.
        try glass.touch(0, .begin, axes(300, 500))
        #expect(try apps() == ["Secret"])
        let tip = plain.open(WindowPlan(app: "Plain", frame: (200, 400, 200, 200), isPopup: true))
        for _ in 0..<3 { _ = try apps() }
        for step in 1...5 { try glass.touch(0, .update, axes(300 + step, 500)) }
        #expect(try apps() == [nil, nil, nil, nil, nil], "it is no more where the pointer is")
        plain.close(tip)
        for _ in 0..<3 { _ = try apps() }
        try glass.touch(0, .end, axes(310, 500))
        #expect(try apps() == ["Secret"])

        // A program grabs the pointer as the finger comes down elsewhere, and lets go of it.
        let menu = plain.open(WindowPlan(app: "Plain", frame: (700, 100, 50, 50), isPopup: true))
        try tap(725, 125)
        for isGrabbed in [true, false] {
            if isGrabbed { try tap(300) } else { for _ in 0..<3 { _ = try apps() } }
            try glass.touch(0, .begin, axes(300, 500))
            try glass.synchronize()
            if isGrabbed { try #require(plain.grabPointer(menu)) } else { plain.ungrabPointer() }
            try glass.touch(0, .update, axes(310, 500))
            try glass.touch(0, .end, axes(310, 500))
            let told = try apps()
            #expect(told.count == 3 && !told.contains("Plain"), "\(told)")
        }
    }

    @Test func `an overlay that lets touches through from now on keeps those it got`() throws {
        let glass = try server.device("glass")
        _ = plain.open(WindowPlan(app: "Plain", frame: (0, 0, 1280, 1024), isPopup: true))
        let overlay = secret.open(
            WindowPlan(app: "Secret", frame: (800, 0, 400, 400), isPopup: true)
        )
        let reader = try StepReader(server)
        func apps() throws -> [String?] { try Self.apps(glass, reader) }
        for x in [900, 100] {
            try glass.touch(0, .begin, axes(x, 100))
            try glass.touch(0, .end, axes(x, 100))
            for _ in 0..<3 { _ = try apps() }
        }
        try glass.touch(0, .begin, axes(100, 100))
        #expect(try apps() == ["Plain"])
        for isOpen in [false, true] {
            try glass.touch(1, .begin, axes(900, 100))
            try glass.synchronize()
            if !isOpen {
                try server.letInputThrough(overlay)
            }
            try glass.touch(1, .end, axes(900, 100))
            // The second time the finger really is in the window below.
            #expect(try apps() == (isOpen ? ["Plain", "Plain"] : [nil, nil]))
        }
    }

    @Test func `taps and pinches in framed windows are known, each time`() throws {
        let (glass, mouse) = (try server.device("glass"), try server.device("mouse"))
        let manager = try plain.startManager(of: server)
        defer { manager.end() }
        let window = plain.open(WindowPlan(app: "Plain", frame: (100, 100, 400, 400)))
        try #require(eventually { plain.isManaged(window) })
        let origin = plain.origin(of: window)
        let observer = try Observer(server)
        defer { observer.stop() }
        func settle() throws {
            try glass.synchronize()
            try mouse.synchronize()
            observer.round()
        }
        let (x, y) = (Int(origin.x) + 100, Int(origin.y) + 100)
        for round in 0..<6 {
            try glass.touch(0, .begin, axes(x, y))
            try glass.touch(1, .begin, axes(x + 50, y + 50))
            try glass.touch(0, .end, axes(x + 1, y))
            try glass.touch(1, .end, axes(x + 50, y + 50))
            try settle()
            // At first the window is looked at, and what the manager writes on it makes that void.
            if round > 1 {
                #expect(apps(observer) == Array(repeating: "Plain", count: 4), "\(round)")
            }
            observer.clear()
            // Every other time the pointer has left the window meanwhile.
            if round % 2 == 0 {
                try mouse.move(dx: 700, dy: 0)
                try settle()
                observer.clear()
            }
        }
    }

    @Test func `behind a change of the desktop a finger has its pixel, or none`() throws {
        let server = try XorgServer(["glass": .touch], isWide: true)
        let glass = try server.device("glass")
        let reader = try StepReader(server)
        func places() throws -> [Pixel?] {
            for phase: InputTestDevice.TouchPhase in [.begin, .end] {
                try glass.touch(0, phase, [0: 32_768, 1: 32_768])
            }
            try glass.synchronize()
            return try reader.read().map(\.event.pixel)
        }
        let (wide, narrow) = (Pixel(x: 1280, y: 512), Pixel(x: 640, y: 512))
        #expect(try places() == [wide, wide])
        try server.randr("--output", "DUMMY1", "--off")
        // In one reading with the change: the mark of the other monitor is gone as well.
        #expect(try places().allSatisfy { $0 == nil })
        #expect(try places() == [narrow, narrow])
    }

    @Test func `a window was where it is now unless something moved`() {
        #expect(TouchOwners.wasThere(7, before: []))
        let tip: [X11Event] = [
            .created(window: 9, parent: 1), .rearranged(window: 9), .unmapped(window: 9),
        ]
        #expect(TouchOwners.wasThere(7, before: tip))
        #expect(!TouchOwners.wasThere(9, before: tip), "it came since")
        for event: X11Event in [
            .destroyed(window: 8), .unmapped(window: 8), .reparented(window: 8, parent: 1),
            .rearranged(window: 8), .rearranged(window: 7), .screenChanged,
        ] {
            #expect(!TouchOwners.wasThere(7, before: [event]), "it may have covered it, or not")
        }
    }

    /// Touch screens with these numbers.
    private func fingers(_ ids: UInt8..., touch: X11Connection.TouchMode? = .direct) -> TouchOwners
    {
        var fingers = TouchOwners()
        fingers.use(devices(ids, touch: touch))
        return fingers
    }

    private func devices(
        _ ids: [UInt8],
        touch: X11Connection.TouchMode? = .direct,
        master: UInt8 = 2
    ) -> [UInt8: X11Connection.DeviceEntry] {
        var device = Device(name: "glass", master: master)
        device.axes = (0...1).map {
            Device.Axis(number: $0, isAbsolute: true, range: 0...65_535)
        }
        let entry = X11Connection.DeviceEntry(
            device: device,
            axes: PointerAxes(),
            isMasterPointer: false,
            touch: touch
        )
        return Dictionary(uniqueKeysWithValues: ids.map { ($0, entry) })
    }

    @Test func `a finger is of the pointer only as long as that is in the window it came down in`()
    {
        func header(_ device: UInt8, _ time: UInt32 = 1000) -> X11Event.RawHeader {
            X11Event.RawHeader(time: time, device: device, master: 2, isEmulated: false)
        }
        let glass = header(5)
        var one = fingers(5)
        #expect(!one.take(glass, 1, .down, .inside(7), 8).isOfPointer, "the pointer did not come")
        #expect(
            !one.take(glass, 2, .down, .crossed, 7).isOfPointer,
            "one not alone moves no pointer"
        )
        #expect(one.take(glass, 3, .down, .inside(7), 7) == (2, true))
        #expect(!one.take(glass, 3, .move, .unknown, 8).isOfPointer)
        #expect(one.take(glass, 3, .move, .unknown, 7).isOfPointer)
        #expect(!one.take(glass, 3, .up, .unknown, nil).isOfPointer)
        #expect(one.take(glass, 9, .move, .unknown, 7) == (2, false), "nobody saw it come")
        #expect(one.take(glass, 1, .up, .unknown, 7).isOfPointer, "the pointer came later")

        var two = fingers(5, 6)
        #expect(two.take(glass, 1, .down, .crossed, 7) == (0, true))
        #expect(!two.take(glass, 1, .move, .unknown, 8).isOfPointer, "a window came between")
        #expect(two.take(header(6), 2, .down, .crossed, 8) == (0, true), "it took the pointer away")
        #expect(!two.take(glass, 4, .down, .crossed, nil).isOfPointer, "in whatever window")
        #expect(two.take(header(6), 2, .move, .unknown, 8).isOfPointer)

        // What is gone, floats, or is another pointer's has let go.
        for (ids, master) in [([UInt8](), UInt8(2)), ([5], 0), ([5], 4)] {
            var fingers = fingers(5)
            _ = fingers.take(glass, 1, .down, .crossed, 7)
            fingers.use(devices(ids, master: master))
            #expect(!fingers.take(glass, 1, .move, .unknown, 7).isOfPointer)
        }
        var other = fingers(5, touch: .dependent)
        #expect(other.take(glass, 1, .down, .unknown, nil).isOfPointer, "where the pointer is")
        other = fingers(5, touch: nil)
        #expect(!other.take(glass, 1, .down, .crossed, 7).isOfPointer, "nobody knows what it is")

        // The end of a finger that is silent for long may not have been told.
        var late = fingers(5)
        _ = late.take(glass, 1, .down, .crossed, 7)
        #expect(late.take(header(5, 60_999), 2, .down, .crossed, 7) == (1, false))
        _ = late.take(header(5, 60_999), 2, .up, .unknown, 7)
        #expect(late.take(header(5, 61_000), 3, .down, .crossed, 7) == (0, true))
        #expect(!late.take(header(5, 61_001), 1, .move, .unknown, 7).isOfPointer)
    }
}
