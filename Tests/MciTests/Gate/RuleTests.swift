// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

@Suite struct GlobTests {
    @Test(arguments: [
        ("*", "", true), ("a", "A", true), ("a*", "abc", true), ("*c", "abc", true),
        ("a?c", "abc", true), ("a?c", "ac", false), ("a*b*c", "a-b-b-c", true), ("a", "ab", false),
        ("*Private Browsing*", "x — Mozilla Firefox PRIVATE browsing", true),
        ("ÄRGER", "ärger", true), ("caf\u{E9}", "cafe\u{301}", true), ("?", "👩‍👩‍👧", true),
        ("**", "x", true), ("[a]", "a", false), ("a\\*", "a*", false), ("", "", false),
        ("*straße*", "12 HAUPTSTRASSE, x", true), ("*STRASSE*", "Hauptstraße", true),
        ("*STRAẞE*", "Hauptstrasse", true), ("*stra?e*", "STRAẞE", true),
        ("stra?e", "straße", true),
        ("stra?e", "strasse", false), ("stra??e", "strasse", true), ("?", "ß", true),
        ("??", "ß", false), ("s?", "ß", true), ("*s", "ß", true), ("?*?", "ß", false),
        ("ΣΊΓΜΑΣ", "σίγμας", true), ("*ΜΑΣ *", "σίγμας x", true), ("ς", "Σ", true),
        ("İstanbul", "istanbul", true), ("istanbul", "İSTANBUL", true),
        ("ISPARTA", "ısparta", true),
        ("i\u{307}x", "İX", true), ("\u{1EC9}", "\u{1EC8}", true), ("ﬁnance", "FINANCE", true),
        ("*office*", "OFFICE x", true), ("*office*", "o\u{FB03}ce", true), ("maße", "maSSe", true),
        ("ſ", "S", true), ("\u{212A}elvin", "kelvin", true), ("\u{B5}", "Μ", true),
        ("ᾳ", "ΑΙ", true), ("\u{3B1}\u{345}\u{301}", "ΆΙ", true), ("ŉ", "ʼN", true),
        ("ǆ", "ǅ", true), ("ДЕНЬГИ", "деньги", true), ("ა", "Ა", true), ("և", "ԵՒ", true),
        ("a", "ä", false), ("ss", "s", false), ("i", "j", false),
    ])
    func `a pattern matches the whole text, whatever its case`(
        pattern: String,
        text: String,
        matches: Bool
    ) {
        #expect((Glob(pattern)?.matches(text) ?? false) == matches)
    }

    @Test func `however a letter is written, in upper, lower or title case, it is the same`() {
        var folded = 0
        // Above there are no letters with cases.
        for value in UInt32(0x80)..<0x1F000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let cases = scalar.properties
            let forms = [cases.lowercaseMapping, cases.uppercaseMapping, cases.titlecaseMapping]
            guard forms.contains(where: { $0 != String(scalar) }) else { continue }
            folded += 1
            let one = CaseFolding.fold(String(scalar))
            let again = CaseFolding.fold(String(String.UnicodeScalarView(one)))
            #expect(again == one, "\(value)")
            for form in forms { #expect(CaseFolding.fold(form) == one, "\(value)") }
        }
        #expect(folded > 2700)
    }

    @Test func `a class and a title that may be read in two ways are left out by either`() {
        func window(_ edit: (inout WindowFacts) -> Void) -> WindowFacts {
            var window = WindowFacts(app: "Ã\u{96}ffner", title: "plain")
            edit(&window)
            return window
        }
        let app = Rule(app: Glob("öffner"))
        #expect(!app.matches(window { _ in }))
        #expect(app.matches(window { $0.others.app = "Öffner" }))
        #expect(app.matches(window { $0.others.instance = "öffner" }))
        let title = Rule(title: Glob("*Банк*"))
        #expect(!title.matches(window { _ in }))
        #expect(title.matches(window { $0.others.title = "Мой Банк" }))
        #expect(title.matches(window { $0.title = nil }), "what cannot be read counts as matching")
        // What is allowed must be so as it most likely reads.
        var restrictions = Restrictions()
        restrictions.allowlists = [
            [Glob("öffner")].compactMap(\.self).reduce(into: []) { $0.insert($1) }
        ]
        var gate = Gate(stopped: EventTime(0))
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound) = (true, true)
        (conditions.hasSpace, conditions.isConnected) = (true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
        let noon = WeekMinute(day: 0, minuteOfDay: 720)
        gate.use(restrictions, at: noon, from: EventTime(0)) { _ in }
        gate.set(conditions, at: EventTime(0)) { _ in }
        func isAdmitted(_ window: WindowFacts, _ time: Int64) -> Bool? {
            let time = EventTime(time)
            _ = gate.take(.context(.window(window), stream: .pointer, at: time)) { _ in }
            let event = RawEvent(time: time, device: 4, payload: .motion(dx: 1, dy: 0))
            return gate.take(.input(event, stream: .pointer)) { _ in }
        }
        #expect(isAdmitted(window { $0.others.app = "Öffner" }, 1) == false)
        #expect(isAdmitted(window { $0.app = "ÖFFNER" }, 2) == true)
    }

    @Test func `a pattern has one character or more, and no more than 256`() {
        #expect(Glob("") == nil && Glob("a") != nil)
        #expect(Glob(String(repeating: "é", count: 256)) != nil)
        #expect(Glob(String(repeating: "e", count: 257)) == nil)
    }

    @Test func `a pattern that tries much takes no more time than its length allows`() throws {
        let glob = try #require(Glob(String(repeating: "a*", count: 120) + "b"))
        #expect(!glob.matches(String(repeating: "a", count: 5000)))
    }
}

@Suite struct WeekHoursTests {
    @Test(arguments: [
        ("Mon-Fri 12:00-13:00", "Mon 12:00", true), ("Mon-Fri 12:00-13:00", "Fri 12:59", true),
        ("Mon-Fri 12:00-13:00", "Fri 13:00", false), ("Mon-Fri 12:00-13:00", "Sat 12:30", false),
        ("Sat,Sun", "Sun 23:59", true), ("Sat,Sun", "Mon 00:00", false),
        ("22:00-06:00", "Wed 05:59", true), ("22:00-06:00", "Wed 06:00", false),
        ("Fri 22:00-06:00", "Sat 05:00", true), ("Fri 22:00-06:00", "Fri 05:00", false),
        ("Sun 22:00-06:00", "Mon 05:00", true), ("Fri-Mon", "Sun 12:00", true),
        ("Fri-Mon", "Wed 12:00", false), ("mon 00:00-24:00", "Mon 23:59", true),
    ])
    func `hours of the week are what they say`(hours: String, moment: String, isIn: Bool) throws {
        let hours = try #require(WeekHours(hours))
        #expect(hours.contains(try #require(WeekMinute(moment))) == isIn)
        #expect(WeekHours(hours.text) == hours, "\(hours.text)")
    }

    @Test(arguments: [
        "", "Mon-", "Mon 12", "Mon 12:00", "12:00-12:00", "25:00-26:00", "Mon,,Tue", "Monday",
        "12:00-13:00 Mon", "Mon 12:60-13:00", "Mon 12:00-13:00 x", "Mon Tue 12:00-13:00",
        "24:00-01:00", "-1:00-02:00", "Mon-Tue-Wed", "12::30-13:00", ":12:30-13:00",
        "12:30:15-13:00", "012:00-13:00", "12:5-13:00", "12:005-13:00", "+1:00-02:00",
        "1:00-+2:00", "24:01-02:00", "1:00-24:01", "1:00-2:00-3:00", "1:00--2:00", "1:60-2:00",
        ":00-01:00", "Mon,", "Mo", "-Mon",
    ])
    func `what is no hours is refused`(text: String) {
        #expect(WeekHours(text) == nil)
    }

    @Test(arguments: ["", "Mon", "12:00", "Mon 24:00", "Mon 12:60", "Mon 12:00 x", "Day 12:00"])
    func `what is no minute of the week is refused`(text: String) {
        #expect(WeekMinute(text) == nil)
    }

    @Test func `a minute has a day and a time, and one that comes next`() throws {
        let last = try #require(WeekMinute("sun 23:59"))
        #expect((last.day, last.minuteOfDay) == (6, 1439))
        #expect(last.next == WeekMinute(day: 0, minuteOfDay: 0))
        #expect(last.next.next == WeekMinute(day: 0, minuteOfDay: 1))
        #expect(WeekMinute(day: 1, minuteOfDay: 1438).next == WeekMinute(day: 1, minuteOfDay: 1439))
        #expect(WeekMinute(day: 1, minuteOfDay: 1439).next == WeekMinute(day: 2, minuteOfDay: 0))
    }

    @Test(arguments: [(-1, 0), (7, 0), (0, -1), (0, 1440)])
    func `a week has no other minutes`(day: Int, minuteOfDay: Int) async {
        await #expect(processExitsWith: .failure) { [day, minuteOfDay] in
            _ = WeekMinute(day: day, minuteOfDay: minuteOfDay)
        }
    }

    @Test(arguments: [
        ("mon-fri 9:05-10:10", "Mon-Fri 09:05-10:10"), ("11:59-00:00", "11:59-00:00"),
        ("Mon-Sun", "Mon-Sun"), ("0:00-24:00", "Mon-Sun"), ("10:00-24:00", "10:00-24:00"),
        ("0:00-10:00", "00:00-10:00"), ("Sun,Mon,Tue,Thu", "Mon-Tue,Thu,Sun"),
        ("Sat,Sat 1:00-2:00", "Sat 01:00-02:00"),
    ])
    func `hours are told in one way, however they were written`(hours: String, text: String) {
        #expect(WeekHours(hours)?.text == text)
    }
}

@Suite struct RuleTests {
    private static let noon = WeekMinute(day: 0, minuteOfDay: 720)

    /// A gate that is open, with its outputs collected.
    private final class Rig {
        var gate = Gate(stopped: EventTime(0))
        var outputs: [GateOutput] = []

        init(_ restrictions: Restrictions, devices: [UInt8: String] = [3: "Keyboard", 4: "Pad"]) {
            var conditions = Gate.Conditions()
            conditions.keyDetail = .classes
            (conditions.hasConsent, conditions.isSound) = (true, true)
            (conditions.hasSpace, conditions.isConnected) = (true, true)
            (conditions.isAwake, conditions.isMarked) = (true, true)
            use(restrictions, at: 0)
            gate.set(conditions, at: EventTime(0)) { _ in }
            take(.devices(devices.mapValues { Device(name: $0) }))
        }

        func use(_ restrictions: Restrictions, at time: Int64, minute: WeekMinute = noon) {
            gate.use(restrictions, at: minute, from: EventTime(time)) { outputs.append($0) }
        }

        @discardableResult
        func take(_ event: CaptureEvent) -> Bool? {
            var new: [GateOutput] = []
            let isAdmitted = gate.take(event) { new.append($0) }
            outputs += new
            return isAdmitted
        }

        func enter(_ window: WindowFacts, at time: Int64) {
            for stream in InputStream.allCases {
                take(.context(.window(window), stream: stream, at: EventTime(time)))
            }
        }

        func key(at time: Int64, device: UInt8 = 3, down: Bool = true) -> Bool {
            let key = RawEvent.Key(
                keycode: 38,
                isDown: down,
                keyClass: .letter,
                modifiers: [],
                keysym: 0x61
            )
            let raw = RawEvent(time: EventTime(time), device: device, payload: .key(key))
            return take(.input(raw, stream: .keyboard)) == true
        }

        func motion(at time: Int64, device: UInt8 = 3) -> Bool {
            let raw = RawEvent(
                time: EventTime(time),
                device: device,
                payload: .motion(dx: 1, dy: 1)
            )
            return take(.input(raw, stream: .pointer)) == true
        }

        var gaps: [Gap] {
            outputs.compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
        }
        var foci: [AdmittedFocus] {
            outputs.compactMap { if case .focus(let focus) = $0 { focus } else { nil } }
        }
    }

    private static func exempting(_ rules: Rule...) -> Restrictions {
        var result = Restrictions()
        result.exemptions = Set(rules)
        return result
    }

    private static let secret = WindowFacts(app: "Secret", instance: "secret-main")
    private static let editor = WindowFacts(app: "Editor")

    @Test func `nothing of an exempt window is admitted, and one gap tells from when to when`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("secret*"))))
        rig.enter(Self.editor, at: 1)
        #expect(rig.key(at: 2) && rig.motion(at: 3))
        rig.enter(Self.secret, at: 10)
        for time: Int64 in 11..<20 { #expect(!rig.key(at: time) && !rig.motion(at: time)) }
        rig.enter(Self.editor, at: 30)
        #expect(rig.key(at: 31) && rig.motion(at: 32))
        #expect(rig.gaps.map(\.reason) == [.exempt, .exempt])
        // The keyboard's in whole steps: keys must not be told by what is left out.
        #expect(rig.gaps.contains { $0.from == EventTime(10) && $0.to == EventTime(30) })
        #expect(rig.gaps.contains { $0.from == EventTime(0) && $0.to == EventTime(5000) })
        #expect(
            rig.foci.map(\.app) == ["Editor", "", "Editor"],
            "an exempt window is not even named"
        )
    }

    @Test func `the gap of an exempt window is the same whether or not something was typed`() {
        var all: [[Gap]] = []
        for isTyped in [false, true] {
            let rig = Rig(Self.exempting(Rule(app: Glob("Secret"))))
            rig.enter(Self.secret, at: 10)
            if isTyped { for time: Int64 in 12..<25 { _ = rig.key(at: time) } }
            rig.enter(Self.editor, at: 30)
            all.append(rig.gaps)
        }
        #expect(all[0] == all[1] && all[0].count == 2)
    }

    @Test func `the instance names an application as well as the class`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("secret-main"))))
        rig.enter(Self.secret, at: 1)
        #expect(!rig.key(at: 2))
        rig.enter(WindowFacts(app: "Secret", instance: "other"), at: 3)
        #expect(rig.key(at: 4))
        rig.enter(WindowFacts(app: "Secret", instance: ""), at: 5)
        #expect(rig.key(at: 6))
    }

    @Test func `an exempt window is exempt for the pointer while another has the keyboard`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("Secret"))))
        rig.enter(Self.editor, at: 1)
        rig.take(.context(.window(Self.secret), stream: .pointer, at: EventTime(5)))
        #expect(rig.key(at: 6) && !rig.motion(at: 7))
    }

    @Test func `a title that cannot be read counts as matching`() {
        let rule = Rule(app: Glob("firefox"), title: Glob("*private*"))
        let rig = Rig(Self.exempting(rule))
        rig.enter(WindowFacts(app: "firefox", title: nil), at: 1)
        #expect(!rig.key(at: 2))
        rig.enter(WindowFacts(app: "firefox", title: "News"), at: 3)
        #expect(rig.key(at: 4))
        rig.enter(WindowFacts(app: "firefox", title: "Private Browsing"), at: 5)
        #expect(!rig.key(at: 6))
        rig.enter(WindowFacts(app: "Editor", title: nil), at: 7)
        #expect(rig.key(at: 8), "its title is not asked for")
    }

    @Test func `a device is left out by its name, one without a name always`() {
        let rig = Rig(Self.exempting(Rule(device: Glob("Pad"))))
        rig.enter(Self.editor, at: 1)
        #expect(rig.key(at: 2, device: 3))
        #expect(!rig.motion(at: 3, device: 4))
        #expect(!rig.motion(at: 4, device: 9), "nobody knows its name")
        #expect(!rig.motion(at: 4, device: 255) && !rig.motion(at: 4, device: 64))
        rig.take(.devices([3: "Pad", 4: "Keyboard", 9: "Mouse"].mapValues { Device(name: $0) }))
        #expect(!rig.key(at: 5, device: 3))
        #expect(rig.motion(at: 6, device: 4) && rig.motion(at: 7, device: 9))
        rig.enter(Self.secret, at: 20)
        #expect(Set(rig.gaps.map(\.reason)) == [.exempt])
        let begin = rig.gaps.map { $0.stream == .keyboard ? 0 : Int64(1) }
        #expect(rig.gaps.map(\.from.milliseconds) == begin, "its times are not those of input")
    }

    @Test func `a device is left out in the named windows only`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("Secret"), device: Glob("Pad"))))
        rig.enter(Self.editor, at: 1)
        #expect(rig.motion(at: 2, device: 4))
        rig.enter(Self.secret, at: 3)
        #expect(!rig.motion(at: 4, device: 4) && rig.motion(at: 5, device: 3))
    }

    @Test func `hours of the week are looked at by the minute told`() throws {
        let rules = Self.exempting(Rule(app: Glob("Secret"), during: WeekHours("Mon 12:00-13:00")))
        let rig = Rig(rules)
        rig.enter(Self.secret, at: 1)
        #expect(!rig.key(at: 2))
        rig.use(rules, at: 10, minute: WeekMinute(day: 0, minuteOfDay: 780))
        #expect(rig.key(at: 11))
        rig.use(rules, at: 20, minute: WeekMinute(day: 0, minuteOfDay: 779))
        #expect(!rig.key(at: 21))
    }

    @Test func `a rule that is lifted still holds for input from before`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("Secret"))))
        rig.enter(Self.secret, at: 1)
        rig.use(Restrictions(), at: 100)
        #expect(!rig.key(at: 99))
        #expect(!rig.motion(at: 99))
        #expect(rig.key(at: 100) && rig.motion(at: 100))
        // Also where the context is entered after the change, and through two changes.
        rig.use(Self.exempting(Rule(app: Glob("Other"))), at: 200)
        rig.use(Restrictions(), at: 300)
        rig.enter(WindowFacts(app: "Other"), at: 250)
        #expect(!rig.key(at: 260) && !rig.key(at: 299))
        #expect(rig.key(at: 301))
    }

    @Test func `a rule that is added holds for everything not taken yet, and releases held keys`() {
        let rig = Rig(Restrictions())
        rig.enter(Self.secret, at: 1)
        #expect(rig.key(at: 2))
        rig.use(Self.exempting(Rule(app: Glob("Secret"))), at: 100)
        #expect(!rig.key(at: 50), "it happened before and is judged after")
        let keys = rig.outputs.compactMap { output -> Bool? in
            guard case .event(let event) = output, case .key(let key) = event.payload else {
                return nil
            }
            return key.isDown
        }
        #expect(keys == [true, false])
    }

    @Test func `keys that are held are released when an exempt window comes to the front`() {
        func releases(_ stream: InputStream) -> [Int64] {
            let rig = Rig(Self.exempting(Rule(app: Glob("Secret"))))
            rig.enter(Self.editor, at: 1)
            #expect(rig.key(at: 2))
            rig.take(.context(.window(Self.secret), stream: stream, at: EventTime(10)))
            return rig.outputs.compactMap { output in
                guard case .event(let event) = output, case .key(let key) = event.payload,
                    !key.isDown
                else { return nil }
                return event.time.milliseconds
            }
        }
        #expect(releases(.keyboard) == [10], "then, and not with the next key")
        #expect(releases(.pointer).isEmpty)
    }

    @Test func `only what is on every list is recorded`() throws {
        var restrictions = Restrictions()
        restrictions.allowlists = [[try #require(Glob("edit*")), try #require(Glob("mail"))]]
        var rig = Rig(restrictions)
        rig.enter(Self.editor, at: 1)
        #expect(rig.key(at: 2))
        rig.enter(Self.secret, at: 3)
        #expect(!rig.key(at: 4))
        rig.enter(WindowFacts(app: ""), at: 5)
        #expect(!rig.motion(at: 6), "the background is on no list")
        rig.enter(Self.editor, at: 7)
        #expect(rig.gaps.first?.reason == .notAllowed)
        restrictions.allowlists.insert([try #require(Glob("mail"))])
        rig = Rig(restrictions)
        rig.enter(Self.editor, at: 1)
        #expect(!rig.key(at: 2))
        rig.enter(WindowFacts(app: "x", instance: "Mail"), at: 3)
        #expect(rig.key(at: 4))
    }

    @Test func `keys that may be part of a secret are excluded`() {
        var restrictions = Restrictions()
        restrictions.exclusions = [Rule(atSecretPrompts: true)]
        let rig = Rig(restrictions)
        rig.enter(WindowFacts(app: "XTerm"), at: 1)
        #expect(rig.key(at: 2))
        rig.enter(WindowFacts(app: "XTerm", mayAskForSecret: true), at: 3)
        #expect(!rig.key(at: 4))
        rig.enter(WindowFacts(app: "XTerm"), at: 5)
        #expect(rig.key(at: 6))
        #expect(rig.gaps.map(\.reason) == [.excluded, .excluded])
    }

    @Test func `titles are stored only where every side lets them`() {
        var restrictions = Restrictions()
        for stores in [false, true] {
            restrictions.storesTitles = stores
            let rig = Rig(restrictions)
            rig.enter(WindowFacts(app: "Editor", title: "Letter"), at: 1)
            rig.enter(WindowFacts(app: "Editor", title: "Diary"), at: 2)
            #expect(rig.foci.map(\.title) == (stores ? ["Letter", "Diary"] : [nil]))
        }
    }

    @Test func `leaving an exempt window for the unknown ends its gap there`() {
        let rig = Rig(Self.exempting(Rule(app: Glob("Secret"))))
        rig.enter(Self.secret, at: 10)
        rig.take(.context(.unknown, stream: .keyboard, at: EventTime(20)))
        #expect(!rig.key(at: 25))
        #expect(!rig.key(at: 26))
        rig.enter(Self.editor, at: 40)
        let gaps = rig.gaps.filter { $0.stream == .keyboard }
        #expect(gaps.map(\.reason) == [.exempt, .unknownContext])
        #expect(gaps.map(\.from.milliseconds) == [0, 0])
        #expect(gaps.map(\.to.milliseconds) == [5000, 5000])
    }

    @Test func `an exemption from everything closes the gate at its hours`() {
        let always = Self.exempting(Rule())
        #expect(always.leavesOutAll(at: Self.noon) == .exempt)
        let hours = Self.exempting(Rule(during: WeekHours("Tue")))
        #expect(hours.leavesOutAll(at: Self.noon) == nil)
        #expect(hours.leavesOutAll(at: WeekMinute(day: 1, minuteOfDay: 0)) == .exempt)
        #expect(Self.exempting(Rule(app: Glob("*"))).leavesOutAll(at: Self.noon) == nil)
        var excluding = Restrictions()
        excluding.exclusions = [Rule()]
        #expect(excluding.leavesOutAll(at: Self.noon) == .excluded)
        #expect(Self.exempting(Rule(app: Glob("a"))).dependOnTime == false && hours.dependOnTime)
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound) = (true, true)
        (conditions.hasSpace, conditions.isConnected) = (true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
        #expect(conditions.closedBy == nil)
        conditions.leftOutBy = .exempt
        #expect(conditions.closedBy == .exempt)
        // And where the source goes on nevertheless.
        let rig = Rig(always)
        rig.enter(Self.editor, at: 1)
        #expect(!rig.key(at: 2) && !rig.motion(at: 3))
    }

    @Test func `a title is read only where a rule about it could matter`() {
        var restrictions = Self.exempting(Rule(app: Glob("firefox"), title: Glob("*Bank*")))
        restrictions.storesTitles = false
        #expect(restrictions.needsTitle(of: WindowFacts(app: "Firefox")))
        #expect(!restrictions.needsTitle(of: Self.editor))
        restrictions.storesTitles = true
        #expect(restrictions.needsTitle(of: Self.editor))
        restrictions = Self.exempting(Rule(title: Glob("*Bank*")))
        restrictions.storesTitles = false
        #expect(restrictions.needsTitle(of: Self.editor))
    }

    @Test func `the default exclusions cover what they say`() {
        var restrictions = Restrictions()
        for exclusion in DefaultExclusion.all { restrictions.exclusions.formUnion(exclusion.rules) }
        let rig = Rig(restrictions)
        var time: Int64 = 1
        func isRecorded(_ app: String, _ title: String? = "") -> Bool {
            time += 10
            rig.enter(WindowFacts(app: app, title: title), at: time)
            return rig.key(at: time + 1)
        }
        for app in [
            "KeePassXC", "org.keepassxc.KeePassXC", "Bitwarden", "1Password", "Pinentry-gtk-2",
            "pinentry-qt", "Gcr-prompter", "Ssh-askpass", "ksshaskpass", "i3lock", "XScreenSaver",
            "Polkit-gnome-authentication-agent-1", "Zenity", "Tor Browser",
        ] {
            #expect(!isRecorded(app), "\(app)")
        }
        for title in [
            "Mozilla Firefox Private Browsing", "Neues — Mozilla Firefox Privater Modus",
            "Mozilla Firefox — Navigation privée", "Приватный просмотр — Mozilla Firefox",
            "Mozilla Firefox プライベートブラウジング",
        ] {
            #expect(!isRecorded("firefox-esr", title), "\(title)")
            #expect(isRecorded("Editor", title), "only browsers")
        }
        #expect(!isRecorded("Google-chrome", "New Tab - Google Chrome (Incognito)"))
        #expect(!isRecorded("firefox-esr", nil), "a title that cannot be read")
        for app in ["Editor", "XTerm", "Code", "libreoffice", ""] {
            #expect(isRecorded(app), "\(app)")
        }
        #expect(isRecorded("firefox-esr", "News — Mozilla Firefox"))
    }
}
