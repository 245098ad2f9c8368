// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import System

/// The most bytes of a small file: none is written that could not be read.
private let maxBytes = 16 << 20

/// The bytes of a small file; nil when there is none.
func readFile(_ path: String, named name: String) throws(SettingsError) -> [UInt8]? {
    do throws(FileError) {
        return try Disk.read(path, limit: maxBytes)
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

/// The bytes of a file: the same value is always written in the same way.
func fileJSON(_ value: some Encodable) -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { Array($0) + [0x0A] }
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
        guard let bytes = fileJSON(value), bytes.count <= maxBytes else {
            throw SettingsError(.unwritable, name)
        }
        try Disk.write(bytes, to: path)
    } catch {
        throw SettingsError(.unwritable, name)
    }
}
