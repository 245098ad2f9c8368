// SPDX-License-Identifier: Apache-2.0

package import Signing
import System

/// What was counted in all runs together.
package struct EventCounters: Codable, Equatable, Sendable {
    package var schema = EventCounters.schema
    /// Higher with each writing, so that an older file is known as such; 0 before the first one.
    package var number: UInt64 = 0
    /// RFC 3339: when counting began; empty before that.
    package var since = ""
    package var events = EventCounts()

    /// The schema of the files that this version writes.
    ///
    /// Those of 1 and 2 counted each key by itself.
    static let schema = 3

    package init() {}
}

/// The file of the accounts, signed and numbered like the controls; without it counting begins anew.
package struct EventCountersFile {
    package let path: String
    private let paths: Paths
    private let marks: HighWaterKeeper

    /// What is wrong with the file.
    package enum Fault: Equatable, Sendable {
        /// It is not just as the recorder wrote it.
        case damaged
        /// The recorder wrote it, and another one after it.
        case older(number: UInt64, lastSeen: UInt64)
        /// There is none, although there was one.
        case missing
        /// An earlier version wrote it, which counted each key.
        case countsKeys

        /// One sentence for the person.
        package var description: String {
            switch self {
            case .damaged:
                "The accounts file was damaged: it is kept as accounts.json.damaged, and counting begins anew."
            case .older(let number, let lastSeen):
                "The accounts file was put back to an older state (number \(number), last seen \(lastSeen)), and counting goes on from there."
            case .missing: "The accounts file is gone, and counting begins anew."
            case .countsKeys:
                "The accounts of an earlier version counted each key, so they were dropped, and counting begins anew."
            }
        }
    }

    /// The person's accounts file; it need not exist.
    ///
    /// - Parameters:
    ///   - paths: where it is, and the recorder's key, and the high-water marks.
    ///   - marks: as this process knows them; nil for a process that keeps none.
    package init(_ paths: Paths, _ marks: HighWaterKeeper? = nil) {
        path = paths.accounts
        self.paths = paths
        self.marks = marks ?? HighWaterKeeper(paths.highWater)
    }

    /// Reads the accounts.
    ///
    /// - Returns: them, or empty ones where none can be trusted; and what is wrong with the file.
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

    /// Whether an earlier version of this recorder wrote the file.
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

    /// The accounts in a file's bytes; nil unless they are just as the recorder wrote them.
    private func sound(_ bytes: [UInt8], _ verifier: DeviceVerifier?) -> EventCounters? {
        guard let file = try? SignedJSON<EventCounters>.read(bytes, kind: "accounts"),
            file.isSigned(by: verifier), file.content.schema == EventCounters.schema,
            file.content.events.addsUp
        else { return nil }
        return file.content
    }

    /// Replaces the accounts under the next number; where that fails the old ones stay.
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

    /// Puts a file that cannot be trusted aside; without the recorder's key that cannot be told.
    package func setAside() {
        guard DeviceKeyFile.read(paths.deviceKey) != nil else { return }
        try? Disk.move(path, to: path + ".damaged")
    }
}
