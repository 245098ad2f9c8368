// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Person
import Signing
import System
import Testing

/// The files of controls and accounts, where something is wrong with them.
@Suite struct PutBackTests {
    private let folder: TemporaryFolder
    private let key: DeviceKey
    private var paths: Paths { folder.paths }
    private var file: ControlsFile { ControlsFile(paths) }
    private let now = Moment(
        monotonic: EventTime(1000),
        boottime: 1000,
        wall: WallTime(1_795_268_102_118)
    )

    init() throws {
        folder = try TemporaryFolder()
        key = try DeviceKeyFile.readOrMake(folder.paths.deviceKey)
    }

    private func receipt() -> Receipt {
        Consent.receipt(
            at: now.wall,
            recipients: ["age1mine"],
            deviceKey: key.verifier.text,
            method: "test",
            ring: paths.ring
        )
    }

    private func exempting(_ apps: String..., from controls: Controls = Controls()) throws
        -> Controls
    {
        var controls = controls
        for app in apps {
            _ = try controls.exempt(
                .init(scope: Scope(app: app), seconds: 60),
                at: now,
                bootID: [1]
            )
        }
        return controls
    }

    // MARK: Every bit

    @Test func `no single changed bit of the controls goes unnoticed or makes them looser`() throws
    {
        var controls = try exempting("signal")
        controls.pause = TimeLimit(from: now, length: nil, bootID: [1])
        controls.consent(receipt())
        try file.write(controls)
        let good = try Disk.read(paths.controls)
        var tried = 0
        for bit in stride(from: 0, to: good.count * 8, by: isProof ? 1 : 7) {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try Disk.write(bytes, to: paths.controls)
            tried += 1
            do throws(SettingsError) {
                _ = try file.find()
                Issue.record("bit \(bit) is read")
            } catch {
                #expect(error.code == .damaged && error.line != nil, "bit \(bit)")
            }
        }
        print("controls: \(tried) changed bits, each refused with its line")
    }

    @Test func `no single changed bit of the accounts goes unnoticed`() throws {
        var accounts = EventCounters()
        accounts.since = now.wall.text
        (accounts.events.seen, accounts.events.admitted) = (41, 41)
        EventCountersFile(paths).write(accounts)
        let good = try Disk.read(paths.accounts)
        #expect(EventCountersFile(paths).find().accounts.events == accounts.events)
        for bit in 0..<good.count * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try Disk.write(bytes, to: paths.accounts)
            let found = EventCountersFile(paths).find()
            #expect(found.fault == .damaged && found.accounts == EventCounters(), "bit \(bit)")
        }
    }

    // MARK: Put back

    @Test func `of older controls only what is stricter counts, in each of their parts`() throws {
        var older = try exempting("signal")
        older.pause = TimeLimit(from: now, length: nil, bootID: [1])
        try older.exclude(.init(add: Scope(app: "gnucash")))
        try older.exclude(.init(remove: "lockers"))
        try older.exclude(.init(only: ["editor"]))
        older.consent(receipt())
        older = try file.write(older)
        let copy = try Disk.read(paths.controls)
        try file.write(Controls())
        try Disk.write(copy, to: paths.controls)
        let found = try file.find()
        #expect(found.isPutBack && found.controls.consent == nil)
        #expect(found.lapsedConsent == older.consent)
        #expect(
            found.controls.putBack?.description
                == "The controls file was put back to an older state (number 1, last seen 2), so nothing is recorded."
        )
        #expect(found.controls.pause == older.pause && found.controls.only == ["editor"])
        #expect(found.controls.exemptions == older.exemptions)
        #expect(found.controls.exclusions == older.exclusions)
        #expect(found.controls.removedExclusions.isEmpty)
        // What is written next is the newest again, and still says what happened.
        let next = try file.write(found.controls)
        #expect(next.number == 3)
        let again = try file.find()
        #expect(!again.isPutBack && again.controls == next)
        #expect(again.controls.putBack?.kind == .older)
    }

    @Test(arguments: ["state", "config"])
    func `one copy of the marks is enough, whatever became of the other`(lost: String) throws {
        try file.write(Controls())
        let copy = try Disk.read(paths.controls)
        try paths.highWater.make(key)
        try file.write(Controls())
        let marks = lost == "state" ? paths.highWater.inState : paths.highWater.inConfig
        try Disk.write(copy, to: paths.controls)
        for bytes in [nil, [], Array("nonsense".utf8), [UInt8](repeating: 7, count: 5000)] {
            if let bytes {
                try Disk.write(bytes, to: marks)
            } else {
                Disk.remove(marks)
            }
            #expect(try file.find().controls.putBack?.kind == .older)
        }
        // The next writing mends the copy in the state folder, and the other one where it is.
        try file.write(Controls())
        let found = paths.highWater.read(key.verifier)
        #expect(found.damaged.isEmpty && found.behind.isEmpty && found.marks.controls == 3)
    }

    @Test func `one process knows an older file even where both copies of the marks went`() throws {
        let keeper = HighWaterKeeper(paths.highWater)
        let file = ControlsFile(paths, keeper)
        try file.write(Controls())
        let copy = try Disk.read(paths.controls)
        try file.write(Controls())
        try Disk.write(copy, to: paths.controls)
        Disk.remove(paths.highWater.inState)
        #expect(try file.find().isPutBack)
    }

    @Test func `what another process raised is never lowered, and a file ahead raises its mark`()
        throws
    {
        let (one, other) = (
            HighWaterKeeper(paths.highWater), HighWaterKeeper(paths.highWater)
        )
        one.raise(signedBy: key) { $0.controls = 5 }
        other.raise(signedBy: key) { $0.accounts = 7 }
        one.raise(signedBy: key) { ($0.controls, $0.writings) = (3, 2) }
        let marks = paths.highWater.read(key.verifier).marks
        #expect((marks.controls, marks.accounts, marks.writings) == (5, 7, 2))
        try file.write(Controls())
        Disk.remove(paths.highWater.inState)
        #expect(try !file.find().isPutBack)
        #expect(paths.highWater.read(key.verifier).marks.controls == 6)
    }

    @Test func `controls that are gone, or of another key, are not those of a new person`() throws {
        var controls = try exempting("signal")
        controls.consent(receipt())
        try file.write(controls)
        let copy = try Disk.read(paths.controls)
        Disk.remove(paths.controls)
        let missing = try file.find()
        #expect(missing.controls.putBack?.description.contains("is gone") == true)
        try Disk.write(copy, to: paths.controls)
        // The key is gone: nothing can be told of the file, and a new key is made.
        Disk.remove(paths.deviceKey)
        for _ in 0..<2 {
            let foreign = try file.find()
            #expect(foreign.controls.putBack?.kind == .foreign)
            #expect(foreign.controls.consent == nil && foreign.controls.exemptions.count == 1)
            _ = try DeviceKeyFile.readOrMake(paths.deviceKey)
        }
        Disk.remove(paths.controls)
        #expect(try file.find().controls.putBack?.kind == .missing)
    }

    // MARK: The stricter of two

    @Test func `the stricter of two leaves out what either leaves out`() throws {
        let common = try exempting("a", "b", "c")
        var (left, right) = (try exempting("left", from: common), common)
        left.pause = TimeLimit(from: now, length: 60_000, bootID: [1])
        right.pause = TimeLimit(from: now, length: 3_600_000, bootID: [1])
        (left.only, right.only) = (["x", "y"], ["y", "z"])
        (left.removedExclusions, right.removedExclusions) = (["lockers", "a"], ["lockers"])
        _ = try left.answer(.init(id: 2, answer: "withdraw"), at: now)
        right.exemptions[2].until = nil
        // Another exemption under a number that is taken.
        var foreign = try exempting("foreign").exemptions[0]
        foreign.id = 1
        right.exemptions.append(foreign)
        let both = left.stricter(right)
        #expect(both.pause == right.pause && both.only == ["y"])
        #expect(both.removedExclusions == ["lockers"])
        #expect(
            both.exemptions.map(\.scope.app).sorted { ($0 ?? "") < ($1 ?? "") } == [
                "a", "b", "c", "foreign", "left",
            ]
        )
        #expect(Set(both.exemptions.map(\.id)).count == 5, "no number names two")
        #expect(both.exemptions.first { $0.scope.app == "c" }?.until == nil)
        #expect(both.number == left.number && both.consent == left.consent)
        let twice = both.stricter(right)
        #expect(twice.pause == both.pause && twice.only == both.only)
        var endless = right
        endless.pause = TimeLimit(from: now, length: nil, bootID: [2])
        #expect(left.stricter(endless).pause == endless.pause)
        #expect(endless.stricter(left).pause == endless.pause)
        #expect(Controls().stricter(left).pause == left.pause)
    }

    // MARK: The version before

    /// As mcictl wrote it before controls were signed.
    private static let old = """
        {
          "controls" : {
            "exclusions" : [

            ],
            "exemptions" : [
              {
                "bootID" : "a392e564dfc742c6a6978e80f74670f6",
                "boottimeEnd" : 5332386,
                "id" : 1,
                "request" : "6af99b7e958ce1dc9b93adc5db26284e",
                "scope" : {
                  "app" : "signal"
                },
                "since" : "2026-11-29T22:35:25.460Z",
                "state" : "requested",
                "until" : "2026-11-29T23:35:25.460Z"
              }
            ],
            "lastExemption" : 1,
            "only" : [
              "a"
            ],
            "removedExclusions" : [

            ],
            "schema" : 2
          },
          "digest" : "409b9dbab7493239da273b856a4fc2012a2d72bacbb047788c2bce14e4a6a4cc"
        }

        """

    @Test func `what the version before wrote is read as it was`() throws {
        try Disk.write(Array(Self.old.utf8), to: paths.controls)
        let found = try file.find()
        #expect(found.isOfBefore)
        #expect(found.controls.exemptions.map(\.scope.app) == ["signal"])
        #expect(found.controls.only == ["a"] && found.controls.lastExemption == 1)
    }

    @Test func `a file of the version before is read strictly, and taken over once`() throws {
        var controls = try exempting("signal")
        controls.consent(receipt())
        let bytes = try FilesOfBefore.bytes(controls)
        for place in bytes.indices where place % 5 == 0 {
            var flipped = bytes
            flipped[place] ^= 1 << UInt8(place % 7)
            try Disk.write(flipped, to: paths.controls)
            do throws(SettingsError) {
                _ = try file.find()
                Issue.record("byte \(place) is read")
            } catch {
                #expect(error.code == .damaged)
            }
        }
        try Disk.write(bytes, to: paths.controls)
        var events = EventCounts()
        (events.seen, events.lost) = (9, 9)
        try FilesOfBefore.write(events, paths)
        let found = try file.find()
        #expect(found.isOfBefore && !found.isPutBack)
        #expect(found.controls == controls)
        let new = try file.write(found.controls)
        #expect(new.number == 1 && new.consent == controls.consent)
        let accounts = EventCountersFile(paths).find()
        #expect(accounts.fault == .countsKeys && accounts.accounts == EventCounters())
        // From now on the controls are an older file that somebody put back.
        try Disk.write(bytes, to: paths.controls)
        try FilesOfBefore.write(events, paths)
        let again = try file.find()
        #expect(again.controls.putBack?.kind == .unsigned && again.controls.consent == nil)
        #expect(again.controls.exemptions == controls.exemptions)
        #expect(EventCountersFile(paths).find().fault == .countsKeys)
    }

    @Test(arguments: [0, 512])
    func `no unsigned file counts beside a ring of this version`(place: Int) throws {
        try FilesOfBefore.write(Controls(), paths)
        #expect(try file.find().isOfBefore)
        for (intro, isOfBefore) in [("MCIHEAD1", true), ("MCIHEAD3", false)] {
            var head = [UInt8](repeating: 0, count: 1024)
            head.replaceSubrange(place..<place + 8, with: Array(intro.utf8))
            try Disk.write(head, to: paths.ring + ".head")
            #expect(try file.find().isOfBefore == isOfBefore)
            #expect(try file.find().isPutBack != isOfBefore)
        }
    }

    // MARK: EventCounters and numbers

    @Test func `accounts that are damaged, older or gone are said`() throws {
        let file = EventCountersFile(paths)
        #expect(file.find().fault == nil, "nothing was ever counted")
        var accounts = EventCounters()
        (accounts.events.seen, accounts.events.admitted) = (1, 1)
        file.write(accounts)
        let copy = try Disk.read(paths.accounts)
        (accounts.events.seen, accounts.events.admitted) = (2, 2)
        file.write(accounts)
        #expect(file.find().accounts.events.seen == 2)
        try Disk.write(copy, to: paths.accounts)
        #expect(file.find().fault == .older(number: 1, lastSeen: 2))
        #expect(file.find().accounts.events.seen == 1, "older ones are used")
        file.write(accounts)
        #expect(file.find().accounts.number == 3)
        try Disk.write(Array("{}".utf8), to: paths.accounts)
        #expect(file.find().fault == .damaged)
        Disk.remove(paths.accounts)
        #expect(file.find().fault == .missing)
        #expect(file.find().accounts == EventCounters())
    }

    @Test func `no count and no number is too large to be added to`() throws {
        var most = EventCounts()
        (most.seen, most.admitted) = (.max, .max)
        #expect(most.addsUp && (most + most).seen == .max)
        most.lost = 1
        #expect(!most.addsUp)
        most.admitted = .min
        #expect(!most.addsUp && (most + most).admitted == .min)
        var controls = Controls()
        controls.lastExemption = .max
        #expect(throws: Refusal.self) {
            try controls.exempt(.init(scope: Scope(app: "a")), at: now, bootID: [1])
        }
        let full = controls.stricter(try exempting("a"))
        #expect(full.exemptions.count == 1)
        HighWaterKeeper(paths.highWater).raise(signedBy: key) {
            ($0.controls, $0.accounts) = (.max, .max)
        }
        #expect(throws: SettingsError.self) { try file.write(Controls()) }
        EventCountersFile(paths).write(EventCounters())
        #expect(!Disk.exists(paths.accounts))
        var receipt = receipt()
        receipt.userId = .max
        #expect(!Consent.isValid(receipt, deviceKey: key.verifier.text))
        var settings = PersonSettings()
        settings.freeSpace = .max
        #expect(settings.spaceFloor(ofWhole: .max) == .max)
    }
}
