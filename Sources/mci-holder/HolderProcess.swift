// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Holder
import Person
import Release
import Sandbox
import Storage
import System

/// How mci-holder ends.
private enum ExitCode {
    static let ok: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    /// Another one is running for this person.
    static let alreadyRunning: Int32 = 75
    /// Something is unfit, and another start would not help.
    static let unfit: Int32 = 78
}

private let help = """
    mci-holder holds a lock for each grant of yours, and writes down who opens it before it opens.

    Start it with systemd: systemctl --user start mci-holder
    It is asked through files in a folder, has no network, and cannot read your recording.

    Options: --once         answer what lies there, and end
             --no-sandbox   for debugging only
             --version, --help

    """

/// The holder's life, from top to bottom.
func runHolder() -> Int32 {
    var isOnce = false
    var isConfined = true
    for argument in CommandLine.arguments.dropFirst() {
        switch argument {
        case "--version": return say("mci-holder \(CurrentProcess.version)\n", to: 1, ExitCode.ok)
        case "--help", "-h": return say(help, to: 1, ExitCode.ok)
        case "--once": isOnce = true
        case "--no-sandbox": isConfined = false
        default:
            return say(
                "mci-holder: unknown argument. See: mci-holder --help\n",
                to: 2,
                ExitCode.usage
            )
        }
    }
    umask(0o077)
    guard Hardening.forbidDumps() else {
        return refuse("The kernel does not allow it to disable core dumps.", ExitCode.unfit)
    }
    let environment = CurrentProcess.environment()
    let paths = Paths(environment: environment)
    let spools = (Spool.ofPerson(paths.holder), Spool.ofProgram(paths.holder))
    do {
        try Disk.makeFolder(paths.grants)
        try spools.0.make()
        try spools.1.make()
    } catch {
        return refuse("The folder \(paths.holder) cannot be created (\(error)).", ExitCode.unfit)
    }
    for folder in [paths.holder, paths.grants] {
        if let fault = OwnPath.fault(folder, .folder) { return refuse("\(fault)", ExitCode.unfit) }
    }
    if isConfined {
        _ = Sandbox.enter(
            Sandbox.AllowedPaths(
                written: [paths.holder],
                sockets: paths.holder,
                read: [paths.grants]
            )
        )
        let home = environment["HOME"] ?? "/"
        if let sentence = Attestation.attest(home: home, identity: paths.identity).sentence {
            return refuse(sentence.replacing("mcid", with: "mci-holder"), ExitCode.unfit)
        }
    }
    do {
        guard let lock = try FileLock.take(paths.holder + "/lock", patience: isOnce ? 5000 : 500)
        else { return refuse("Another mci-holder is already running.", ExitCode.alreadyRunning) }
        let store = try HolderStore(path: paths.holder + "/holder.db")
        let holder = Holder(store) { WallTime(KernelClock.realtime.milliseconds) }
        try HolderProcess(holder, paths, spools.0, spools.1).run(isOnce: isOnce)
        _ = consume lock
        return ExitCode.ok
    } catch let error as StorageError {
        let words = error.code == .full ? "the disk is full" : "SQLite \(error.result)"
        return refuse("It cannot use \(paths.holder)/holder.db (\(words)).", ExitCode.failed)
    } catch {
        return refuse("It cannot use the folder \(paths.holder) (\(error)).", ExitCode.failed)
    }
}

/// The loop: what is over ends, then requests are answered, then it waits for a file.
private struct HolderProcess {
    private let holder: Holder
    private let paths: Paths
    private let person: Spool
    private let program: Spool

    init(_ holder: Holder, _ paths: Paths, _ person: Spool, _ program: Spool) {
        (self.holder, self.paths, self.person, self.program) = (holder, paths, person, program)
    }

    /// Runs until a signal asks for the end, or once.
    func run(isOnce: Bool) throws {
        // A signal waits until the answer is written.
        let signals = SignalQueue([SIGTERM, SIGINT, SIGHUP])
        let watch = FolderWatch([
            person.folder + "/requests", program.folder + "/requests", paths.grants,
        ])
        writeOpenings()
        while true {
            watch?.drain()
            let next = try holder.endWhatIsOver(kept: erasure)
            let answered = answer(person, isPerson: true) + answer(program, isPerson: false)
            if answered > 0 { writeOpenings() }
            if isOnce { return }
            guard answered == 0 else { continue }
            let now = KernelClock.realtime.milliseconds
            let left = next.map { max(1000, $0.milliseconds - now) } ?? Int64.max
            let watched = [signals.descriptor, watch?.descriptor].compactMap(\.self)
            CurrentProcess.wait(for: watched, milliseconds: min(left, 3_600_000))
            if signals.isPending { return }
        }
    }

    private func answer(_ spool: Spool, isPerson: Bool) -> Int {
        spool.answerAll { request in
            guard let request else { return HolderAnswer(refusal: "This is not a request.") }
            // An erasure that was kept meanwhile comes first.
            _ = try? holder.endWhatIsOver(kept: erasure)
            return holder.answer(request, isPerson: isPerson)
        }
    }

    /// The erasure that the person keeps with a grant.
    private func erasure(_ id: String) -> Signed<Erasure>? {
        let bytes = try? Disk.readOwn("\(paths.grants)/\(id)/erasure.note")
        return bytes.flatMap { try? Signed($0) }
    }

    /// Informs the person's other programs; the log does not depend on it.
    private func writeOpenings() {
        guard let (count, last) = try? holder.openings() else { return }
        let certificate = last.flatMap {
            try? Signed<Certificate>(Array($0.content.certificate.utf8)).content
        }
        try? Openings(
            count: count,
            person: certificate?.person ?? "",
            team: certificate?.team ?? "",
            job: certificate?.job ?? ""
        ).write(paths.openings)
    }
}

private func refuse(_ sentence: String, _ code: Int32) -> Int32 {
    say("mci-holder: \(sentence)\n", to: 2, code)
}

private func say(_ text: String, to file: Int32, _ code: Int32) -> Int32 {
    try? Disk.write(Array(text.utf8), to: file)
    return code
}
