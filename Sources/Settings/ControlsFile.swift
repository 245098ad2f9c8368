// SPDX-License-Identifier: Apache-2.0

package import Control
package import Files
import FoundationEssentials

/// What the person controls: consent and pause.
///
/// It lives in its own small file, replaced as a whole, so that a damaged ring cannot lose a pause.
package struct Controls: Codable, Equatable, Sendable {
    package var schema = 1
    package var consent: Receipt?
    package var pause: Pause?

    package init() {}
}

/// The controls file, shared by the daemon and, while that is down, by `mcictl`.
package struct ControlsFile: Sendable {
    package let path: String

    /// The file at a path; it need not exist.
    package init(_ path: String) {
        self.path = path
    }

    /// Takes the lock under which the file is changed.
    ///
    /// - Throws: ``SettingsError`` `unwritable`.
    package func lock() throws(SettingsError) -> FileLock {
        do {
            // A waiting lock is never refused.
            if let lock = try FileLock.take(path + ".lock", waits: true) { return lock }
        } catch {}
        throw SettingsError(.unwritable, "controls")
    }

    /// Reads the controls; a file that does not exist says that nothing was ever allowed.
    ///
    /// - Throws: ``SettingsError`` when there is a file that cannot be understood.
    package func read() throws(SettingsError) -> Controls {
        try readJSON(path, named: "controls", \Controls.schema) ?? Controls()
    }

    /// Replaces the controls, on disk when this returns.
    ///
    /// - Throws: ``SettingsError`` `unwritable`; the old controls then still hold.
    package func write(_ controls: Controls) throws(SettingsError) {
        try writeJSON(controls, path, named: "controls")
    }

    /// Puts a file that cannot be understood aside, so that a new one can be written.
    package func setAside() {
        try? Disk.move(path, to: path + ".damaged")
    }
}

/// Reads a small JSON file of schema 1; nil when there is none.
func readJSON<Value: Codable>(
    _ path: String,
    named name: String,
    _ schema: KeyPath<Value, Int>
) throws(SettingsError) -> Value? {
    let bytes: [UInt8]
    do throws(FileError) {
        bytes = try Disk.read(path)
    } catch {
        if error.isMissing { return nil }
        throw SettingsError(.unreadable, name)
    }
    guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)),
        value[keyPath: schema] == 1
    else { throw SettingsError(.damaged, name) }
    return value
}

/// Replaces a small JSON file.
func writeJSON(_ value: some Encodable, _ path: String, named name: String) throws(SettingsError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
        try Disk.write(Array(encoder.encode(value)) + [0x0A], to: path)
    } catch {
        throw SettingsError(.unwritable, name)
    }
}
