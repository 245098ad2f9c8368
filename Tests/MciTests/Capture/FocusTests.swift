// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Gate
import Testing

/// Whose a key is, with real windows: one of which nothing may be recorded and one that is plain.
@Suite(.serialized) struct FocusTests {
    /// Two programs, and a hand that types: `x` into the secret one alone, `p` into the plain one.
    final class Scene {
        let desktop: Desktop
        let typist: Hand
        let hands: [Hand]
        var windows: [[UInt]] = [[], []]
        var manager: Process?

        init(managed: Bool) throws {
            desktop = try Desktop()
            typist = try Hand(desktop)
            hands = [try Hand(desktop), try Hand(desktop)]
            guard managed else { return }
            manager = try typist.startManager(of: desktop)
        }

        deinit { manager?.end() }

        var keycodes: [UInt8] { ["x", "p"].map { UInt8(typist.keycode($0)) } }

        /// Gives a window the focus, in one of the ways there are, and waits until it has it.
        func focus(_ kind: Int, _ window: UInt, way: Int) -> Bool {
            let hand = hands[kind]
            if manager == nil || way == 0 {
                hand.focus(window)
            } else if way == 1 {
                hand.activate(window)
            } else {
                hand.activate(window)
                let origin = hand.origin(of: window)
                typist.move(toX: origin.x + 5, y: origin.y + 5)
                typist.button(1, down: true)
                typist.button(1, down: false)
                typist.flush()
            }
            return eventually(within: 2) { hand.focused == window }
        }

        func type(_ kind: Int, _ count: Int) {
            let name = kind == 0 ? "x" : "p"
            for _ in 0..<count {
                typist.key(name, down: true)
                typist.key(name, down: false)
            }
            typist.flush()
        }
    }

    @Test(arguments: [false, true])
    func `no key of one program counts as another's, at random switches`(managed: Bool) throws {
        let scene = try Scene(managed: managed)
        let observer = try Observer(scene.desktop)
        defer { observer.stop() }
        let load = try Load(scene.desktop, pause: 900)
        var random = SplitMix(seed: managed ? 21 : 22)
        let count = isProof ? 10_000 : 300
        // What the programs themselves got, by keycode and time: a manager moves the focus when it likes.
        var truth: [[UInt64]] = [[], []]
        for step in 0..<count {
            let kind = Int.random(in: 0...1, using: &random)
            var isNew = false
            if scene.windows[kind].isEmpty || Int.random(in: 0..<100, using: &random) == 0 {
                let plan = WindowPlan(
                    app: ["Secret", "Plain"][kind],
                    frame: (Int32(10 + 300 * kind), Int32(20), 250, 100)
                )
                let window = scene.hands[kind].open(plan)
                scene.windows[kind].append(window)
                scene.hands[kind].listen(window)
                if managed { #expect(eventually { scene.hands[kind].isViewable(window) }) }
                isNew = step < 10 || step % 4 != 0
            } else if scene.windows[kind].count > 3 {
                let old = scene.windows[kind].removeFirst()
                scene.hands[kind].close(old)
                if managed { _ = eventually(within: 2) { !scene.hands[kind].isViewable(old) } }
            }
            let window = try #require(scene.windows[kind].randomElement(using: &random))
            let way = managed ? step % 3 : 0
            guard scene.focus(kind, window, way: way) else { continue }
            // Mostly a window is looked at before something is typed into it.
            if isNew { usleep(50_000) }
            scene.type(kind, Int.random(in: 1...4, using: &random))
            if Int.random(in: 0..<8, using: &random) == 0 { usleep(30_000) }
            for kind in 0...1 { truth[kind] += scene.hands[kind].heardKeys() }
        }
        load.stop()
        for kind in 0...1 { truth[kind] += scene.hands[kind].heardKeys() }
        let keys = observer.seen.filter { $0.event.isPress }
        let (secret, plain) = (Marks(truth[0]), Marks(truth[1]))
        #expect(secret.count + plain.count >= keys.count * 9 / 10)
        func seen(_ app: String?) -> Marks {
            Marks(keys.filter { $0.context.facts?.app == app }.map(\.event.mark))
        }
        // Some keys of one millisecond may have gone to both: so many to each.
        let wrong = seen("Plain").count(beyond: plain)
        let foreign = seen("Secret").count(beyond: secret)
        let unknown = plain.count(beyond: seen("Plain"))
        print(
            """
            focus\(managed ? " with openbox" : ""): \(count) switches, \(keys.count) keys, \
            \(wrong) secret ones taken for plain, \(foreign) plain for secret, \
            \(percent(unknown, plain.count)) of the plain ones unknown
            """
        )
        #expect(wrong == 0)
        #expect(foreign == 0)
        #expect(keys.count > count)
        #expect(unknown * 20 < plain.count)
    }

    @Test func `no key typed under a private title counts as typed under a public one`() throws {
        let scene = try Scene(managed: false)
        let observer = try Observer(scene.desktop) { $0.app == "Browser" }
        defer { observer.stop() }
        var random = SplitMix(seed: 23)
        let hand = scene.hands[0]
        let windows = ["Private", "Public"].map {
            hand.open(WindowPlan(app: "Browser", title: $0))
        }
        // Its title changes while it is in front and while it is not.
        let third = hand.open(WindowPlan(app: "Browser", title: "Public"))
        var thirdKind = 1
        let count = isProof ? 10_000 : 300
        for _ in 0..<count {
            var kind = Int.random(in: 0...1, using: &random)
            var window = windows[kind]
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                (kind, window) = (thirdKind, third)
            case 1:
                thirdKind = Int.random(in: 0...1, using: &random)
                hand.setTitle(third, ["Private", "Public"][thirdKind])
                // Where it is in front already, its keys are now of this kind.
                (kind, window) = (thirdKind, third)
            default: break
            }
            if window == third || hand.focused != window { hand.focus(window) }
            scene.type(kind, Int.random(in: 1...4, using: &random))
            if Int.random(in: 0..<8, using: &random) == 0 { usleep(30_000) }
        }
        let keys = observer.seen.filter { $0.event.isKey }
        let secret = keys.filter { $0.event.keycode == scene.keycodes[0] }
        let plain = keys.filter { $0.event.keycode == scene.keycodes[1] }
        let wrong = secret.filter { $0.context.facts.map { $0.title != "Private" } ?? false }
        let foreign = plain.filter { $0.context.facts.map { $0.title != "Public" } ?? false }
        let unknown = plain.filter { $0.context.facts == nil }
        print(
            """
            titles: \(count) switches, \(keys.count) keys, \(wrong.count) private ones taken for \
            public, \(foreign.count) the other way, \(percent(unknown.count, plain.count)) unknown
            """
        )
        #expect(wrong.isEmpty)
        #expect(foreign.isEmpty)
        #expect(keys.count > count)
        #expect(unknown.count * 2 < plain.count)
    }

    @Test func `a program that says the focus went elsewhere is not believed`() throws {
        let scene = try Scene(managed: false)
        let observer = try Observer(scene.desktop)
        defer { observer.stop() }
        let secret = scene.hands[0].open(WindowPlan(app: "Secret"))
        let plain = scene.hands[1].open(WindowPlan(app: "Plain"))
        for (kind, window) in [(1, plain), (0, secret)] {
            try #require(scene.focus(kind, window, way: 0))
            scene.type(kind, 3)
            observer.round()
        }
        observer.clear()
        scene.hands[1].sendFocus(to: plain, from: secret)
        scene.type(0, 3)
        observer.round()
        let apps = observer.seen.filter(\.event.isKey).map { $0.context.facts?.app }
        #expect(apps.count == 6 && apps.allSatisfy { $0 == "Secret" }, "\(apps)")
    }

    @Test func `an id that is given again is another window's`() throws {
        let scene = try Scene(managed: false)
        let observer = try Observer(scene.desktop)
        defer { observer.stop() }
        var random = SplitMix(seed: 24)
        var ids: Set<UInt> = []
        let count = isProof ? 1000 : 60
        for _ in 0..<count {
            let kind = Int.random(in: 0...1, using: &random)
            // The server gives the next client the numbers of the one that has gone.
            let hand = try Hand(scene.desktop)
            let window = hand.open(WindowPlan(app: ["Secret", "Plain"][kind]))
            ids.insert(window)
            hand.focus(window)
            if Bool.random(using: &random) { usleep(60_000) }
            scene.type(kind, 3)
        }
        let keys = observer.seen.filter { $0.event.isPress }
        let wrong = keys.filter {
            guard let app = $0.context.facts?.app else { return false }
            return app != ($0.event.keycode == scene.keycodes[0] ? "Secret" : "Plain")
        }
        #expect(ids.count < count / 2)
        #expect(wrong.isEmpty)
        #expect(keys.filter { $0.context.facts != nil }.count > count)
    }

    @Test func `a title is read where it is needed, and anew when the need changes`() throws {
        let scene = try Scene(managed: false)
        let observer = try Observer(scene.desktop) { $0.app == "Browser" && $0.instance == "main" }
        defer { observer.stop() }
        let hand = scene.hands[0]
        let window = hand.open(WindowPlan(app: "Browser", instance: "main", title: "Grüße 1"))
        let other = hand.open(WindowPlan(app: "Browser", instance: "other", title: "Grüße 2"))
        func facts(_ window: UInt) -> WindowFacts? {
            hand.focus(window)
            observer.clear()
            scene.type(0, 1)
            return observer.seen.last?.context.facts
        }
        #expect(facts(window) == WindowFacts(app: "Browser", instance: "main", title: "Grüße 1"))
        #expect(facts(other) == WindowFacts(app: "Browser", instance: "other"))
        observer.readTitles { $0.instance == "other" }
        #expect(facts(window) == WindowFacts(app: "Browser", instance: "main"))
        #expect(facts(other)?.title == "Grüße 2")
        let old = hand.open(WindowPlan(app: "Browser", instance: "other"))
        #expect(facts(old) == WindowFacts(app: "Browser", instance: "other", title: ""))
        hand.setTitle(old, "Old", old: true)
        #expect(facts(old)?.title == "Old")
        hand.setTitle(old, String(repeating: "long ", count: 4000))
        #expect(facts(old) == WindowFacts(app: "Browser", instance: "other"))
        hand.setClass(old, "Other", "other")
        #expect(facts(old)?.app == "Other")
    }

    @Test func `a title and a class are read as Latin-1 and as UTF-8, whatever they say they are`()
        throws
    {
        let scene = try Scene(managed: false)
        let observer = try Observer(scene.desktop) { _ in true }
        defer { observer.stop() }
        let hand = scene.hands[0]
        let window = hand.open(WindowPlan(app: "Browser", instance: "main"))
        func facts(_ title: [UInt8]?, type: String? = "STRING", of atom: String = "WM_NAME")
            -> WindowFacts?
        {
            if let title, let type { hand.setText(window, atom, title, type: type) }
            hand.focus(window)
            observer.clear()
            scene.type(0, 1)
            return observer.seen.last?.context.facts
        }
        let bank = Rule(title: Glob("*Банк*"))
        let miller = Rule(title: Glob("*müller*"))
        #expect(!bank.matches(try #require(facts(Array("Bank".utf8)))))
        #expect(bank.matches(try #require(facts(Array("Мой Банк — Chrome".utf8)))))
        #expect(facts(nil)?.title == "Мой Банк — Chrome", "the likely reading is told")
        #expect(miller.matches(try #require(facts(Array("Frau Müller".utf8)))))
        #expect(
            miller.matches(try #require(facts(Array("Frau M".utf8) + [0xFC] + Array("ller".utf8))))
        )
        #expect(facts(nil)?.title == "Frau Müller")
        // A text that is UTF-8 by accident.
        let accident: [UInt8] = Array("M".utf8) + [0xC3, 0xBC] + Array("ller".utf8)
        #expect(Rule(title: Glob("MÃ¼ller")).matches(try #require(facts(accident))))
        // UTF-8 that is none.
        let wrong = Array("Frau M".utf8) + [0xFC] + Array("ller".utf8)
        #expect(
            miller.matches(try #require(facts(wrong, type: "UTF8_STRING", of: "_NET_WM_NAME")))
        )
        hand.setText(
            window,
            "WM_CLASS",
            Array("m".utf8) + [0xFC] + Array("ller".utf8) + [0] + [0xD6, 0x6C, 0],
            type: "STRING"
        )
        let named = try #require(facts(nil))
        #expect(named.app == "Öl" && named.instance == "müller")
        hand.setText(window, "WM_CLASS", Array("müller\0Öl\0".utf8), type: "STRING")
        let other = try #require(facts(nil))
        #expect(other.app == "Öl" && other.instance == "müller")
        #expect(Rule(app: Glob("ÖL")).matches(other) && Rule(app: Glob("mÃ¼ller")).matches(other))
    }
}

/// How often each key occurs.
private struct Marks {
    private var counts: [UInt64: Int] = [:]

    init(_ marks: [UInt64]) {
        for mark in marks { counts[mark, default: 0] += 1 }
    }

    var count: Int { counts.values.reduce(0, +) }

    /// How many there are that the other has not.
    func count(beyond other: Marks) -> Int {
        counts.reduce(0) { $0 + max(0, $1.value - other.counts[$1.key, default: 0]) }
    }
}

extension RawEvent {
    var isPress: Bool {
        if case .key(let key) = payload { key.isDown } else { false }
    }

    /// The key and the server's time of it.
    fileprivate var mark: UInt64 {
        UInt64(keycode ?? 0) << 32 | UInt64(UInt32(truncatingIfNeeded: time.milliseconds))
    }
}

/// A share in percent, with two digits behind the point.
func percent(_ part: Int, _ whole: Int) -> String {
    String(format: "%.2f %%", whole == 0 ? 0 : Double(part) * 100 / Double(whole))
}

extension Hand {
    /// Sets a property of a window to bytes, as of a type.
    fileprivate func setText(_ window: UInt, _ name: String, _ bytes: [UInt8], type: String) {
        let (name, type) = (XInternAtom(display, name, 0), XInternAtom(display, type, 0))
        XChangeProperty(
            display,
            window,
            name,
            type,
            8,
            PropModeReplace,
            bytes,
            Int32(bytes.count)
        )
        flush()
    }

    /// Tells everybody, who may believe it or not, that the focus went from a window to another.
    fileprivate func sendFocus(to new: UInt, from old: UInt) {
        for (type, window) in [(FocusOut, old), (FocusIn, new)] {
            var event = XEvent()
            event.xfocus.type = type
            event.xfocus.window = window
            event.xfocus.detail = Int32(NotifyNonlinear)
            XSendEvent(display, window, 0, FocusChangeMask, &event)
        }
        flush()
    }
}
