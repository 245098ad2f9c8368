// SPDX-License-Identifier: Apache-2.0

import Files
package import Logging

/// Writes log lines to standard error, with the priority prefix of sd-daemon(3) under journald.
package struct JournalLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .notice
    private let isJournal: Bool

    /// - Parameter environment: the process environment; `JOURNAL_STREAM` tells of journald.
    package init(environment: [String: String]) {
        isJournal = environment["JOURNAL_STREAM"] != nil
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let prefix = isJournal ? "<\(Self.priority(event.level))>" : "mcid: \(event.level): "
        try? Disk.write(Array("\(prefix)\(event.message)\(fields)\n".utf8), to: 2)
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
