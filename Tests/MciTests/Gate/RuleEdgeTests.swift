// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

/// The edges of what rules say, each of which a change of one sign in the gate would move.
@Suite struct RuleEdgeTests {
    @Test func `a rule leaves out a device in its windows at its hours and nothing else`() throws {
        let noon = try #require(WeekMinute("Mon 12:00"))
        let night = try #require(WeekMinute("Mon 23:00"))
        let hours = try #require(WeekHours("12:00-13:00"))
        let (mail, editor) = (WindowFacts(app: "Mail"), WindowFacts(app: "Editor"))
        let whole = Rule(app: Glob("Mail"), during: hours)
        #expect(whole.excludes(mail, from: "Pad", at: noon))
        #expect(whole.excludes(mail, from: nil, at: noon))
        #expect(!whole.excludes(mail, from: "Pad", at: night))
        #expect(!whole.excludes(editor, from: "Pad", at: noon))
        let pad = Rule(app: Glob("Mail"), device: Glob("Pad"))
        #expect(pad.excludes(mail, from: "Pad", at: noon))
        #expect(!pad.excludes(mail, from: "Mouse", at: noon))
        #expect(!pad.excludes(mail, from: nil, at: noon), "a device that no rule names")
    }

    @Test func `what a window is in, or has in it, is judged with it, and the strictest decides`()
        throws
    {
        var window = WindowFacts(app: "Host")
        window.around = [WindowFacts(app: "Plain"), WindowFacts(app: "Guest")]
        func isAdmitted(_ change: (inout Restrictions) -> Void, device: UInt8 = 3) -> Bool {
            var restrictions = Restrictions()
            change(&restrictions)
            let rig = GateRig(app: nil)
            rig.use(restrictions, at: 0)
            rig.use(devices: [3: "Pad", 4: "Mouse"])
            rig.enter(.window(window), at: 1)
            return rig.take(.motion(dx: 1, dy: 0), at: 2, device: device)
        }
        #expect(isAdmitted { $0.exemptions = [Rule(app: Glob("Other"))] })
        for app in ["Host", "Plain", "Guest"] {
            #expect(!isAdmitted { $0.exemptions = [Rule(app: Glob(app))] }, "\(app)")
            let pad = Rule(app: Glob(app), device: Glob("Pad"))
            #expect(!isAdmitted { $0.exclusions = [pad] }, "\(app)")
            #expect(isAdmitted({ $0.exclusions = [pad] }, device: 4), "\(app)")
        }
        let (two, all) = (["Host", "Plain"], ["Host", "Plain", "Guest"])
        #expect(!isAdmitted { $0.allowlists = [Set(two.compactMap { Glob($0) })] })
        #expect(isAdmitted { $0.allowlists = [Set(all.compactMap { Glob($0) })] })
        #expect(isAdmitted { _ in })
    }

    @Test func `of all devices those are left out that a rule names, for the first rule's reason`()
    {
        let names: [UInt8: String] = Dictionary(
            uniqueKeysWithValues: (UInt8.min...UInt8.max).map {
                ($0, [64, 127, 200].contains($0) ? "Pad" : "Mouse \($0)")
            }
        )
        var restrictions = Restrictions()
        restrictions.exemptions = [Rule(device: Glob("Pad"))]
        restrictions.exclusions = [
            Rule(app: Glob("Editor"), device: Glob("Mouse 7")), Rule(device: Glob("*7")),
        ]
        let rig = GateRig(app: nil)
        rig.use(restrictions, at: 0)
        rig.use(devices: names)
        rig.enter(.app("Editor"), at: 1)
        for (device, name) in names {
            let isNamed = name == "Pad" || name.hasSuffix("7")
            #expect(rig.take(.motion(dx: 1, dy: 1), at: 2, device: device) == !isNamed, "\(name)")
        }
        rig.set(at: 9) { $0.isPaused = true }
        #expect(rig.gaps.map(\.reason) == [.exempt])
    }

    @Test func `an exclusion asks for the hour and the title as an exemption does`() {
        func using(_ rule: Rule, _ list: WritableKeyPath<Restrictions, Set<Rule>>) -> Restrictions {
            var result = Restrictions()
            result.storesTitles = false
            result[keyPath: list] = [rule]
            return result
        }
        let window = WindowFacts(app: "Editor")
        for list in [\Restrictions.exclusions, \Restrictions.exemptions] {
            #expect(using(Rule(app: Glob("a"), during: WeekHours("Mon")), list).dependOnTime)
            #expect(!using(Rule(app: Glob("a")), list).dependOnTime)
            #expect(using(Rule(title: Glob("a")), list).needsTitle(of: window))
            #expect(!using(Rule(app: Glob("a"), title: Glob("a")), list).needsTitle(of: window))
        }
        #expect(!Restrictions().dependOnTime)
    }
}
