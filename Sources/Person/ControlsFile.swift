// SPDX-License-Identifier: Apache-2.0

package import Signing
package import System

/// The controls file, shared by the daemon and, while it is not running, by `mcictl`.
///
/// Promise: it cannot go back. Each write has a higher number than all before and is signed by the
/// recorder. If the file is an older copy, missing, or signed by another key, only what is stricter
/// counts.
package struct ControlsFile {
    /// Path of the file.
    package let path: String
    private let paths: Paths
    private let marks: HighWaterKeeper

    /// The controls that count, and the state of the file.
    package struct Found {
        /// The controls that count.
        package var controls: Controls
        /// Whether this is not the newest file, so that only what is stricter in it counts.
        ///
        /// ``Controls/putBack`` says why.
        package var isPutBack = false
        /// The consent in an older copy, which is only shown.
        package var lapsedConsent: Receipt?
        /// Whether the recorder's key was readable; without it, the file may be the newest after
        /// all.
        package var hasKey = true
        /// Whether the previous version of mci wrote it, so that it must still be signed.
        package var isOfBefore = false
    }

    /// Uses the person's controls file; it need not exist.
    ///
    /// - Parameters:
    ///   - paths: of the file, the recorder's key and the high-water marks.
    ///   - marks: as this process knows them; nil for a process that does not keep them.
    package init(_ paths: Paths, _ marks: HighWaterKeeper? = nil) {
        path = paths.controls
        self.paths = paths
        self.marks = marks ?? HighWaterKeeper(paths.highWater)
    }

    /// Takes the lock that every writer of the file must hold.
    ///
    /// - Parameter patience: maximum time to wait for another holder, in milliseconds. A holder
    ///   needs it only for a moment, but may be stopped at that moment.
    /// - Returns: the lock.
    /// - Throws: ``SettingsError`` `locked` or `unwritable`.
    package func lock(patience: Int64) throws(SettingsError) -> FileLock {
        do {
            if let lock = try FileLock.take(path + ".lock", patience: patience) { return lock }
        } catch {
            throw SettingsError(.unwritable, "controls")
        }
        throw SettingsError(.locked, "controls")
    }

    // MARK: Reading

    /// Reads the controls that count; without a file there is no consent.
    ///
    /// - Returns: the controls.
    /// - Throws: ``SettingsError`` when a file is not exactly as mci wrote it.
    package func read() throws(SettingsError) -> Controls { try find().controls }

    /// Reads the controls, and determines whether they are the newest.
    ///
    /// - Returns: the controls that count, and the state of the file.
    /// - Throws: ``SettingsError`` when a file is not exactly as mci wrote it.
    package func find() throws(SettingsError) -> Found {
        let key = DeviceKeyFile.read(paths.deviceKey)
        // Read the marks before the file: a writer raises them after it.
        let copies = marks.look(key?.verifier)
        let lastSeen = marks.marks.controls
        let before = FilesBefore(paths)
        func putBack(_ kind: PutBack.Kind, _ controls: Controls, number: UInt64 = 0) -> Found {
            var kept = controls.onlyStricter
            kept.putBack = PutBack(kind: kind, number: number, lastSeen: lastSeen)
            return Found(
                controls: kept,
                isPutBack: true,
                lapsedConsent: controls.consent,
                hasKey: key != nil
            )
        }
        guard let bytes = try readFile(path, named: "controls") else {
            // Marks that exist but are unreadable also mean that there were controls.
            return lastSeen > 0 || copies.isLost
                ? putBack(.missing, Controls()) : Found(controls: Controls())
        }
        if let old = try ControlsBefore.read(bytes) {
            guard before != nil else { return putBack(.unsigned, old) }
            return Found(controls: old, isOfBefore: true)
        }
        let file = try Self.sound(bytes)
        guard let key, file.isSigned(by: key.verifier) else {
            return putBack(.foreign, file.content)
        }
        let number = file.content.number
        guard number >= lastSeen else { return putBack(.older, file.content, number: number) }
        if number > lastSeen { marks.raise(signedBy: key) { $0.controls = number } }
        return Found(controls: file.content)
    }

    /// The signed content of a file, whoever signed it.
    private static func sound(_ bytes: [UInt8]) throws(SettingsError) -> SignedJSON<Controls> {
        let file = try SignedJSON<Controls>.read(bytes, kind: "controls")
        guard file.content.schema == Controls.schema, (try? file.content.restrictions()) != nil
        else { throw SettingsError(.damaged, "controls") }
        return file
    }

    // MARK: Writing

    /// Replaces the controls under the next number, on disk when this returns.
    ///
    /// The recorder's key is made when there is none yet.
    ///
    /// - Parameter controls: the new controls; their number and schema are set.
    /// - Returns: the controls as written.
    /// - Throws: ``SettingsError`` `unwritable`; the old controls then remain.
    @discardableResult
    package func write(_ controls: Controls) throws(SettingsError) -> Controls {
        guard let key = try? DeviceKeyFile.readOrMake(paths.deviceKey) else {
            throw SettingsError(.unwritable, "controls")
        }
        marks.look(key.verifier)
        let highest = max(marks.marks.controls, number(signedBy: key.verifier))
        let (number, isTooMuch) = highest.addingReportingOverflow(1)
        guard !isTooMuch else { throw SettingsError(.unwritable, "controls") }
        var new = controls
        (new.schema, new.number) = (Controls.schema, number)
        let file = try SignedJSON(new, kind: "controls", signedBy: key)
        try writeJSON(file, path, named: "controls")
        marks.raise(signedBy: key) { $0.controls = number }
        return new
    }

    /// The number of the current file if the recorder signed it; 0 otherwise.
    private func number(signedBy verifier: DeviceVerifier) -> UInt64 {
        guard let bytes = try? readFile(path, named: "controls"),
            let file = try? Self.sound(bytes), file.isSigned(by: verifier)
        else { return 0 }
        return file.content.number
    }

    /// Renames a file that does not parse to `.damaged`, so that a new one can be written.
    package func setAside() {
        try? Disk.move(path, to: path + ".damaged")
    }
}
