// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The recipients file: who can read what is recorded from now on, one key a line.
///
/// Comments and the order of the keys stay as they are.
package struct RecipientsFile: Equatable, Sendable {
    /// With more, too little of a slot would be left for the batch.
    package static let most = 8

    /// Why a key cannot be added.
    package enum Objection: Error, Equatable {
        /// No age X25519 recipient, or one to which nothing can be sealed.
        case noKey
        case alreadyThere
        case tooMany
    }

    private var lines: [String]

    /// A file with one key.
    package init(key: String) {
        lines = [key]
    }

    /// Reads a file; nil when a line is no key, or there is none.
    package init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard Recipient.list(text) != nil else { return nil }
        lines = text.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// The keys, `age1…`, in the order of the file.
    package var keys: [String] {
        lines.compactMap { Self.key($0) }
    }

    /// The file's content.
    package var bytes: [UInt8] {
        Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// Adds a reader.
    ///
    /// - Parameter key: `age1…`.
    /// - Throws: an ``Objection``.
    package mutating func add(_ key: String) throws(Objection) {
        guard let recipient = Recipient(key), Identity().canSeal(to: recipient) else {
            throw .noKey
        }
        if keys.contains(key) { throw .alreadyThere }
        if keys.count >= Self.most { throw .tooMany }
        lines.append(key)
    }

    /// Takes a reader out; false when it is not there.
    package mutating func remove(_ key: String) -> Bool {
        let count = lines.count
        lines.removeAll { Self.key($0) == key }
        return lines.count < count
    }

    /// Puts a new key in the place of the first of some old ones, and takes out the others; in
    /// front where there is none of them.
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
