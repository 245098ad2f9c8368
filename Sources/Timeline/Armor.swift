// SPDX-License-Identifier: Apache-2.0

import System

/// ASCII armor, which turns age files into text for paper and mail (C2SP `age.md`, § ASCII armor).
package enum Armor {
    private static let begin = "-----BEGIN AGE ENCRYPTED FILE-----"
    private static let end = "-----END AGE ENCRYPTED FILE-----"
    private static let width = 64

    /// Whether bytes begin as an armored file does, after any white space.
    ///
    /// - Parameter bytes: the beginning of a file, or all of it.
    /// - Returns: true also for armor that is invalid further on.
    package static func isArmored(_ bytes: [UInt8]) -> Bool {
        bytes.drop(while: isSpace).starts(with: Array(begin.utf8))
    }

    /// Encodes an age file as text: padded Base64 in lines of 64 columns.
    ///
    /// - Parameter bytes: the age file.
    /// - Returns: the text, ended by a line feed.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text = Base64.encodePadded(bytes)[...]
        var lines = [begin]
        while !text.isEmpty {
            lines.append(String(decoding: text.prefix(width), as: UTF8.self))
            text = text.dropFirst(width)
        }
        return lines.joined(separator: "\n") + "\n\(end)\n"
    }

    /// Decodes armored text.
    ///
    /// - Parameter bytes: the text; white space around it and CR LF line ends are accepted.
    /// - Returns: the decoded bytes, which are not parsed.
    /// - Throws: ``AgeError`` `armorFailure` for any other deviation from the format.
    package static func decode(_ bytes: [UInt8]) throws(AgeError) -> [UInt8] {
        var text = bytes.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        for index in lines.indices where lines[index].last == 0x0D { lines[index].removeLast() }
        guard lines.count >= 2, lines.removeFirst().elementsEqual(begin.utf8),
            lines.removeLast().elementsEqual(end.utf8)
        else { throw AgeError(.armorFailure) }
        guard let last = lines.popLast() else { return [] }
        guard lines.allSatisfy({ $0.count == width }), 1...width ~= last.count,
            let bytes = Base64.decodePadded(Array(lines.joined()) + last)
        else { throw AgeError(.armorFailure) }
        return bytes
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D].contains(byte)
    }
}
