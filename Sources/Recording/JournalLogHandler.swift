// SPDX-License-Identifier: Apache-2.0

import CLinux
package import Logging
import System

/// Writes log lines to the journal with a fixed MESSAGE_ID, or to standard error without a journal.
///
/// It never writes more than a megabyte a day: see ``LogBudget``.
package struct JournalLogHandler: LogHandler {
    /// Fields that every line carries.
    package var metadata: Logger.Metadata = [:]
    /// The lowest level that is logged.
    package var logLevel: Logger.Level = .notice
    private let journal: String?
    private let budget: LogBudget

    /// Makes a log for this process.
    ///
    /// - Parameters:
    ///   - environment: the process environment; `JOURNAL_STREAM` means that journald is there
    ///     (systemd.exec(5)).
    ///   - socket: path of the socket on which journald listens.
    ///   - budget: limits what is written.
    package init(
        environment: [String: String],
        socket: String = "/run/systemd/journal/socket",
        budget: LogBudget
    ) {
        journal = environment["JOURNAL_STREAM"] == nil ? nil : socket
        self.budget = budget
    }

    /// The field of a name.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line, if the budget allows it.
    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        write(event.level, "\(event.message)", all)
    }

    private func write(_ level: Logger.Level, _ message: String, _ fields: [String: String]) {
        let shown = fields.sorted { $0.key < $1.key }
        let words = shown.map { " \($0.key)=\($0.value)" }.joined()
        switch budget.spend(
            message.utf8.count + words.utf8.count + 64,
            isUrgent: level >= .critical
        ) {
        case .leftOut: return
        case .written(let missing):
            if missing > 0 { send(.warning, LogBudget.sentence, [("lines", "\(missing)")]) }
            send(level, message, shown)
        }
    }

    private func send(
        _ level: Logger.Level,
        _ message: String,
        _ fields: [(key: String, value: String)]
    ) {
        let words = fields.map { " \($0.key)=\($0.value)" }.joined()
        let priority = Self.priority(level)
        if let journal {
            // The journal's native protocol: one field per line, without line ends in a value.
            var lines = ["PRIORITY=\(priority)", "SYSLOG_IDENTIFIER=mcid"]
            if let id = MessageID.all[message] { lines.append("MESSAGE_ID=\(id)") }
            lines.append("MESSAGE=\(message)\(words)")
            for (key, value) in fields { lines.append("MCI_\(Self.fieldName(key))=\(value)") }
            let text =
                lines.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
                .joined(separator: "\n") + "\n"
            if unsafe clinux_notify(journal, text, text.utf8.count, -1) == 0 { return }
        }
        let prefix = journal == nil ? "mcid: \(level): " : "<\(priority)>"
        try? Disk.write(Array("\(prefix)\(message)\(words)\n".utf8), to: 2)
    }

    private static func fieldName(_ key: String) -> String {
        String(key.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
