// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events
import Person
import Sealing
import Signing
import Storage
import System
import Timeline

/// What a verb works with: the folders, the daemon if it runs, and the person's keys.
struct Installation {
    let paths = Paths(environment: CurrentProcess.environment())
    let now = SystemClock.now()

    /// Milliseconds to wait for another program that changes the controls.
    private static let lockPatience: Int64 = 5000

    static let startCommand = "systemctl --user start mcid"

    /// Calls the daemon; nil if it is not running.
    ///
    /// - Throws: a refusal of the daemon, or ``ControlError`` when it does not answer.
    func call(_ call: ControlCall) throws -> ControlReply? {
        do {
            let reply = try answer(to: call)
            if let version = reply.status?.version, version != CurrentProcess.version {
                Terminal.report(
                    "warning: mcid is version \(version), but mcictl is \(CurrentProcess.version)."
                )
                Terminal.report("  Next: systemctl --user restart mcid")
            }
            return reply
        } catch let error as ControlError where error.code == .notRunning {
            return nil
        }
    }

    /// The daemon's answer, asked for again when the connection ends without one: other clients may
    /// have crowded this one out.
    private func answer(to call: ControlCall) throws -> ControlReply {
        // Erasing or resizing a whole ring takes a while on a slow machine.
        let patience =
            switch call {
            case .forget, .reload: 120
            default: 5
            }
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
        _ change: (inout Controls) throws(Refusal) -> Void
    ) throws -> ControlReply? {
        var failure: ControlError?
        do {
            if let reply = try call(request) {
                raiseMarks()
                return reply
            }
        } catch let error as ControlError {
            // It runs but does not answer: it reads what is on disk before it records anything more.
            failure = error
        }
        let file = ControlsFile(paths)
        var putBack: Controls?
        var damage: SettingsError?
        do {
            // Nothing is printed before the lock is released: a terminal may keep its writers waiting,
            // and mcid waits for the lock.
            defer { warn(putBack, damage, file.path) }
            let lock = try file.lock(patience: Self.lockPatience)
            var controls: Controls
            do throws(SettingsError) {
                let found = try file.find()
                controls = found.controls
                if found.isPutBack { putBack = controls }
            } catch {
                damage = error
                file.setAside()
                controls = Controls()
            }
            try change(&controls)
            try file.write(controls)
            _ = consume lock
        }
        if let failure {
            Terminal.report("warning: \(failure.description) Your change is on disk, and mcid")
            Terminal.report("  reads it before it records anything more.")
            return nil
        }
        if let reply = try call(request) { return reply }
        if isDaemonAlive() {
            Terminal.report(
                "warning: mcid is running without a socket. Your change is on disk; mcid reads it"
            )
            Terminal.report(
                "  before it records anything more. Next: systemctl --user restart mcid"
            )
        }
        return nil
    }

    /// Says what was wrong with the controls file, which is written again.
    private func warn(_ putBack: Controls?, _ damage: SettingsError?, _ path: String) {
        if let putBack { reportPutBack(putBack) }
        guard let damage else { return }
        Terminal.report("warning: \(damage.description) It is kept as \(path).damaged.")
        Terminal.report(
            "  Exemptions in it no longer hold: add them again before you"
        )
        Terminal.report("  consent. Until then nothing is recorded.")
    }

    /// Whether a daemon holds the ring, with or without a socket.
    func isDaemonAlive() -> Bool {
        guard Disk.exists(paths.daemonLock) else { return false }
        do {
            switch try FileLock.take(paths.daemonLock, waits: false) {
            case .some: return false
            case .none: return true
            }
        } catch {
            return false
        }
    }

    /// Changes the person's settings, and makes the daemon read them.
    ///
    /// - Returns: the new settings, and whether a daemon has them in force.
    func change(
        _ change: (inout PersonSettings) -> Void
    ) throws -> (settings: PersonSettings, isRunning: Bool) {
        let file = SettingsFile(paths.settings)
        let settings = try withSettingsLock {
            var settings = try file.read()
            change(&settings)
            try file.write(settings)
            return settings
        }
        return (settings, try call(.reload) != nil)
    }

    /// Holds the lock for writing keys and settings during a call.
    func withSettingsLock<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            let lock = try FileLock.take(paths.config + "/lock", waits: true)
            defer { _ = lock }
            return try body()
        } catch let error as FileError {
            throw Failure("The folder \(paths.config) cannot be written (\(error)).")
        }
    }

    /// The public half of the recorder's signing key; nil if there is none yet.
    var deviceKeyText: String? { DeviceKeyFile.read(paths.deviceKey)?.verifier.text }

    /// The recorder's signing key, created if there is none.
    func deviceKey() throws -> DeviceKey {
        do {
            return try DeviceKeyFile.readOrMake(paths.deviceKey)
        } catch {
            throw Failure("The recorder's key cannot be written to \(paths.deviceKey) (\(error)).")
        }
    }

    /// The recorded timeline, with everything up to now stored.
    ///
    /// - Parameter named: the file of a ring, instead of the one that is recorded into.
    /// - Returns: its reader.
    /// - Throws: a ``Failure`` if there is nothing to read or no key to read it with.
    func timeline(_ named: String? = nil) throws -> TimelineReader {
        let identities = try identities()
        let ring = try RingReader(path: try ringPath(named))
        if ring.isBeingRebuilt {
            Terminal.report("warning: Part of the ring is still being rebuilt and is not shown.")
            Terminal.report("  Next: \(Self.startCommand) (it ends the rebuilding), then again")
        }
        return TimelineReader(ring, identities)
    }

    /// The path of an existing ring, with everything up to now stored.
    func ringPath(_ named: String?) throws -> String {
        if let named {
            guard Disk.exists(named) else { throw Failure("There is no file \(named).") }
            return named
        }
        _ = try? call(.flush)
        guard Disk.exists(paths.ring) else {
            throw Failure("Nothing has been recorded yet.", next: "mcictl status")
        }
        return paths.ring
    }

    /// The ring itself, as the daemon would open it; the caller holds the daemon's lock.
    func ring() throws -> Ring {
        let (settings, key) = (try SettingsFile(paths.settings).read(), try deviceKey())
        let marks = HighWaterKeeper(paths.highWater)
        marks.look(key.verifier)
        var setting = Ring.Setting(
            cap: settings.bytes,
            key: key,
            clocks: AgeClock.Reading(
                wall: now.wall.milliseconds,
                boottime: now.boottime,
                monotonic: now.monotonic.milliseconds,
                bootID: SystemClock.bootID(),
                isSynchronised: SystemClock.isSynchronised()
            )
        )
        setting.marks = marks.marks
        setting.note = { new in marks.raise(signedBy: key) { $0.raise(to: new) } }
        return try Ring.open(paths.ring, setting, retention: settings.retentionTime)
    }

    /// The span of time between two optional bounds from the command line.
    func range(since: String?, until: String?) throws -> ClosedRange<Int64> {
        let span = try TimeText.span(since: since, until: until, now: now.wall)
        let from = span.from?.milliseconds ?? 0
        return from...max(from, span.to?.milliseconds ?? Int64.max / 4)
    }
}

/// Warns about batches that could not be read.
func warn(about summary: TimelineReader.Summary) {
    warn(foreign: summary.foreign, damaged: summary.damaged)
}

/// As ``warn(about:)``, from the two counts that matter.
func warn(foreign: Int, damaged: Int) {
    if foreign > 0 {
        Terminal.report(
            "warning: \(foreign) batches were sealed to another key and could not be opened."
        )
    }
    if damaged > 0 {
        Terminal.report("warning: \(damaged) batches are damaged and were left out.")
    }
}
