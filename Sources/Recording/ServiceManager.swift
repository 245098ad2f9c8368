// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The service manager that started the daemon, notified over its socket (sd_notify(3)).
package struct ServiceManager: Sendable {
    private let socket: String?
    /// Milliseconds between two watchdog notifications, half of `WATCHDOG_USEC`; nil when none are
    /// wanted.
    package let watchdogInterval: Int64?
    /// The listening socket that an earlier run gave to the manager to keep; nil when there is
    /// none.
    package let keptListener: Int32?
    /// Whether a service manager started the daemon.
    package var isPresent: Bool { socket != nil }

    /// Finds the service manager in the environment; without one, notifications do nothing.
    ///
    /// - Parameters:
    ///   - environment: the process environment.
    ///   - processID: of this process.
    package init(environment: [String: String], processID: Int32) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(processID)" } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { $0 / 2000 }
        watchdogInterval = isForUs ? interval.flatMap { $0 > 0 ? $0 : nil } : nil
        // sd_listen_fds(3): passed descriptors start at 3.
        let isGiven =
            environment["LISTEN_PID"] == "\(processID)" && environment["LISTEN_FDS"] == "1"
            && environment["LISTEN_FDNAMES"] == Self.listenerName
        keptListener = isGiven ? 3 : nil
    }

    /// Announces that the daemon is ready.
    ///
    /// - Parameter state: one line for people, as `systemctl status` shows it.
    package func ready(_ state: String) { send("READY=1\nSTATUS=\(state)") }

    /// Announces another state.
    ///
    /// - Parameter state: one line for people, as `systemctl status` shows it.
    package func status(_ state: String) { send("STATUS=\(state)") }

    /// Announces that the loop runs, for the watchdog.
    package func alive() { send("WATCHDOG=1") }

    /// Announces that the daemon is about to end.
    package func stopping() { send("STOPPING=1") }

    /// Has the service manager keep the listening socket as well.
    ///
    /// So a caller waits while the daemon restarts, instead of finding nobody.
    ///
    /// - Parameter listener: the descriptor, which replaces one that was kept before.
    package func keep(_ listener: Int32) {
        if listener != keptListener { send("FDSTOREREMOVE=1\nFDNAME=\(Self.listenerName)") }
        send("FDSTORE=1\nFDNAME=\(Self.listenerName)", listener)
    }

    private func send(_ text: String, _ descriptor: Int32 = -1) {
        guard let socket else { return }
        _ = unsafe clinux_notify(socket, text, text.utf8.count, descriptor)
    }

    private static let listenerName = "control"
}
