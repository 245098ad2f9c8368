// SPDX-License-Identifier: Apache-2.0

package import System

/// The highest numbers ever given to what can be put back: without them an older copy of a file,
/// which is as well signed as the newer one, could not be told from it.
///
/// They only rise. A file that is *ahead* of its mark is never accused, for the marks are written
/// after it and without waiting for the disk; one that is *behind* was put back.
package struct HighWaterMarks: Equatable, Sendable {
    /// The id of the ring that was written last, ``ringIDSize`` bytes; zeros for none.
    package var ringID = [UInt8](repeating: 0, count: ringIDSize)
    /// How often a ring of this recorder was written so that it is on disk for certain.
    package var writings: UInt64 = 0
    /// The highest number of a batch.
    package var newest: UInt64 = 0
    /// The highest number of the controls and of the accounts.
    package var controls: UInt64 = 0
    package var accounts: UInt64 = 0

    package static let ringIDSize = 16

    package init() {}

    /// Takes over what is higher in another set; the ring's id goes with the count of its writings.
    package mutating func raise(to other: HighWaterMarks) {
        if other.writings > writings || (other.writings == writings && !hasRing) {
            ringID = other.ringID
        }
        writings = max(writings, other.writings)
        newest = max(newest, other.newest)
        controls = max(controls, other.controls)
        accounts = max(accounts, other.accounts)
    }

    /// Whether a ring was ever written.
    package var hasRing: Bool { ringID.contains { $0 != 0 } }

    // MARK: The file

    /// `MCIMARK1`, the ring's id, four little-endian numbers, zeros, the signature of all before.
    private static let intro = Array("MCIMARK1".utf8)
    static let size = 256
    private static let signedSize = size - 64

    private var content: [UInt8] {
        var bytes = Self.intro + ringID
        for number in [writings, newest, controls, accounts] {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return bytes + [UInt8](repeating: 0, count: Self.signedSize - bytes.count)
    }

    /// The bytes of the file; nil when they cannot be signed.
    package func signed(by key: DeviceKey) -> [UInt8]? {
        key.sign(content).map { content + $0 }
    }

    /// Reads the bytes of a file; nil unless they are just as this recorder wrote them.
    package init?(_ bytes: [UInt8], signedBy verifier: DeviceVerifier) {
        guard bytes.count == Self.size, bytes.starts(with: Self.intro) else { return nil }
        let start = Self.intro.count + Self.ringIDSize
        func number(_ index: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[start + 8 * index + $1]) << (8 * $1) }
        }
        ringID = Array(bytes[Self.intro.count..<start])
        (writings, newest, controls, accounts) = (number(0), number(1), number(2), number(3))
        guard content.elementsEqual(bytes.prefix(Self.signedSize)),
            verifier.isValid(bytes.suffix(64), of: content)
        else { return nil }
    }
}

/// The copies of the high-water marks: one beside the ring, and one in the person's settings, which a
/// copy of the state folder does not bring back.
package struct HighWaterFiles: Sendable {
    /// The copy that is made with the first writing.
    package let inState: String
    /// The copy that `mcictl` makes and the daemon, which may make nothing there, writes in place.
    package let inConfig: String

    /// What was found.
    package struct Found: Equatable, Sendable {
        /// The highest of all that is whole.
        package var marks = HighWaterMarks()
        /// Whether any copy is there, whole or not.
        package var exists = false
        /// The copies that are there and not as the recorder wrote them, or that others can change.
        package var damaged: [String] = []
        /// The copies that are there, whole, and behind the other one.
        package var behind: [String] = []

        /// Whether there are copies, and none that can be read.
        package var isLost: Bool { exists && marks == HighWaterMarks() }
    }

    /// The copies at two paths; neither need exist.
    package init(inState: String, inConfig: String) {
        self.inState = inState
        self.inConfig = inConfig
    }

    /// Whether any copy is there, whole or not.
    package var exist: Bool { Disk.exists(inState) || Disk.exists(inConfig) }

    /// Reads both copies.
    ///
    /// - Parameter verifier: of the recorder's key; without one no copy counts as whole.
    /// - Returns: the highest numbers, and which copies are damaged or behind.
    package func read(_ verifier: DeviceVerifier?) -> Found {
        var found = Found()
        var whole: [(path: String, marks: HighWaterMarks)] = []
        for path in [inState, inConfig] where Disk.exists(path) {
            found.exists = true
            guard let verifier, let bytes = try? Disk.readOwn(path, limit: HighWaterMarks.size),
                let marks = HighWaterMarks(bytes, signedBy: verifier)
            else {
                found.damaged.append(path)
                continue
            }
            whole.append((path, marks))
            found.marks.raise(to: marks)
        }
        found.behind = whole.filter { $0.marks != found.marks }.map(\.path)
        return found
    }

    /// Writes both copies without waiting for the disk: the one in the state folder is made where it
    /// is missing, the other one is written only where it is.
    package func write(_ marks: HighWaterMarks, _ key: DeviceKey) {
        guard let bytes = marks.signed(by: key) else { return }
        if Disk.exists(inState) {
            try? Self.replace(inState, bytes)
        } else {
            try? Disk.write(bytes, to: inState)
        }
        if Disk.exists(inConfig) { try? Self.replace(inConfig, bytes) }
    }

    /// Writes a copy in place, also over one that damage has made longer.
    private static func replace(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        let file = try DiskFile(path)
        try file.write(bytes, at: 0, durable: false)
        if file.size != bytes.count { try file.truncate(to: bytes.count) }
    }

    /// Makes the copy in the person's settings where it is missing, as `mcictl` does.
    ///
    /// - Throws: ``FileError``.
    package func make(_ key: DeviceKey) throws(FileError) {
        guard !Disk.exists(inConfig) else { return }
        let marks = read(key.verifier).marks
        guard let bytes = marks.signed(by: key) else { return }
        try Disk.write(bytes, to: inConfig)
    }
}
