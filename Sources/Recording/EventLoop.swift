// SPDX-License-Identifier: Apache-2.0

import CLinux
package import Control
import Events
import Glibc
package import Person
import Policy
import System

/// The daemon's only loop, on its only thread.
///
/// In every round, control messages come before events. So nothing that is read after the request
/// for a pause is ever processed.
package final class EventLoop {
    private let recorder: Recorder
    private let control: ControlServer
    private let manager: ServiceManager
    private let signals: Int32
    private let timer: Int32
    private let calendar: Int32
    /// Announces that the policy may have changed; nil when the kernel cannot, so that each read
    /// checks.
    private let policyWatch: FolderWatch?
    private var armed: Int64 = 0
    private var armedCalendar: Int64 = 0
    private var lastSign: Int64 = 0
    private var isReady = false

    /// Opens descriptors for the timers and for the signals that ``SignalPlan`` handles.
    ///
    /// From then on these signals are blocked, and the loop reads them.
    ///
    /// - Parameters:
    ///   - recorder: records and answers the calls.
    ///   - control: the server of the control interface.
    ///   - manager: the service manager that is notified.
    /// - Throws: a ``Refusal`` when the kernel provides no descriptor.
    package init(
        _ recorder: Recorder,
        _ control: ControlServer,
        _ manager: ServiceManager
    ) throws(Refusal) {
        self.recorder = recorder
        self.control = control
        self.manager = manager
        let wanted = SignalPlan.taken
        signals = unsafe clinux_signal_descriptor(wanted, wanted.count)
        timer = clinux_timer_descriptor(CLOCK_BOOTTIME)
        calendar = clinux_timer_descriptor(CLOCK_REALTIME)
        policyWatch = FolderWatch(recorder.environment.paths.policy.folders)
        guard signals >= 0, timer >= 0, calendar >= 0 else {
            throw Refusal("The kernel refused mcid a descriptor for signals or timers.")
        }
    }

    /// Runs until a signal requests a stop.
    ///
    /// - Throws: a ``Refusal`` when the sandbox no longer holds, or waiting longer is useless.
    package func run() throws(Refusal) {
        reportState(recorder.status)
        manager.keep(control.listener)
        while recorder.failure == nil, abandonment == nil {
            armTimers()
            let sourceDescriptors = recorder.descriptors
            var watched = [signals, timer, calendar, policyWatch?.descriptor ?? -1]
                .map { Self.watch($0) }
            let firstControl = watched.count
            watched += control.descriptors.map { Self.watch($0.descriptor, writes: $0.writes) }
            let firstSource = watched.count
            watched += sourceDescriptors.map { Self.watch($0) }

            let count = unsafe poll(&watched, nfds_t(watched.count), timeout())
            if count < 0 && errno != EINTR { break }
            if watched[0].revents != 0, shouldStop() { break }
            if watched[1].revents != 0 {
                clinux_drain(timer)
                armed = 0
            }
            if watched[2].revents != 0 {
                clinux_drain(calendar)
                armedCalendar = 0
            }
            if watched[3].revents != 0 {
                policyWatch?.drain()
                recorder.noteChangedFiles()
            }
            let now = now()
            if control.hasWork
                || watched[firstControl..<firstSource].contains(where: { $0.revents != 0 })
                || control.deadline.map({ $0 <= now }) == true
            {
                control.turn(now: now) { call throws(Refusal) in
                    try recorder.handle(call, from: control.caller)
                }
                recorder.end(control.departed)
                control.departed = []
            }
            // A call may have disconnected the source: the descriptors then belong to something
            // else.
            let readable = watched[firstSource...].filter { $0.revents != 0 }.map(\.fd)
            if !readable.isEmpty, recorder.descriptors == sourceDescriptors {
                recorder.sourceBecameReadable(at: readable)
            }
            recorder.tick()
            reportChanges(now)
        }
        manager.stopping()
        recorder.stop()
        control.close()
        if let failure = recorder.failure { throw failure }
        if let abandonment {
            isWorthAnotherStart = true
            throw abandonment
        }
    }

    /// Whether the reason for the end may be gone after a restart.
    package private(set) var isWorthAnotherStart = false

    /// Notifies the service manager of the state.
    ///
    /// A daemon is ready when it records, or would if it were not paused or the X server were
    /// there. Without a consent, a key or a ring it only reports its status.
    private func reportState(_ status: Status) {
        if !isReady, status.state != .closed {
            isReady = true
            manager.ready(Self.words(status))
        } else {
            manager.status(Self.words(status))
        }
    }

    private func reportChanges(_ now: Int64) {
        if recorder.statusChanged {
            recorder.statusChanged = false
            let status = recorder.status
            control.publish(status, now: now)
            reportState(status)
        }
        if let interval = manager.watchdogInterval, now - lastSign >= interval {
            lastSign = now
            manager.alive()
        }
    }

    /// The reason for ending a service without an X server: a restarted service sees the session's
    /// current display.
    package static let noServer = Refusal("The X server is gone.", next: "mcictl status")

    /// Milliseconds that mcid waits for its X server, or for a path it needs, to come back.
    private static let patience: Int64 = 10_000

    /// Why further waiting is useless; nil while it may help.
    ///
    /// A restarted service sees the current display and folders. A daemon that was started by hand
    /// waits for its X server, unless it cannot read the cookies.
    private var abandonment: Refusal? {
        let state = recorder.stateAndReason.0
        guard state == .reconnecting || state == .closed else { return nil }
        let now = recorder.environment.clock().wall
        guard now.milliseconds - recorder.stateSince.milliseconds >= Self.patience else {
            return nil
        }
        let isService = manager.isPresent
        if isService || state == .reconnecting, let sentence = recorder.outOfReach {
            return Refusal(sentence, next: "systemctl --user start mcid")
        }
        return isService && state == .reconnecting ? Self.noServer : nil
    }

    /// Milliseconds until something is due; -1 for never.
    private func timeout() -> Int32 {
        if control.hasWork { return 0 }
        let sign = manager.watchdogInterval.map { lastSign + $0 }
        let due = [recorder.deadline, control.deadline, sign].compactMap(\.self).min()
        return due.map { Int32(clamping: max(0, $0 - now())) } ?? -1
    }

    /// Arms both timers.
    ///
    /// Pauses and retention end on a clock that counts suspended time, unlike the clock of poll(2).
    /// The calendar's timer also reports when the wall clock is set.
    private func armTimers() {
        let due = recorder.longDeadline ?? 0
        if abs(due - armed) > 10 || (due == 0) != (armed == 0) {
            armed = due
            clinux_arm_timer(timer, due)
        }
        let date = recorder.wallDeadline?.milliseconds ?? Self.farAway
        if date != armedCalendar {
            armedCalendar = date
            clinux_arm_timer(calendar, max(date, 1))
        }
    }

    /// The year 2200: only a change of the wall clock fires before it.
    private static let farAway: Int64 = 7_258_118_400_000

    private func shouldStop() -> Bool {
        while true {
            let number = clinux_read_signal(signals)
            if number == 0 { return false }
            switch SignalPlan.action(for: number) {
            case .reload: _ = try? recorder.handle(.reload)
            default: return true
            }
        }
    }

    private static func watch(_ descriptor: Int32, writes: Bool = false) -> pollfd {
        pollfd(fd: descriptor, events: Int16(POLLIN | (writes ? POLLOUT : 0)), revents: 0)
    }

    private func now() -> Int64 { recorder.environment.clock().monotonic.milliseconds }

    private static func words(_ status: Status) -> String {
        switch status.state {
        case .recording: "recording"
        case .paused: status.until.map { "paused until \($0)" } ?? "paused until resumed"
        case .closed: "closed: \(status.reason ?? "")"
        case .reconnecting: "waiting for the X server"
        }
    }
}
