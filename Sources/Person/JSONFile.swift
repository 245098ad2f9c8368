// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Policy
import System

/// Maximum size of a small file in bytes; no larger one is written, because none could be read.
private let maxBytes = 16 << 20

/// Reads a small file; nil when it does not exist.
func readFile(_ path: String, named name: String) throws(SettingsError) -> [UInt8]? {
    do throws(FileError) {
        return try Disk.read(path, limit: maxBytes)
    } catch {
        if error.isMissing { return nil }
        throw SettingsError(.unreadable, name)
    }
}

/// Reads a small JSON file of schema 1; nil when it does not exist.
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

/// Encodes a value as one line of JSON, to sign or to hash it.
func canonicalJSON(_ value: some Encodable) -> [UInt8] {
    // The types of this module contain only values that JSON can represent.
    JSONText.line(value) ?? []
}

/// Replaces a small JSON file.
func writeJSON(_ value: some Encodable, _ path: String, named name: String) throws(SettingsError) {
    do {
        guard let bytes = JSONText.file(value), bytes.count <= maxBytes else {
            throw SettingsError(.unwritable, name)
        }
        try Disk.write(bytes, to: path)
    } catch {
        throw SettingsError(.unwritable, name)
    }
}
