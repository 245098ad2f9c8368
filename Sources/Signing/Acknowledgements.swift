// SPDX-License-Identifier: Apache-2.0

package import System

/// The faults that the person has acknowledged.
///
/// The file has a signed line for each, so nobody else can acknowledge one. Losing the file, or
/// restoring an older one, only makes acknowledged faults appear again.
package struct Acknowledgements: Sendable {
    private static let intro = "mci-acknowledged/1"
    /// Maximum number of lines; the oldest are dropped.
    private static let maxLines = 256

    private let path: String

    /// Uses the file at a path; it need not exist.
    ///
    /// - Parameter path: of the file, beside the ring.
    package init(_ path: String) {
        self.path = path
    }

    /// Reads when each fault was acknowledged.
    ///
    /// - Parameter verifier: of the recorder's key.
    /// - Returns: milliseconds since 1970 by the faults' names; lines that this key did not sign
    ///   are ignored.
    package func read(_ verifier: DeviceVerifier) -> [String: Int64] {
        var known: [String: Int64] = [:]
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count >= 4, words[0] == Self.intro, let at = Int64(words[1]),
                let last = words.last, let signature = Hex.decode(String(last))
            else { continue }
            let fault = words[2..<words.count - 1].joined(separator: " ")
            if verifier.isValid(signature, of: Self.message(fault, at)) { known[fault] = at }
        }
        return known
    }

    /// Adds faults, on disk when this returns.
    ///
    /// - Parameters:
    ///   - faults: names without a line feed.
    ///   - at: the time in milliseconds since 1970.
    ///   - key: the recorder's signing key.
    /// - Throws: ``FileError``.
    package func add(_ faults: [String], at: Int64, signedBy key: DeviceKey) throws(FileError) {
        var all = lines
        for fault in faults {
            let message = Self.message(fault, at)
            guard let signature = key.sign(message) else { continue }
            all.append("\(String(decoding: message, as: UTF8.self)) \(Hex.encode(signature))")
        }
        let text = all.suffix(Self.maxLines).joined(separator: "\n") + "\n"
        try Disk.write(Array(text.utf8), to: path)
    }

    private var lines: [String] {
        let bytes = (try? Disk.read(path, limit: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func message(_ fault: String, _ at: Int64) -> [UInt8] {
        Array("\(intro) \(at) \(fault)".utf8)
    }
}
