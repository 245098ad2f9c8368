// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Files
import Glibc
import Logging
import Recording
import Settings

/// How mcid ends; the unit file and the README name the same numbers.
private enum ExitCode {
    static let ok: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    /// The X server cannot be reached: worth another start.
    static let unavailable: Int32 = 69
    /// Another mcid records for this person.
    static let alreadyRunning: Int32 = 75
    /// Something is missing or unfit that another start does not mend.
    static let unfit: Int32 = 78
}

private let help = """
    mcid records keyboard and mouse of this X11 session, with consent, sealed to the person's key.

    It is started by systemd: systemctl --user start mcid
    Steer it with mcictl: consent, status, pause, resume, log, export, forget, set.

    Options: --version, --help

    """

/// The daemon's life, from top to bottom.
func runDaemon() -> Int32 {
    switch CommandLine.arguments.dropFirst().first {
    case nil: break
    case "--version": return say("mcid \(ProcessFacts.version)\n", to: 1, ExitCode.ok)
    case "--help", "-h": return say(help, to: 1, ExitCode.ok)
    default: return say("mcid: it takes no arguments. See mcid --help\n", to: 2, ExitCode.usage)
    }

    let environment = ProcessFacts.environment()
    let log = Logger(label: "mcid") { _ in JournalLogHandler(environment: environment) }
    let paths = Paths(environment: environment)
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
    guard Hardening.forbidDumps() else {
        return refuse("The kernel does not let mcid forbid core dumps.", ExitCode.unfit)
    }
    do {
        guard let lock = try FileLock.take(paths.daemonLock, waits: false) else {
            return refuse(
                "Another mcid already records for you. Next: mcictl status",
                ExitCode.alreadyRunning
            )
        }
        lock.note("\(ProcessFacts.id)")
        try X11Source.checkSession(environment)
        try X11Source.probe()
        try Disk.makeFolder(paths.runtime)

        // The socket first, the controls after: a pause written by mcictl while nobody listened is
        // read, and one asked for later is heard.
        let control = try ControlServer(path: paths.socket, version: ProcessFacts.version)
        let recorder = Recorder(
            X11Source(),
            Recorder.Environment(
                paths: paths,
                clock: SystemClock.now,
                bootID: SystemClock.bootID(),
                version: ProcessFacts.version,
                log: log
            )
        )
        let manager = ServiceManager(environment: environment, processID: ProcessFacts.id)
        let loop = try EventLoop(recorder, control, manager)
        do throws(Refusal) {
            try recorder.start()
        } catch {
            control.close()
            return refuse("\(error.reason) Next: \(error.next)", ExitCode.unfit)
        }
        loop.run()
        _ = consume lock
        return ExitCode.ok
    } catch let error as CaptureError {
        return refuse(
            error.description,
            error.code == .unreachable ? ExitCode.unavailable : ExitCode.unfit
        )
    } catch {
        return refuse("mcid cannot start: \(error)", ExitCode.failed)
    }
}

private func refuse(_ sentence: String, _ code: Int32) -> Int32 {
    say("mcid: \(sentence)\n", to: 2, code)
}

private func say(_ text: String, to file: Int32, _ code: Int32) -> Int32 {
    try? Disk.write(Array(text.utf8), to: file)
    return code
}
