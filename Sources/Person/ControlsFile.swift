// SPDX-License-Identifier: Apache-2.0

package import Signing
package import System

/// The controls file, shared by the daemon and, while that is down, by `mcictl`.
///
/// Promise: it cannot go back. Each writing has a higher number than all before and is signed by the
/// recorder; of an older file, a missing one and one that others signed only what is stricter counts.
package struct ControlsFile {
    package let path: String
    private let paths: Paths
    private let marks: HighWaterKeeper

    /// The controls as they count.
    package struct Found {
        package var controls: Controls
        /// Whether this is not the newest file, so that only what is stricter in it counts.
        ///
        /// ``Controls/putBack`` says what it is.
        package var isPutBack = false
        /// The consent in a file that was put back, to be shown and nothing else.
        package var lapsedConsent: Receipt?
        /// Whether the recorder's key could be read: without it the file may be the newest after all.
        package var hasKey = true
        /// Whether the version before wrote it, so that it is still to be signed.
        package var isOfBefore = false
    }

    /// The person's controls file; it need not exist.
    ///
    /// - Parameters:
    ///   - paths: where it is, and the recorder's key, and the high-water marks.
    ///   - marks: as this process knows them; nil for a process that keeps none.
    package init(_ paths: Paths, _ marks: HighWaterKeeper? = nil) {
        path = paths.controls
        self.paths = paths
        self.marks = marks ?? HighWaterKeeper(paths.highWater)
    }

    /// Takes the lock under which the file is changed.
    ///
    /// - Parameter patience: the milliseconds after which another holder is no longer waited for. Whoever
    ///   holds it does so for a moment only, but may be stopped just then.
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

    /// The controls as they count; without a file nothing was ever allowed.
    ///
    /// - Throws: ``SettingsError`` when there is a file that is not just as mci wrote it.
    package func read() throws(SettingsError) -> Controls { try find().controls }

    /// Reads the controls, and finds out whether they are the newest.
    ///
    /// - Throws: ``SettingsError`` when there is a file that is not just as mci wrote it.
    package func find() throws(SettingsError) -> Found {
        let key = DeviceKeyFile.read(paths.deviceKey)
        // Before the file is looked at: a writer raises the marks after it.
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
            // Marks of which none can be read tell that there were controls, too.
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

    /// The signed content of a file's bytes, whoever signed it.
    private static func sound(_ bytes: [UInt8]) throws(SettingsError) -> SignedJSON<Controls> {
        let file = try SignedJSON<Controls>.read(bytes, kind: "controls")
        guard file.content.schema == Controls.schema, (try? file.content.restrictions()) != nil
        else { throw SettingsError(.damaged, "controls") }
        return file
    }

    // MARK: Writing

    /// Replaces the controls, on disk when this returns, under the next number.
    ///
    /// The recorder's key is made where there is none yet.
    ///
    /// - Returns: the controls with their number.
    /// - Throws: ``SettingsError`` `unwritable`; the old controls then still hold.
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

    /// The number of the file that is there, if the recorder signed it.
    private func number(signedBy verifier: DeviceVerifier) -> UInt64 {
        guard let bytes = try? readFile(path, named: "controls"),
            let file = try? Self.sound(bytes), file.isSigned(by: verifier)
        else { return 0 }
        return file.content.number
    }

    /// Puts a file that cannot be understood aside, so that a new one can be written.
    package func setAside() {
        try? Disk.move(path, to: path + ".damaged")
    }
}
