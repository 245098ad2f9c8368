// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The service manager that started the daemon, told over its socket (sd_notify(3)).
package struct ServiceManager: Sendable {
    private let socket: String?
    /// Milliseconds between two signs of life; nil when none are wanted.
    package let watchdogInterval: Int64?

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
    }

    /// The daemon is ready; tells its state in words.
    package func ready(_ state: String) { tell("READY=1\nSTATUS=\(state)") }

    /// The state changed.
    package func status(_ state: String) { tell("STATUS=\(state)") }

    /// The loop turns.
    package func alive() { tell("WATCHDOG=1") }

    /// The daemon is about to end.
    package func stopping() { tell("STOPPING=1") }

    private func tell(_ text: String) {
        guard let socket else { return }
        _ = unsafe clinux_notify(socket, text, text.utf8.count)
    }
}
