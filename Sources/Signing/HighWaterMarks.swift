// SPDX-License-Identifier: Apache-2.0

package import System

/// The highest numbers ever given to files, so that an older copy of a file is noticed.
///
/// An older copy is signed as well as the newer one, and only its number gives it away. Marks only
/// rise. A file that is *ahead* of its mark is accepted, because marks are written after it and
/// without waiting for the disk. A file that is *behind* is an older copy.
package struct HighWaterMarks: Equatable, Sendable {
    /// The id of the ring that was last written, ``ringIDSize`` bytes; zeros for none.
    package var ringID = [UInt8](repeating: 0, count: ringIDSize)
    /// How often a head of this recorder's rings was written durably.
    package var writings: UInt64 = 0
    /// The highest sequence number of a batch.
    package var newest: UInt64 = 0
    /// The highest number of the controls file.
    package var controls: UInt64 = 0
    /// The highest number of the counters file.
    package var accounts: UInt64 = 0

    /// Bytes of a ring's id.
    package static let ringIDSize = 16

    /// Makes marks that know nothing: all zeros.
    package init() {}

    /// Takes over the higher numbers of another set; the ring's id comes with the higher writings.
    ///
    /// - Parameter other: marks of this recorder.
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

    /// The file: `MCIMARK1`, the ring's id, four little-endian numbers, zeros, and their signature.
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

    /// Encodes and signs the file.
    ///
    /// - Parameter key: the recorder's signing key.
    /// - Returns: 256 bytes; nil when the signing library fails.
    package func signed(by key: DeviceKey) -> [UInt8]? {
        key.sign(content).map { content + $0 }
    }

    /// Parses a file; nil unless it is exactly as this recorder wrote it.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - verifier: of the recorder's key.
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

/// The two copies of the high-water marks: beside the ring, and among the person's settings.
///
/// Restoring the state folder does not restore the second one.
package struct HighWaterFiles: Sendable {
    /// Path of the copy in the state folder, which the first write creates.
    package let inState: String
    /// Path of the copy that `mcictl` creates and the daemon, which may not create files there,
    /// overwrites.
    package let inConfig: String

    /// The result of reading both copies.
    package struct Found: Equatable, Sendable {
        /// The highest numbers of all valid copies.
        package var marks = HighWaterMarks()
        /// Whether any copy exists, valid or not.
        package var exists = false
        /// Paths of existing copies that are not as the recorder wrote them, or that others can
        /// change.
        package var damaged: [String] = []
        /// Paths of valid copies that are behind the other one.
        package var behind: [String] = []

        /// Whether copies exist, but none is readable.
        package var isLost: Bool { exists && marks == HighWaterMarks() }
    }

    /// Takes the two paths; neither file need exist.
    ///
    /// - Parameters:
    ///   - inState: beside the ring.
    ///   - inConfig: among the person's settings.
    package init(inState: String, inConfig: String) {
        self.inState = inState
        self.inConfig = inConfig
    }

    /// Whether any copy exists, valid or not.
    package var exist: Bool { Disk.exists(inState) || Disk.exists(inConfig) }

    /// Reads both copies.
    ///
    /// - Parameter verifier: of the recorder's key; without one no copy is valid.
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

    /// Writes both copies without waiting for the disk.
    ///
    /// The copy in the state folder is created if it is missing; the other one is only written if
    /// it exists.
    ///
    /// - Parameters:
    ///   - marks: the numbers to write.
    ///   - key: the recorder's signing key.
    package func write(_ marks: HighWaterMarks, _ key: DeviceKey) {
        guard let bytes = marks.signed(by: key) else { return }
        if Disk.exists(inState) {
            try? Self.replace(inState, bytes)
        } else {
            try? Disk.write(bytes, to: inState)
        }
        if Disk.exists(inConfig) { try? Self.replace(inConfig, bytes) }
    }

    /// Overwrites a copy in place, even if damage has made it longer.
    private static func replace(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        let file = try DiskFile(path)
        try file.write(bytes, at: 0, durable: false)
        if file.size != bytes.count { try file.truncate(to: bytes.count) }
    }

    /// Creates the copy among the person's settings if it is missing, as `mcictl` does.
    ///
    /// - Parameter key: the recorder's signing key.
    /// - Throws: ``FileError``.
    package func make(_ key: DeviceKey) throws(FileError) {
        guard !Disk.exists(inConfig) else { return }
        let marks = read(key.verifier).marks
        guard let bytes = marks.signed(by: key) else { return }
        try Disk.write(bytes, to: inConfig)
    }
}
