// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The service manager that started the daemon, told over its socket (sd_notify(3)).
package struct ServiceManager: Sendable {
    private let socket: String?
    /// Milliseconds between two signs of life; nil when none are wanted.
    package let watchdogInterval: Int64?
    /// The listening socket that an earlier run of the daemon gave to be kept; nil where there is none.
    package let keptListener: Int32?
    /// Whether there is a service manager.
    package var isPresent: Bool { socket != nil }

    /// Finds the service manager in the environment; without one nothing is told.
    ///
    /// - Parameters:
    ///   - environment: the process environment.
    ///   - processID: of this process.
    package init(environment: [String: String], processID: Int32) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(processID)" } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { $0 / 2000 }
        watchdogInterval = isForUs ? interval.flatMap { $0 > 0 ? $0 : nil } : nil
        // sd_listen_fds(3): descriptors count from 3.
        let isGiven =
            environment["LISTEN_PID"] == "\(processID)" && environment["LISTEN_FDS"] == "1"
            && environment["LISTEN_FDNAMES"] == Self.listenerName
        keptListener = isGiven ? 3 : nil
    }

    /// The daemon is ready; tells its state in words.
    package func ready(_ state: String) { send("READY=1\nSTATUS=\(state)") }

    /// The state changed.
    package func status(_ state: String) { send("STATUS=\(state)") }

    /// The loop turns.
    package func alive() { send("WATCHDOG=1") }

    /// The daemon is about to end.
    package func stopping() { send("STOPPING=1") }

    /// Has the service manager hold the listening socket too, so that whoever calls while the daemon
    /// is started again waits for it instead of finding nobody.
    ///
    /// - Parameter listener: what takes the place of one that was kept before.
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
