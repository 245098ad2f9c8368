// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Testing

/// Consent in a window.
///
/// A script stands in the place of zenity, which is too heavy for every machine that runs the tests.
@Suite struct ConsentDialogTests {
    /// A home with a dialog that ends with a code, and a terminal that notes what it is to run.
    private func home(dialog code: Int?) throws -> (folder: TemporaryFolder, [String: String]) {
        let folder = try TemporaryFolder()
        let programs = "\(folder.path)/bin"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws {
            let path = "\(programs)/\(name)"
            try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        if let code {
            try write(
                "zenity",
                "cat >\(folder.path)/notice; echo \"$@\" >\(folder.path)/words; exit \(code)"
            )
        }
        try write("x-terminal-emulator", "echo \"$@\" >\(folder.path)/terminal")
        try write("systemctl", "exit 1")
        for name in ["cat", "sh"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(programs)/\(name)",
                withDestinationPath: "/bin/\(name)"
            )
        }
        let own = ["PATH": programs, "DISPLAY": ":0"]
        return (folder, folder.environment.merging(own) { _, own in own })
    }

    private func text(_ folder: TemporaryFolder, _ name: String) -> String? {
        try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }

    @Test func `a ticked box and Record consent, and the receipt says so`() throws {
        let (folder, environment) = try home(dialog: 0)
        let result = try Program.run("mcictl", ["consent", "--dialog"], environment: environment)
        #expect(result.code == 0, "\(result.errors)")
        let receipt = try ControlsFile(folder.paths).read().consent
        #expect(receipt?.collectionMethod.contains("dialog") == true)
        #expect(text(folder, "notice")?.contains("What is recorded") == true)
        #expect(
            text(folder, "words")?.contains("--checkbox=I have read this, and I consent") == true
        )
        #expect(text(folder, "terminal") == nil)
    }

    @Test func `without the tick, or with Escape, nothing is consented`() throws {
        let (folder, environment) = try home(dialog: 1)
        let result = try Program.run("mcictl", ["consent", "--dialog"], environment: environment)
        #expect(result.code == 77 && result.errors.contains("Nothing was changed."))
        #expect(try ControlsFile(folder.paths).read().consent == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.paths.identity))
    }

    @Test(arguments: [nil, 5, 255] as [Int?])
    func `where no dialog can ask, a terminal does`(code: Int?) throws {
        let (folder, environment) = try home(dialog: code)
        let result = try Program.run("mcictl", ["consent", "--dialog"], environment: environment)
        #expect(result.code == 0, "\(result.errors)")
        #expect(text(folder, "terminal") == "-e mcictl consent\n")
        #expect(try ControlsFile(folder.paths).read().consent == nil)
    }

    @Test func `a dialog that is killed is no consent`() throws {
        let (folder, environment) = try home(dialog: 0)
        try "#!/bin/sh\nkill -KILL $$\n".write(
            toFile: "\(folder.path)/bin/zenity",
            atomically: false,
            encoding: .utf8
        )
        let result = try Program.run("mcictl", ["consent", "--dialog"], environment: environment)
        #expect(result.code == 0 && text(folder, "terminal") == "-e mcictl consent\n")
        #expect(try ControlsFile(folder.paths).read().consent == nil)
    }

    @Test func `without a display it says where to ask`() throws {
        let (folder, environment) = try home(dialog: 0)
        let own = environment.filter { $0.key != "DISPLAY" }
        let result = try Program.run("mcictl", ["consent", "--dialog"], environment: own)
        #expect(result.code != 0 && result.errors.contains("Next: mcictl consent"))
        #expect(try ControlsFile(folder.paths).read().consent == nil)
    }
}
