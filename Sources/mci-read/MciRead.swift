// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Glibc
import Notes
import Release
import System

/// The program's only door to what people released, and the tools of purposes and readers.
struct MciRead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mci-read",
        abstract: "Open releases for a job, after their opening is written down.",
        discussion: """
            EXAMPLES
              mci-read run --store outbox --holder holder/program --purpose p.purpose \\
                  --key job.key --certificate job.certificate --reason "train v3" --out out -- python3 train.py
              mci-read seal --store outbox --run out --release 5f3c… --purpose p.purpose --key job.key < rows
              mci-read purge --store outbox --run out --key job.key
              mci-read key new example.org/job --out job.key
              mci-read purpose check p.purpose

            EXIT CODES
              0 done · 1 failed · 64 wrong usage · 77 nothing could be opened · 78 no sandbox
              otherwise that of the job
            """,
        version: "mci-read \(CurrentProcess.version)",
        subcommands: [
            RunVerb.self, SealVerb.self, PurgeVerb.self, KeyVerb.self, CertifyVerb.self,
            PurposeVerb.self, ConfinedVerb.self,
        ]
    )
}

/// A failure as the person reads it.
struct Failure: Error {
    static let usage: Int32 = 64
    static let refused: Int32 = 77
    static let unfit: Int32 = 78

    let sentence: String
    let code: Int32

    init(_ sentence: String, code: Int32 = 1) {
        (self.sentence, self.code) = (sentence, code)
    }
}

/// Runs the command line; an error becomes a sentence.
func runReader() -> Int32 {
    Disk.holdStandardDescriptors()
    _ = Hardening.forbidDumps()
    umask(0o077)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    do {
        var command = try MciRead.parseAsRoot()
        try command.run()
        return 0
    } catch let failure as Failure {
        say("mci-read: \(failure.sentence)")
        return failure.code
    } catch let error as ReleaseError {
        say("mci-read: \(error)")
        return 1
    } catch let code as ExitCode {
        return code.rawValue
    } catch {
        let code = MciRead.exitCode(for: error).rawValue
        let text = Array((MciRead.fullMessage(for: error) + "\n").utf8)
        try? Disk.write(text, to: code == 0 ? 1 : 2)
        return code
    }
}

/// Says something to whoever runs this.
func say(_ sentence: String) {
    try? Disk.write(Array("\(sentence)\n".utf8), to: 2)
}

/// Prints a result.
func printResult(_ text: String) {
    try? Disk.write(Array("\(text)\n".utf8), to: 1)
}

/// Reads a file that the command line names.
///
/// - Throws: a ``Failure`` that names it.
func contents(of path: String, limit: Int = 1 << 20) throws -> [UInt8] {
    do {
        return try Disk.read(path, limit: limit)
    } catch {
        throw Failure("\(path) cannot be read (\(error)).")
    }
}

/// Reads a private key.
///
/// - Throws: a ``Failure`` that names the file, and never shows it.
func signer(_ path: String) throws -> NoteSigner {
    guard let key = NoteSigner(String(decoding: try contents(of: path), as: UTF8.self)) else {
        throw Failure("\(path) is not a private key. Next: mci-read key new NAME --out \(path)")
    }
    return key
}

/// Reads a purpose, and verifies both signatures.
///
/// - Throws: a ``Failure`` or a `ReleaseError`.
func purpose(_ path: String) throws -> Signed<Purpose> {
    let purpose = try Signed<Purpose>(try contents(of: path))
    try purpose.verify()
    return purpose
}

/// The wall clock.
var wallNow: WallTime { WallTime(KernelClock.realtime.milliseconds) }
