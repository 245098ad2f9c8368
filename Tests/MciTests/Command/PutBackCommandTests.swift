// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Signing
import System
import Testing

/// What `mcictl` says of controls that were put back, without a daemon.
@Suite struct PutBackCommandTests {
    private let folder: TemporaryFolder
    private static let sentence =
        "The controls file was put back to an older state (number 2, last seen 3), so nothing is recorded."

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment)
    }

    /// A home in which the consent was withdrawn, and the file of before put back.
    private func putBack() throws {
        #expect(try command("exempt", "add", "--app", "signal").code == 0)
        #expect(try command("consent", "--accept").code == 0)
        let copy = try Disk.read(folder.paths.controls)
        #expect(try command("consent", "--withdraw").code == 0)
        try Disk.write(copy, to: folder.paths.controls)
    }

    @Test func `every verb that shows controls says that they were put back`() throws {
        try putBack()
        let status = try command("status")
        #expect(status.code == 3 && status.lines.contains("  \(Self.sentence)"))
        #expect(status.output.contains("You have not consented: mcictl consent"))
        #expect(try command("status", "--json").json["notices"] as? [String] == [Self.sentence])
        let consent = try command("consent", "--show")
        #expect(consent.output.contains("Valid      no: the controls file is not the newest one"))
        #expect(try command("consent", "--show", "--json").output == "{\"schema\":1}\n")
        let doctor = try command("doctor").output
        #expect(doctor.contains("[warn]  consent    \(Self.sentence) → mcictl consent"))
        for words in [
            ["consent", "--show"], ["exempt", "list"], ["exclude", "list"],
            ["explain", "--app", "signal"], ["exempt", "test", "--app", "signal"],
        ] {
            let result = try Program.run("mcictl", words, environment: folder.environment)
            #expect(result.errors.contains("warning: \(Self.sentence)"), "\(words)")
        }
        #expect(try command("exempt", "list").output.contains("windows of class signal"))
    }

    @Test func `a consent that was put back comes to life by no other verb`() throws {
        try putBack()
        for words in [["pause", "1h"], ["exempt", "add", "--app", "mail"], ["resume"]] {
            let result = try Program.run("mcictl", words, environment: folder.environment)
            #expect(result.code == 0)
            let controls = try ControlsFile(folder.paths).read()
            #expect(controls.consent == nil && controls.putBack?.kind == .older, "\(words)")
            #expect(try command("status").lines.contains("  \(Self.sentence)"))
        }
        #expect(try command("consent", "--accept").code == 0)
        let controls = try ControlsFile(folder.paths).read()
        #expect(controls.consent != nil && controls.putBack == nil)
        #expect(controls.exemptions.map(\.scope.app) == ["signal", "mail"])
        #expect(try !command("status").output.contains("controls file"))
    }

    @Test func `the first consent makes the second copy of the marks, and every one mends it`()
        throws
    {
        #expect(try command("pause").code == 0)
        #expect(!Disk.exists(folder.paths.highWater.inConfig))
        #expect(try command("consent", "--accept").code == 0)
        #expect(Disk.exists(folder.paths.highWater.inConfig))
        let key = try #require(DeviceKeyFile.read(folder.paths.deviceKey)).verifier
        func marks() -> HighWaterFiles.Found { folder.paths.highWater.read(key) }
        #expect(marks().damaged.isEmpty && marks().behind.isEmpty && marks().marks.controls == 2)
        try Disk.write(Array("damage".utf8), to: folder.paths.highWater.inConfig)
        let doctor = try command("doctor").output
        #expect(doctor.contains("[warn]  marks"))
        // With the other copy gone too an older file could not be told: this one still can.
        #expect(try command("consent", "--accept").code == 0)
        #expect(marks().damaged.isEmpty && marks().behind.isEmpty && marks().marks.controls == 3)
        Disk.remove(folder.paths.highWater.inState)
        #expect(marks().marks.controls == 3)
    }

    @Test func `accounts that are damaged or older are found by doctor and status`() throws {
        #expect(try command("consent", "--accept").code == 0)
        #expect(try !command("doctor").output.contains("accounts"))
        let file = EventCountersFile(folder.paths)
        file.write(EventCounters())
        let copy = try Disk.read(folder.paths.accounts)
        file.write(EventCounters())
        try Disk.write(copy, to: folder.paths.accounts)
        #expect(
            try command("doctor").output.contains("[warn]  notices    The accounts file was put")
        )
        try Disk.write(Array("{".utf8), to: folder.paths.accounts)
        #expect(try command("doctor").output.contains("notices    The accounts file was damaged"))
        #expect(try command("status").output.contains("  The accounts file was damaged"))
    }
}
