// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Storage

/// How old what is stored is, whatever the wall clock does.
@Suite struct AgeClockTests {
    private static let minute: Int64 = 60_000
    private static let hour = 60 * minute
    private static let day = 24 * hour
    private static let retention = 7 * day
    private static let year = 365 * day

    /// A machine whose clocks a test sets, and a recorder on it that looks at them.
    private struct Machine {
        var clock = AgeClock()
        /// What really passed.
        var truth: Int64 = 1_800_000_000_000
        var boottime: Int64 = 100_000
        var monotonic: Int64 = 100_000
        var boot: UInt8 = 1
        /// How wrong the wall clock is.
        var error: Int64 = 0
        var isSynchronised = false
        var next: UInt64 = 1
        /// When each batch really ended, and by the wall clock.
        var ends: [UInt64: (truth: Int64, wall: Int64)] = [:]

        init(isSynchronised: Bool = false) {
            self.isSynchronised = isSynchronised
            look(isStart: true)
        }

        mutating func look(isStart: Bool = false) {
            let reading = AgeClock.Reading(
                wall: truth + error,
                boottime: boottime,
                monotonic: monotonic,
                bootID: [UInt8](repeating: boot, count: 16),
                isSynchronised: isSynchronised
            )
            clock.look(reading, next: next, isStart: isStart, maxSleep: retention)
        }

        mutating func record() {
            ends[next] = (truth, truth + error)
            next += 1
        }

        mutating func run(_ length: Int64) {
            var left = length
            while left > 0 {
                let step = min(left, 5 * minute)
                (truth, boottime, monotonic) = (truth + step, boottime + step, monotonic + step)
                look()
                left -= step
            }
        }

        mutating func sleep(_ length: Int64) {
            (truth, boottime) = (truth + length, boottime + length)
            look()
        }

        mutating func reboot(after off: Int64, error: Int64? = nil) {
            truth += off
            (boottime, monotonic, boot) = (20_000, 20_000, boot + 1)
            self.error = error ?? self.error
            look(isStart: true)
        }

        /// How much older or younger than it is a batch counts.
        func mistake(of number: UInt64) -> Int64 {
            guard let end = ends[number] else { return 0 }
            return (clock.now - clock.ageEnd(number, end.wall)) - (truth - end.truth)
        }
    }

    private static let errors = [-10 * year, -8 * day, -2 * hour, 2 * hour, 8 * day, 10 * year]

    @Test(arguments: errors, [4000, 2 * hour])
    func `a clock that is wrong for a while in a boot changes no age`(error: Int64, length: Int64) {
        for isSynchronised in [false, true] {
            var machine = Machine(isSynchronised: isSynchronised)
            machine.record()
            machine.run(10 * Self.minute)
            machine.error = error
            machine.look()
            machine.record()
            machine.run(length)
            machine.record()
            machine.error = 0
            machine.look()
            machine.record()
            machine.run(Self.hour)
            for number in 1...UInt64(4) {
                #expect(abs(machine.mistake(of: number)) <= 1, "batch \(number)")
            }
        }
    }

    @Test(arguments: errors)
    func `a wrong clock from the start of a boot ages nothing for fifty minutes`(error: Int64) {
        var machine = Machine()
        machine.record()
        machine.run(Self.hour)
        machine.record()
        machine.reboot(after: 3 * Self.hour, error: error)
        machine.record()
        machine.run(50 * Self.minute)
        machine.record()
        for number in 1...UInt64(4) { #expect(machine.mistake(of: number) <= 1, "\(number)") }
        // It is set right: what was off counts, and nothing else.
        machine.error = 0
        machine.isSynchronised = true
        machine.look()
        machine.record()
        for number in 1...UInt64(5) {
            #expect(abs(machine.mistake(of: number)) <= 1, "batch \(number)")
        }
    }

    @Test(arguments: [8 * day, 10 * year])
    func `a doubted clock counts in full once mcid has run with it for an hour`(error: Int64) {
        var machine = Machine()
        machine.record()
        machine.reboot(after: Self.hour, error: error)
        machine.record()
        // Over two starts in one boot, and one more in another.
        machine.run(25 * Self.minute)
        machine.look(isStart: true)
        machine.run(20 * Self.minute)
        machine.reboot(after: Self.minute)
        machine.run(10 * Self.minute)
        #expect(machine.clock.isInDoubt)
        #expect(machine.mistake(of: 1) < 0)
        machine.run(5 * Self.minute)
        #expect(abs(machine.mistake(of: 1) - error) <= 2 * Self.minute)
        #expect(abs(machine.mistake(of: 2)) <= 2 * Self.minute, "it came after the time off")
    }

    @Test func `what mcid did not run is no time with a clock`() {
        var machine = Machine()
        machine.record()
        machine.reboot(after: Self.hour, error: 8 * Self.day)
        for _ in 0..<6 {
            machine.run(5 * Self.minute)
            // Two hours with the machine on and mcid down.
            let off = 2 * Self.hour
            (machine.truth, machine.boottime) = (machine.truth + off, machine.boottime + off)
            machine.monotonic += off
            machine.look(isStart: true)
        }
        #expect(machine.clock.isInDoubt)
        machine.run(31 * Self.minute)
        #expect(!machine.clock.isInDoubt)
    }

    @Test func `synchronised, an absence of three weeks counts at the start`() {
        var machine = Machine(isSynchronised: true)
        machine.record()
        machine.reboot(after: 21 * Self.day)
        #expect(machine.mistake(of: 1) == 0)
        #expect(!machine.clock.isInDoubt)
    }

    @Test func `a sleep longer than the retention is doubted for an hour`() {
        for isSynchronised in [false, true] {
            var machine = Machine(isSynchronised: isSynchronised)
            machine.record()
            machine.sleep(8 * Self.day)
            machine.record()
            machine.run(50 * Self.minute)
            #expect(machine.mistake(of: 1) == -8 * Self.day)
            machine.run(15 * Self.minute)
            #expect(machine.mistake(of: 1) == 0)
            #expect(machine.mistake(of: 2) == 0)
            machine.sleep(6 * Self.day)
            #expect(machine.mistake(of: 1) == 0, "a shorter one is believed at once")
        }
    }

    @Test func `a wrong clock at the end of a boot is no absence at the next`() {
        for isSynchronised in [false, true] {
            var machine = Machine(isSynchronised: isSynchronised)
            machine.record()
            machine.run(Self.hour)
            machine.isSynchronised = false
            machine.error = -10 * Self.year
            machine.look()
            machine.record()
            machine.run(4000)
            machine.isSynchronised = isSynchronised
            machine.reboot(after: Self.hour, error: 0)
            machine.run(2 * Self.hour)
            #expect(abs(machine.mistake(of: 1)) <= 1)
            #expect(abs(machine.mistake(of: 2)) <= 1)
        }
    }

    @Test func `a clock that was set needs an hour of running, not of the machine being on`() {
        var machine = Machine()
        machine.record()
        machine.run(Self.hour)
        machine.error = -2 * Self.hour
        machine.look()
        for _ in 0..<5 {
            // Mcid is down for three quarters of an hour, again and again.
            let off = 45 * Self.minute
            (machine.truth, machine.boottime) = (machine.truth + off, machine.boottime + off)
            machine.monotonic += off
            machine.look(isStart: true)
        }
        // So the clock of before still counts, beside the new one.
        machine.reboot(after: 5 * Self.hour, error: 0)
        machine.run(2 * Self.hour)
        #expect(abs(machine.mistake(of: 1)) <= 1)
    }

    @Test func `what came after an uncertain time off is not made older by it later`() {
        var machine = Machine(isSynchronised: true)
        machine.record()
        machine.isSynchronised = false
        machine.reboot(after: 3 * Self.day, error: -10 * Self.year)
        machine.record()
        machine.run(10 * Self.minute)
        machine.isSynchronised = true
        machine.reboot(after: 3 * Self.hour, error: 0)
        machine.record()
        #expect(abs(machine.mistake(of: 1)) <= 1)
        #expect(machine.mistake(of: 2) <= 1, "it was recorded after the three days")
        #expect(abs(machine.mistake(of: 3)) <= 1)
    }

    @Test func `over random lives nothing ages faster than it does, nor an hour of running late`() {
        var random = SplitMix(seed: 14)
        var (early, late, lives) = (0, 0, 0)
        for _ in 0..<(isProof ? 20_000 : 300) {
            lives += 1
            var machine = Machine(isSynchronised: .random(using: &random))
            // Running time since each batch, after the moment at which it was due.
            for _ in 0..<60 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0: machine.sleep(.random(in: 0...20 * Self.hour, using: &random))
                case 1:
                    machine.isSynchronised = .random(using: &random)
                    machine.reboot(after: .random(in: 0...3 * Self.day, using: &random))
                case 2: machine.look(isStart: true)
                default:
                    machine.record()
                    machine.run(.random(in: 1...3 * Self.hour, using: &random))
                }
                for number in machine.ends.keys where machine.mistake(of: number) > 2 * Self.minute
                {
                    early += 1
                }
            }
            machine.run(Self.hour + 5 * Self.minute)
            for number in machine.ends.keys where machine.mistake(of: number) < -2 * Self.minute {
                late += 1
            }
        }
        #expect((early, late) == (0, 0))
        print("ages: \(lives) lives, \(early) early, \(late) late")
    }
}
