// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Glibc
import Person
import Policy
import Release
import Storage
import System

/// The command, with its verbs in life-cycle order.
struct Mcictl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcictl",
        abstract: "See, stop and erase what mcid records of your work.",
        discussion: """
            EXAMPLES
              mcictl consent            read the notice and decide
              mcictl status             what is recorded now
              mcictl pause 30m          nothing is recorded for 30 minutes
              mcictl exempt add --app X do not record that application
              mcictl log --since 10m    what was recorded, in words
              mcictl forget --last 15m  erase the last 15 minutes
              mcictl key backup FILE    copy the key that opens the recording

            EXIT CODES
              0 done · 1 failed · 3 mcid is not running (status) · 4 mcid does not answer (status)
              64 wrong usage · 69 mcid cannot be reached · 77 refused
            """,
        version: "mcictl \(CurrentProcess.version)",
        subcommands: [
            ConsentVerb.self, StatusVerb.self, PauseVerb.self, ResumeVerb.self, ExemptVerb.self,
            ExcludeVerb.self, ExplainVerb.self, DemonstrateVerb.self, LogVerb.self, WatchVerb.self,
            ReportVerb.self, QueryVerb.self, ExportVerb.self, ReleaseVerb.self, ReplayVerb.self,
            VerifyVerb.self, ForgetVerb.self, SetVerb.self, KeyVerb.self, PolicyVerb.self,
            StewardVerb.self,
            DoctorVerb.self,
        ]
    )

    /// Without a verb: shows what is recorded now, and then the help.
    func run() throws {
        do {
            let status = try StatusVerb.parse([])
            try status.run()
        } catch is ExitCode {
            // The status has already said that mcid is not running.
        }
        Terminal.print("\n" + Mcictl.helpMessage())
    }
}

/// Runs the command line; an error becomes one sentence and the next command.
func runCommand() -> Int32 {
    Disk.holdStandardDescriptors()
    // This process handles the private key, which no core dump may contain.
    _ = Hardening.forbidDumps()
    umask(0o077)
    // A write beyond the file size limit must fail with an error, not end the process.
    signal(SIGXFSZ, SIG_IGN)
    guard CurrentProcess.areArgumentsLegible else {
        // A pattern in another encoding would look right and match nothing.
        Terminal.report("error: An argument is not valid UTF-8.")
        Terminal.report("  Next: run it again in a terminal with a UTF-8 locale")
        return Failure.usage
    }
    do {
        let words = try Spelling.corrected(Array(CommandLine.arguments.dropFirst()))
        var command = try Mcictl.parseAsRoot(words)
        try command.run()
        return 0
    } catch let failure as Failure {
        Terminal.report("error: \(failure.sentence)")
        if !failure.next.isEmpty { Terminal.report("  Next: \(failure.next)") }
        return failure.code
    } catch let code as ExitCode {
        return code.rawValue
    } catch let refusal as Refusal {
        Terminal.report("error: \(refusal.reason)")
        if !refusal.next.isEmpty { Terminal.report("  Next: \(refusal.next)") }
        return Failure.refused
    } catch let error as ReleaseError {
        Terminal.report("error: \(Terminal.printable(error.reason))")
        if let next = error.next { Terminal.report("  Next: \(next)") }
        return Failure.failed
    } catch let error as ControlError {
        Terminal.report("error: \(error.description)")
        Terminal.report("  Next: systemctl --user status mcid")
        return Failure.unavailable
    } catch let error as SettingsError {
        Terminal.report("error: \(error.description)")
        let next =
            switch error.code {
            case .locked: "end the suspended mcictl, then run the command again"
            case .unwritable: "df -h (is the disk full?), or mcictl doctor"
            case .unreadable, .damaged:
                "mcictl consent (writes a new one and keeps the old one)"
            }
        Terminal.report("  Next: \(next)")
        return Failure.failed
    } catch let error as FileError {
        Terminal.report("error: One of mci's files cannot be used (\(error)).")
        Terminal.report("  Next: mcictl doctor")
        return Failure.failed
    } catch let error as PolicyError {
        Terminal.report("error: \(Terminal.printable(error.description))")
        if error.defects.count == 1 { Terminal.report("  Next: mcictl policy check") }
        return Failure.failed
    } catch let error as StorageError {
        Terminal.report("error: \(error.description)")
        return Failure.failed
    } catch {
        let code = Mcictl.exitCode(for: error).rawValue
        let message = Mcictl.fullMessage(for: error)
        if code == 0 { Terminal.print(message) } else { Terminal.report(message) }
        return code
    }
}

/// A failure as the person reads it.
struct Failure: Error {
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    static let unavailable: Int32 = 69
    static let refused: Int32 = 77

    var sentence: String
    var next: String
    var code: Int32

    init(_ sentence: String, next: String = "", code: Int32 = Failure.failed) {
        self.sentence = sentence
        self.next = next
        self.code = code
    }
}
