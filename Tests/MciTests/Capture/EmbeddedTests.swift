// SPDX-License-Identifier: Apache-2.0

import CX11
import Capture
import Events
import Gate
import Person
import Testing

/// Windows of one program inside those of another: what the rules say of either holds for both.
@Suite(.serialized) struct EmbeddedTests {
    /// Two programs, and what capture says of their input.
    private final class Scene {
        let desktop: Desktop
        let host: Hand
        let guest: Hand
        let source: X11Source
        private var contexts: [Events.InputStream: AppContext] = [:]

        init() throws {
            desktop = try Desktop()
            host = try Hand(desktop)
            guest = try Hand(desktop)
            source = try X11Source(of: desktop)
        }

        /// Types a key and moves the pointer, and says of both whose they were.
        func act(on window: UInt) throws -> [Events.InputStream: AppContext] {
            host.focus(window)
            // The first of each only asks.
            for _ in 0..<3 {
                host.key("a", down: true)
                host.key("a", down: false)
                host.move(toX: 30, y: 30)
                host.move(toX: 32, y: 32)
                try read()
            }
            return contexts
        }

        func read() throws {
            host.flush()
            guest.flush()
            _ = try source.drain(now: SystemClock.now().monotonic) { event in
                if case .context(let context, let stream, _) = event { contexts[stream] = context }
            }
        }

        /// Puts a window of the guest into one of the host.
        func embed(_ window: UInt, into parent: UInt) {
            XReparentWindow(guest.display, window, parent, 120, 40)
            XMapWindow(guest.display, window)
            XSync(guest.display, 0)
        }
    }

    private func isLeftOut(_ contexts: [Events.InputStream: AppContext], _ app: String) -> [Bool] {
        let rule = Rule(app: Glob(app))
        return Events.InputStream.allCases.map { stream in
            guard case .window(let window)? = contexts[stream] else { return true }
            return ([window] + window.around).contains { rule.matches($0) }
        }
    }

    @Test func `what is embedded counts with its host, however it came there`() throws {
        let scene = try Scene()
        let window = scene.host.open(WindowPlan(app: "Host"))
        let socket = scene.host.open(WindowPlan(parent: window))
        XSync(scene.host.display, 0)
        let plain = try scene.act(on: window)
        #expect(plain[.keyboard]?.facts?.app == "Host" && plain[.pointer]?.facts?.app == "Host")
        #expect(isLeftOut(plain, "secretplug") == [false, false])
        // It is moved into the socket, as GtkPlug does by itself.
        let plug = scene.guest.open(WindowPlan(app: "secretplug", frame: (300, 300, 50, 50)))
        scene.embed(plug, into: socket)
        let moved = try scene.act(on: window)
        #expect(moved[.keyboard]?.facts?.app == "Host")
        #expect(isLeftOut(moved, "secretplug") == [true, true])
        // It is gone: keys at once, the pointer when it has left.
        XDestroyWindow(scene.guest.display, plug)
        scene.guest.flush()
        let gone = try scene.act(on: window)
        #expect(isLeftOut(gone, "secretplug") == [false, true])
        scene.host.move(toX: 600, y: 400)
        try scene.read()
        #expect(isLeftOut(try scene.act(on: window), "secretplug") == [false, false])
        // It is made there, and named later.
        let inner = scene.guest.open(WindowPlan(parent: socket))
        scene.guest.flush()
        _ = try scene.act(on: window)
        scene.guest.setClass(inner, "secretplug", "x")
        scene.guest.flush()
        try scene.read()
        #expect(isLeftOut(try scene.act(on: window), "secretplug") == [true, true])
    }

    @Test func `a window in an exempt one is exempt, whatever it calls itself`() throws {
        let scene = try Scene()
        let outer = scene.host.open(WindowPlan(app: "Secret"))
        let child = scene.host.open(WindowPlan(app: "Harmless", parent: outer))
        XSync(scene.host.display, 0)
        let contexts = try scene.act(on: child)
        #expect(contexts[.keyboard]?.facts?.app == "Harmless")
        #expect(isLeftOut(contexts, "Secret") == [true, true])
        #expect(isLeftOut(contexts, "Harmless") == [true, true])
        #expect(isLeftOut(contexts, "Other") == [false, false])
    }
}
