// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The recipients file: one age public key per line that can open future batches.
///
/// Comments and the order of the keys are preserved.
package struct RecipientsFile: Equatable, Sendable {
    /// Maximum number of keys; more would leave too little of a slot for the batch.
    package static let maxRecipients = 8

    /// Why a key cannot be added.
    package enum Objection: Error, Equatable {
        /// The text is not an age X25519 recipient, or nothing can be sealed to it.
        case noKey
        /// The file already contains the key.
        case alreadyThere
        /// The file already contains ``most`` keys.
        case tooMany
    }

    private var lines: [String]

    /// Makes a file with one key.
    ///
    /// - Parameter key: `age1…`.
    package init(key: String) {
        lines = [key]
    }

    /// Parses a file; nil when a line is not a key, or there is no key.
    ///
    /// - Parameter bytes: the whole file, in UTF-8.
    package init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard Recipient.list(text) != nil else { return nil }
        lines = text.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// The keys, `age1…`, in the order of the file.
    package var keys: [String] {
        lines.compactMap { Self.key($0) }
    }

    /// The file's content in UTF-8.
    package var bytes: [UInt8] {
        Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// Adds a key at the end.
    ///
    /// - Parameter key: `age1…`.
    /// - Throws: an ``Objection``.
    package mutating func add(_ key: String) throws(Objection) {
        guard let recipient = Recipient(key), Identity().canSeal(to: recipient) else {
            throw .noKey
        }
        if keys.contains(key) { throw .alreadyThere }
        if keys.count >= Self.maxRecipients { throw .tooMany }
        lines.append(key)
    }

    /// Removes a key.
    ///
    /// - Parameter key: `age1…`.
    /// - Returns: false when the file does not contain it.
    package mutating func remove(_ key: String) -> Bool {
        let count = lines.count
        lines.removeAll { Self.key($0) == key }
        return lines.count < count
    }

    /// Replaces the first of some old keys with a new one, and removes the other old ones.
    ///
    /// Without any of them, the new key becomes the first line.
    ///
    /// - Parameters:
    ///   - old: keys, `age1…`.
    ///   - new: a key, `age1…`.
    package mutating func replace(_ old: [String], with new: String) {
        func isOld(_ line: String) -> Bool { Self.key(line).map(old.contains) ?? false }
        let index = lines.firstIndex(where: isOld) ?? 0
        lines.removeAll(where: isOld)
        lines.insert(new, at: index)
    }

    private static func key(_ line: String) -> String? {
        let line = line.drop(while: \.isWhitespace)
        return line.isEmpty || line.hasPrefix("#") ? nil : String(line)
    }
}
