// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Glibc
import Logging
import Person
import Recording
import Sandbox
import System

/// How mcid ends; the unit file and the README list the same numbers.
private enum ExitCode {
    static let ok: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    /// The X server cannot be reached: another start may help.
    static let unavailable: Int32 = 69
    /// Another mcid is running for this person.
    static let alreadyRunning: Int32 = 75
    /// There is no consent, so a service has nothing to do.
    static let refused: Int32 = 77
    /// Something is missing or unfit, and another start would not help.
    static let unfit: Int32 = 78
}

private let help = """
    mcid records the keyboard and mouse of this X11 session, with consent, sealed to the person's key.

    Start it with systemd: systemctl --user start mcid
    Control it with mcictl: consent, status, pause, resume, log, export, forget, set.

    Options: --version, --help
             --no-sandbox   for debugging only: mcictl status, the log and every batch say so

    """

/// The daemon's life, from top to bottom.
func runDaemon() -> Int32 {
    switch CommandLine.arguments.dropFirst().first {
    case nil: break
    case "--version": return say("mcid \(CurrentProcess.version)\n", to: 1, ExitCode.ok)
    case "--help", "-h": return say(help, to: 1, ExitCode.ok)
    case "--no-sandbox" where CommandLine.arguments.count == 2: break
    default: return say("mcid: unknown argument. See: mcid --help\n", to: 2, ExitCode.usage)
    }
    // Unconfined only if asked for: no other argument may lead there.
    let isConfined = CommandLine.arguments.dropFirst().first != "--no-sandbox"

    let environment = CurrentProcess.environment()
    let budget = LogBudget()
    let log = Logger(label: "mcid") { _ in
        JournalLogHandler(environment: environment, budget: budget)
    }
    let paths = Paths(environment: environment)
    let manager = ServiceManager(environment: environment, processID: CurrentProcess.id)
    SignalPlan.enforce()
    umask(0o077)
    guard Hardening.forbidDumps() else {
        return refuse("The kernel does not allow mcid to disable core dumps.", ExitCode.unfit)
    }
    do {
        do throws(FileError) {
            for folder in [paths.state, paths.runtime] { try Disk.makeFolder(folder) }
        } catch {
            return refuse(
                "The folders \(paths.state) and \(paths.runtime) cannot be created (\(error)). "
                    + "Next: mcictl consent",
                ExitCode.unfit
            )
        }
        if let fault = paths.fault { return refuse("\(fault)", ExitCode.unfit) }
        let authority = AuthorityFile(environment: environment)
        let confinement =
            isConfined
            ? confine(environment, paths) : Confinement(isWaived: true)
        if !isConfined { log.critical("Started without a sandbox, for debugging only") }
        if let sentence = confinement.attest() {
            return refuse("\(sentence) Next: mcictl doctor", ExitCode.unfit)
        }
        guard let lock = try takeLock(paths.daemonLock) else {
            return refuse(
                "Another mcid is already running for you. Next: mcictl status",
                ExitCode.alreadyRunning
            )
        }
        lock.note("\(CurrentProcess.id)")
        try X11Source.checkSession(environment)
        try X11Source.probe()

        // The socket first, then the controls: so a pause that mcictl wrote while nobody listened is
        // read, and a later one is received.
        let control = try ControlServer(
            path: paths.socket,
            version: CurrentProcess.version,
            kept: manager.keptListener
        )
        let recorder = Recorder(
            X11Source(authority),
            Recorder.Environment(
                paths: paths,
                clock: SystemClock.now,
                bootID: SystemClock.bootID(),
                session: environment["XDG_SESSION_ID"] ?? "",
                version: CurrentProcess.version,
                log: log,
                isSynchronised: SystemClock.isSynchronised,
                confinement: confinement
            )
        )
        let loop = try EventLoop(recorder, control, manager)
        do throws(Refusal) {
            try recorder.start()
        } catch {
            control.close()
            return refuse("\(error.reason) Next: \(error.next)", ExitCode.unfit)
        }
        // Run by hand, it waits for consent; as a service, it exits, so that systemctl shows it.
        if manager.isPresent, recorder.lacksConsent {
            control.close()
            return refuse("You have not consented. Next: mcictl consent", ExitCode.refused)
        }
        do throws(Refusal) {
            try loop.run()
        } catch {
            let code = loop.isWorthAnotherStart ? ExitCode.unavailable : ExitCode.unfit
            return refuse("\(error.reason) Next: \(error.next)", code)
        }
        _ = consume lock
        return ExitCode.ok
    } catch let error as CaptureError {
        // A service may be started before its session has set the display.
        let isEarly = error.code == .noDisplay && manager.isPresent
        return refuse(
            error.description,
            error.code == .unreachable || isEarly ? ExitCode.unavailable : ExitCode.unfit
        )
    } catch {
        return refuse("mcid cannot start: \(error)", ExitCode.failed)
    }
}

/// Takes the lock that only one recorder can hold; nil if another one holds it.
///
/// mcictl holds it for a moment to check whether a recorder is running, so this waits a little.
private func takeLock(_ path: String) throws(FileError) -> FileLock? {
    for _ in 0..<100 {
        if let lock = try FileLock.take(path, waits: false) { return lock }
        CurrentProcess.sleep(milliseconds: 5)
    }
    return nil
}

/// Gives up every right that recording does not need.
private func confine(
    _ environment: [String: String],
    _ paths: Paths
) -> Confinement {
    let home = environment["HOME"] ?? "/"
    let authority = environment["XAUTHORITY"] ?? home + "/.Xauthority"
    let sandbox = Sandbox.enter(
        Sandbox.AllowedPaths(
            written: [paths.state],
            writtenFiles: paths.writtenInPlace,
            sockets: paths.runtime,
            read: [
                Disk.folder(of: paths.recipients),
                authority,
                environment["MCI_POLICY"].flatMap(Disk.ownFolder(of:)),
            ].compactMap(\.self)
        )
    )
    return Confinement(
        layers: Layers.names(sandbox),
        attest: { Attestation.attest(home: home, identity: paths.identity).sentence },
        replaced: { sandbox.replaced },
        authority: authority
    )
}

private func refuse(_ sentence: String, _ code: Int32) -> Int32 {
    say("mcid: \(sentence)\n", to: 2, code)
}

private func say(_ text: String, to file: Int32, _ code: Int32) -> Int32 {
    try? Disk.write(Array(text.utf8), to: file)
    return code
}
