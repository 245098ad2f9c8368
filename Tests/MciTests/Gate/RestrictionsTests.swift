// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

@Suite struct RestrictionsTests {
    @Test func `the stricter of two is what both allow, in any order and any number of times`() {
        var source = RandomRestrictions(random: SplitMix(seed: 41))
        for _ in 0..<3000 {
            let (one, two, three) = (
                source.restrictions(), source.restrictions(), source.restrictions()
            )
            let both = one.stricter(two)
            #expect(both == two.stricter(one))
            #expect(both.stricter(three) == one.stricter(two.stricter(three)))
            #expect(one.stricter(one) == one)
            #expect(both.stricter(one) == both)
            #expect(one.stricter(Restrictions()) == one && Restrictions().stricter(one) == one)
        }
    }

    @Test func `nothing is admitted by the stricter of two that either refuses, field by field`() {
        var source = RandomRestrictions(random: SplitMix(seed: 42))
        var (admitted, refused) = (0, 0)
        for _ in 0..<1000 {
            let (one, two) = (source.restrictions(), source.restrictions())
            let both = one.stricter(two)
            for part in [one, two] {
                #expect(both.keyDetail <= part.keyDetail)
                #expect(!both.storesTitles || part.storesTitles)
                #expect(!both.recordsSyntheticKeys || part.recordsSyntheticKeys)
                #expect(both.retention ?? .max <= part.retention ?? .max)
                #expect(both.ringSize ?? .max <= part.ringSize ?? .max)
            }
            // No stricter than it has to be: each value is one of the two.
            #expect([one.keyDetail, two.keyDetail].contains(both.keyDetail))
            #expect(both.storesTitles == (one.storesTitles && two.storesTitles))
            #expect(
                both.recordsSyntheticKeys == (one.recordsSyntheticKeys && two.recordsSyntheticKeys)
            )
            #expect([one.retention, two.retention].contains(both.retention))
            #expect([one.ringSize, two.ringSize].contains(both.ringSize))
            for _ in 0..<20 {
                let (window, device, minute) = (source.window(), source.device(), source.minute())
                let (first, second, third) = (
                    RestrictionsOracle(restrictions: one).allows(
                        window,
                        device: device,
                        at: minute
                    ),
                    RestrictionsOracle(restrictions: two).allows(
                        window,
                        device: device,
                        at: minute
                    ),
                    RestrictionsOracle(restrictions: both)
                        .allows(window, device: device, at: minute)
                )
                #expect(third == (first && second))
                if third { admitted += 1 } else { refused += 1 }
            }
        }
        // Both sides are seen.
        #expect(admitted > 500 && refused > 5000, "\(admitted) admitted, \(refused) refused")
    }

    @Test
    func `over random histories the gate admits what the oracle allows, of both sides together`() {
        var source = RandomRestrictions(random: SplitMix(seed: 45))
        var (admitted, refused, together) = (0, 0, 0)
        for _ in 0..<400 {
            let sides = [source.restrictions(), source.restrictions()]
            let both = sides[0].stricter(sides[1])
            let oracles = sides.map { RestrictionsOracle(restrictions: $0) }
            var conditions = Gate.Conditions()
            (conditions.hasConsent, conditions.isSound) = (true, true)
            (conditions.hasSpace, conditions.isConnected) = (true, true)
            (conditions.isAwake, conditions.isMarked) = (true, true)
            // Runs have an oracle of their own.
            conditions.keyDetail = both.keyDetail.hasRuns ? .classes : both.keyDetail
            var gate = Gate(stopped: EventTime(0))
            var minute = source.minute()
            gate.use(both, at: minute, from: EventTime(0)) { _ in }
            gate.set(conditions, at: EventTime(0)) { _ in }
            var names: [UInt8: String] = [:]
            var windows = [source.window(), source.window()]
            for (stream, window) in zip(InputStream.allCases, windows) {
                _ = gate.take(.context(.window(window), stream: stream, at: EventTime(0))) { _ in }
            }
            for time in Int64(1)..<60 {
                let lane = Int.random(in: 0...1, using: &source.random)
                let stream = InputStream.allCases[lane]
                switch Int.random(in: 0..<8, using: &source.random) {
                case 0:
                    windows[lane] = source.window()
                    let context = AppContext.window(windows[lane])
                    _ = gate.take(.context(context, stream: stream, at: EventTime(time))) { _ in }
                case 1:
                    names[UInt8.random(in: 2...5, using: &source.random)] = source.device()
                    _ = gate.take(.devices(names.mapValues { Device(name: $0) })) { _ in }
                case 2:
                    minute = source.minute()
                    gate.use(both, at: minute, from: EventTime(time)) { _ in }
                default:
                    let device = UInt8.random(in: 2...6, using: &source.random)
                    let raw = RawEvent(
                        time: EventTime(time),
                        device: device,
                        payload: .motion(dx: 1, dy: 1)
                    )
                    // Movements may go together only where each goes alone, and nothing before it.
                    let run = MotionRun(of: device, [(time, 1, 1)])
                    let motions = stream == .pointer ? gate.admitRun(run) : nil
                    var outputs = 0
                    let isAdmitted =
                        gate.take(.input(raw, stream: stream)) { _ in outputs += 1 } == true
                    if motions != nil {
                        together += 1
                        #expect(isAdmitted && outputs == 1)
                    }
                    let isAllowed = oracles.allSatisfy {
                        $0.allows(windows[lane], device: names[device], at: minute)
                    }
                    #expect(isAdmitted == isAllowed)
                    if isAdmitted { admitted += 1 } else { refused += 1 }
                }
            }
        }
        #expect(admitted > 500 && refused > 500, "\(admitted) admitted, \(refused) refused")
        #expect(together > 100, "\(together) of them could go together")
    }

    @Test func `the oracle and the rules agree about windows and hours`() throws {
        var source = RandomRestrictions(random: SplitMix(seed: 43))
        var matched = 0
        for _ in 0..<20_000 {
            let (rule, window, minute) = (source.rule(), source.window(), source.minute())
            var restrictions = Restrictions()
            restrictions.exclusions = [rule]
            // A device without a name matches every rule.
            let isAllowed = RestrictionsOracle(restrictions: restrictions)
                .allows(window, device: nil, at: minute)
            #expect(isAllowed == !(rule.matches(window) && rule.isInForce(at: minute)))
            if !isAllowed { matched += 1 }
        }
        #expect(2000...18_000 ~= matched)
        for text in ["Mon-Fri 12:00-13:00", "Sun 23:30-00:30", "Fri-Mon", "22:00-06:00"] {
            let hours = try #require(WeekHours(text))
            var minute = WeekMinute(day: 0, minuteOfDay: 0)
            for _ in 0..<10_080 {
                #expect(hours.contains(minute) == RestrictionsOracle.lies(minute, in: text))
                minute = minute.next
            }
        }
    }

    @Test func `patterns match as naive recursion does`() throws {
        var random = SplitMix(seed: 44)
        let letters = Array("ab*?é")
        func text(_ length: ClosedRange<Int>, _ letters: [Character]) -> String {
            String(
                (0..<Int.random(in: length, using: &random)).map { _ in
                    letters[Int.random(in: letters.indices, using: &random)]
                }
            )
        }
        var matched = 0
        for _ in 0..<20_000 {
            let pattern = text(1...6, letters)
            let name = text(0...7, ["a", "b", "é"])
            let isMatch = try #require(Glob(pattern)).matches(name)
            #expect(isMatch == RestrictionsOracle.matches(pattern, name), "\(pattern) \(name)")
            if isMatch { matched += 1 }
        }
        #expect(matched > 2000)
    }
}
