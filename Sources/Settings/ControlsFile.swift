// SPDX-License-Identifier: Apache-2.0

package import Control
import Crypto
package import Files
import FoundationEssentials
import Signing

/// What the person controls: consent, pause, exemptions and exclusions.
///
/// It lives in its own small file, replaced as a whole, so that a damaged ring cannot lose a pause.
package struct Controls: Codable, Equatable, Sendable {
    package var schema = 2
    package var consent: Receipt?
    package var pause: Term?
    package var exemptions: [ExemptionRecord] = []
    /// The highest number given to an exemption, so that none is given twice.
    package var lastExemption = 0
    /// The person's own exclusions.
    package var exclusions: [Scope] = []
    /// The default exclusions that the person removed, by name.
    package var removedExclusions: [String] = []
    /// The applications that alone are recorded; nil for all.
    package var only: [String]?

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

    /// The controls as they stand in the file, with the SHA-256 of their JSON in hexadecimal.
    ///
    /// A rule that lost a letter still looks like a rule. So nothing counts but what mci wrote.
    private struct Filed: Codable {
        var controls: Controls
        var digest: String

        init(_ controls: Controls) throws {
            self.controls = controls
            digest = Hex.encode(SHA256.hash(data: try fileEncoder.encode(controls)))
        }
    }

    /// Reads the controls; a file that does not exist says that nothing was ever allowed.
    ///
    /// - Throws: ``SettingsError`` when there is a file that is not just as mci wrote it.
    package func read() throws(SettingsError) -> Controls {
        guard let bytes = try readFile(path, named: "controls") else { return Controls() }
        let controls: Controls
        do {
            controls = try JSONDecoder().decode(Filed.self, from: Data(bytes)).controls
        } catch {
            throw SettingsError(.damaged, "controls", line: damagedLine(bytes, error))
        }
        guard let again = try? fileEncoder.encode(Filed(controls)) else {
            throw SettingsError(.damaged, "controls")
        }
        let sound = Array(again) + [0x0A]
        guard sound == bytes, controls.schema == Controls().schema,
            (try? controls.restrictions()) != nil
        else {
            throw SettingsError(.damaged, "controls", line: differingLine(bytes, sound))
        }
        return controls
    }

    /// Replaces the controls, on disk when this returns.
    ///
    /// - Throws: ``SettingsError`` `unwritable`; the old controls then still hold.
    package func write(_ controls: Controls) throws(SettingsError) {
        guard let filed = try? Filed(controls) else { throw SettingsError(.unwritable, "controls") }
        try writeJSON(filed, path, named: "controls")
    }

    /// Puts a file that cannot be understood aside, so that a new one can be written.
    package func setAside() {
        try? Disk.move(path, to: path + ".damaged")
    }
}

/// The line where a text first differs from what it should be, from 1; nil where it does not.
private func differingLine(_ text: [UInt8], _ sound: [UInt8]) -> Int? {
    let same = zip(text, sound).prefix { $0 == $1 }.count
    guard same < max(text.count, sound.count) else { return nil }
    return 1 + text.prefix(same).count { $0 == 0x0A }
}

/// The line of a text that is no JSON, or whose value is not of the kind it should be.
private func damagedLine(_ bytes: [UInt8], _ error: any Error) -> Int? {
    let root: JSONText.Node
    do throws(JSONDefect) {
        root = try JSONText.read(bytes)
    } catch {
        return error.line
    }
    guard let path = (error as? DecodingError)?.path else { return nil }
    return path.reduce((node: root, line: root.line)) { place, step in
        if let index = step.intValue, case .array(let items) = place.node.value {
            return items.indices.contains(index) ? (items[index], items[index].line) : place
        }
        return place.node[step.stringValue].map { ($0, $0.line) } ?? place
    }.line
}

extension DecodingError {
    /// The keys that lead to the value that could not be read.
    fileprivate var path: [any CodingKey] {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath
        @unknown default: []
        }
    }
}

/// The bytes of a small file; nil when there is none.
func readFile(_ path: String, named name: String) throws(SettingsError) -> [UInt8]? {
    do throws(FileError) {
        return try Disk.read(path, limit: 4 << 20)
    } catch {
        if error.isMissing { return nil }
        throw SettingsError(.unreadable, name)
    }
}

/// Reads a small JSON file of schema 1; nil when there is none.
func readJSON<Value: Codable>(
    _ path: String,
    named name: String,
    _ schema: KeyPath<Value, Int>
) throws(SettingsError) -> Value? {
    guard let bytes = try readFile(path, named: name) else { return nil }
    guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)),
        value[keyPath: schema] == 1
    else { throw SettingsError(.damaged, name) }
    return value
}

/// Writes the same value as the same bytes always.
private var fileEncoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
}

/// The one line of JSON of a value, for what is signed or digested.
func canonicalJSON(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // The types of this module hold nothing that JSON cannot say.
    return (try? encoder.encode(value)).map(Array.init) ?? []
}

/// Replaces a small JSON file.
func writeJSON(_ value: some Encodable, _ path: String, named name: String) throws(SettingsError) {
    do {
        try Disk.write(Array(fileEncoder.encode(value)) + [0x0A], to: path)
    } catch {
        throw SettingsError(.unwritable, name)
    }
}
