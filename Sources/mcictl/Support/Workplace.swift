// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Files
import Settings
import Storage
import Timeline

/// What a verb works with: the folders, the daemon where it runs, the person's keys.
struct Workplace {
    let paths = Paths(environment: ProcessFacts.environment())
    let now = SystemClock.now()

    static let startCommand = "systemctl --user start mcid"

    /// Calls the daemon; nil when it is not running.
    ///
    /// - Throws: a refusal of the daemon, or ``ControlError`` when it does not answer.
    func call(_ call: ControlCall) throws -> ControlReply? {
        do {
            let reply = try answer(to: call)
            if let version = reply.status?.version, version != ProcessFacts.version {
                Terminal.tell("warning: mcid is \(version), mcictl is \(ProcessFacts.version).")
                Terminal.tell("  Next: systemctl --user restart mcid")
            }
            return reply
        } catch let error as ControlError where error.code == .notRunning {
            return nil
        }
    }

    /// The daemon's answer, asked for again when the connection ends without one: other clients may
    /// have crowded this one out.
    private func answer(to call: ControlCall) throws -> ControlReply {
        // Erasing a whole ring takes a while on a slow disk.
        var patience = 5
        if case .forget = call { patience = 120 }
        for _ in 0..<5 {
            do {
                return try ControlClient(path: paths.socket, timeout: patience).call(call)
            } catch let error as ControlError where error.number == ControlError.hungUp {}
        }
        return try ControlClient(path: paths.socket, timeout: patience).call(call)
    }

    /// Changes the controls: through the daemon, or in their file while it is down.
    ///
    /// After writing the file the daemon is asked again, for it may have started meanwhile and read
    /// the old controls.
    ///
    /// - Returns: the daemon's answer; nil when it is down.
    func change(
        _ request: ControlCall,
        _ change: (inout Controls) -> Void
    ) throws -> ControlReply? {
        var failure: ControlError?
        do {
            if let reply = try call(request) { return reply }
        } catch let error as ControlError {
            // It runs and does not answer: what is on disk it reads before it reads on.
            failure = error
        }
        let file = ControlsFile(paths.controls)
        do {
            let lock = try file.lock()
            var controls: Controls
            do throws(SettingsError) {
                controls = try file.read()
            } catch {
                Terminal.tell("warning: \(error.description) It is kept as \(file.path).damaged.")
                file.setAside()
                controls = Controls()
            }
            change(&controls)
            try file.write(controls)
            _ = consume lock
        }
        if let failure {
            Terminal.tell("warning: \(failure.description) What you asked is on disk, and mcid")
            Terminal.tell("  looks there before it records anything more.")
            return nil
        }
        if let reply = try call(request) { return reply }
        if isDaemonAlive() {
            Terminal.tell(
                "warning: mcid runs but has no socket. What you asked is on disk; mcid looks"
            )
            Terminal.tell(
                "  there before it records anything more. Next: systemctl --user restart mcid"
            )
        }
        return nil
    }

    /// Whether a daemon holds the ring, with or without a socket.
    func isDaemonAlive() -> Bool {
        do {
            switch try FileLock.take(paths.daemonLock, waits: false) {
            case .some: return false
            case .none: return true
            }
        } catch {
            return false
        }
    }

    /// Holds the lock under which keys and settings are written, for the time of a call.
    func withSettingsLock<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            let lock = try FileLock.take(paths.config + "/lock", waits: true)
            defer { _ = lock }
            return try body()
        } catch let error as FileError {
            throw Failure("The folder \(paths.config) cannot be written (\(error)).")
        }
    }

    /// The person's keys.
    ///
    /// - Throws: a ``Failure`` that says where they were expected.
    func identities() throws -> [Identity] {
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(paths.identity)
        } catch {
            if error.isMissing, !Disk.exists(paths.recipients), !Disk.exists(paths.ring) {
                throw Failure(
                    "Nothing has been recorded: you have not consented.",
                    next: "mcictl consent"
                )
            }
            throw Failure(
                error.isMissing
                    ? "Your identity is not at \(paths.identity), and without it nothing can be read."
                    : "Your identity at \(paths.identity) cannot be read (\(error)).",
                next: "put it back, or give consent anew for new recordings: mcictl consent"
            )
        }
        guard let identities = Identity.list(String(decoding: bytes, as: UTF8.self)) else {
            throw Failure("The identity file \(paths.identity) holds no age key.")
        }
        return identities
    }

    /// The recorded timeline, with everything up to now stored.
    ///
    /// - Throws: a ``Failure`` where there is nothing to read or no key to read it with.
    func timeline() throws -> TimelineReader {
        let identities = try identities()
        _ = try? call(.flush)
        guard Disk.exists(paths.ring) else {
            throw Failure("Nothing has been recorded yet.", next: "mcictl status")
        }
        return TimelineReader(try RingReader(path: paths.ring), identities)
    }

    /// The stretch of time between two optional bounds from the command line.
    func range(since: String?, until: String?) throws -> ClosedRange<Int64> {
        let from = try since.map { try TimeText.past($0, now: now.wall).milliseconds } ?? 0
        let to =
            try until.map { try TimeText.moment($0, now: now.wall).milliseconds } ?? Int64.max / 4
        guard from <= to else {
            throw Failure("The stretch ends before it begins.", code: Failure.usage)
        }
        return from...to
    }
}

/// The sentence about batches that a reading had to pass over.
func warn(about summary: TimelineReader.Summary) {
    warn(foreign: summary.foreign, damaged: summary.damaged)
}

/// As ``warn(about:)``, from the two counts that matter.
func warn(foreign: Int, damaged: Int) {
    if foreign > 0 {
        Terminal.tell("warning: \(foreign) batches were sealed to another key and stay closed.")
    }
    if damaged > 0 {
        Terminal.tell("warning: \(damaged) batches are damaged and were left out.")
    }
}
