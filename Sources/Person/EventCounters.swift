// SPDX-License-Identifier: Apache-2.0

package import Signing
import System

/// The counts of all runs together, as the counters file holds them.
package struct EventCounters: Codable, Equatable, Sendable {
    /// The version of the file format, 3.
    package var schema = EventCounters.schema
    /// The number of the file, which increases with each write so that an older copy is noticed.
    ///
    /// It is 0 before the first write.
    package var number: UInt64 = 0
    /// When counting began, in RFC 3339; empty before that.
    package var since = ""
    /// The counts since then.
    package var events = EventCounts()

    /// The version of the file format that this version of mci writes.
    ///
    /// Versions 1 and 2 counted each key.
    static let schema = 3

    /// Makes counters without any count.
    package init() {}
}

/// The counters file, signed and numbered like the controls; without it, counting starts again.
package struct EventCountersFile {
    /// Path of the file.
    package let path: String
    private let paths: Paths
    private let marks: HighWaterKeeper

    /// What is wrong with the file.
    package enum Fault: Equatable, Sendable {
        /// It is not exactly as the recorder wrote it.
        case damaged
        /// The recorder wrote a file with a higher number after it.
        case older(number: UInt64, lastSeen: UInt64)
        /// It is missing, although the recorder wrote one.
        case missing
        /// An earlier version of mci wrote it, which counted each key.
        case countsKeys

        /// An English sentence for the person.
        package var description: String {
            switch self {
            case .damaged:
                "The accounts file was damaged: it is kept as accounts.json.damaged, and counting starts again from zero."
            case .older(let number, let lastSeen):
                "The accounts file was put back to an older state (number \(number), last seen \(lastSeen)), and counting continues from there."
            case .missing: "The accounts file is gone, and counting starts again from zero."
            case .countsKeys:
                "The accounts of an earlier version counted each key, so they were dropped, and counting starts again from zero."
            }
        }
    }

    /// Uses the person's counters file; it need not exist.
    ///
    /// - Parameters:
    ///   - paths: of the file, the recorder's key and the high-water marks.
    ///   - marks: as this process knows them; nil for a process that does not keep them.
    package init(_ paths: Paths, _ marks: HighWaterKeeper? = nil) {
        path = paths.accounts
        self.paths = paths
        self.marks = marks ?? HighWaterKeeper(paths.highWater)
    }

    /// Reads the counters.
    ///
    /// - Returns: the counters, or empty ones when the file cannot be trusted, and what is wrong
    ///   with it; nil when nothing is wrong.
    package func find() -> (accounts: EventCounters, fault: Fault?) {
        let key = DeviceKeyFile.read(paths.deviceKey)
        marks.look(key?.verifier)
        let lastSeen = marks.marks.accounts
        guard let bytes = try? readFile(path, named: "accounts") else {
            let isThere = Disk.exists(path)
            return (EventCounters(), isThere ? .damaged : lastSeen > 0 ? .missing : nil)
        }
        if EventCountersBefore.areIn(bytes) || isOfSchemaBefore(bytes, key?.verifier) {
            return (EventCounters(), .countsKeys)
        }
        guard let found = sound(bytes, key?.verifier) else { return (EventCounters(), .damaged) }
        if found.number > lastSeen, let key {
            marks.raise(signedBy: key) { $0.accounts = found.number }
        }
        let isOlder = found.number < lastSeen
        return (found, isOlder ? .older(number: found.number, lastSeen: lastSeen) : nil)
    }

    /// Whether the previous version of this recorder wrote the file.
    private func isOfSchemaBefore(_ bytes: [UInt8], _ verifier: DeviceVerifier?) -> Bool {
        guard let file = try? SignedJSON<EventCounters>.read(bytes, kind: "accounts") else {
            return false
        }
        return file.isSigned(by: verifier) && file.content.schema == EventCounters.schema - 1
    }

    /// Erases the file.
    package func erase() {
        Disk.remove(path)
    }

    /// The counters in a file; nil unless it is exactly as the recorder wrote it.
    private func sound(_ bytes: [UInt8], _ verifier: DeviceVerifier?) -> EventCounters? {
        guard let file = try? SignedJSON<EventCounters>.read(bytes, kind: "accounts"),
            file.isSigned(by: verifier), file.content.schema == EventCounters.schema,
            file.content.events.addsUp
        else { return nil }
        return file.content
    }

    /// Replaces the counters under the next number; if that fails, the old file stays.
    ///
    /// - Parameter accounts: the new counters; their number and schema are set.
    package func write(_ accounts: EventCounters) {
        guard let key = DeviceKeyFile.read(paths.deviceKey) else { return }
        marks.look(key.verifier)
        let bytes = (try? readFile(path, named: "accounts")) ?? nil
        let onDisk = bytes.flatMap { sound($0, key.verifier) }?.number ?? 0
        let (number, isTooMuch) = max(marks.marks.accounts, onDisk).addingReportingOverflow(1)
        var new = accounts
        (new.schema, new.number) = (EventCounters.schema, number)
        guard !isTooMuch, new.events.addsUp,
            let file = try? SignedJSON(new, kind: "accounts", signedBy: key),
            (try? writeJSON(file, path, named: "accounts")) != nil
        else { return }
        marks.raise(signedBy: key) { $0.accounts = number }
    }

    /// Renames an untrustworthy file to `.damaged`; does nothing without the recorder's key.
    ///
    /// Without the key, nobody can tell whether the file is trustworthy.
    package func setAside() {
        guard DeviceKeyFile.read(paths.deviceKey) != nil else { return }
        try? Disk.move(path, to: path + ".damaged")
    }
}
