// SPDX-License-Identifier: Apache-2.0

import System

/// The file of the policy, which an administrator writes.
package struct PolicyFile: Equatable, Sendable {
    /// Path of the computer's policy.
    package let path: String
    /// Path of a file that applies when the computer has no policy; nil for none.
    ///
    /// It can only restrict what nothing else restricts.
    package let ownPath: String?

    /// Takes the paths; the computer's policy need not exist.
    ///
    /// - Parameters:
    ///   - path: of the computer's policy.
    ///   - ownPath: of a file that the person names for the case that there is no such policy; it
    ///     must exist.
    package init(_ path: String, otherwise ownPath: String? = nil) {
        self.path = path
        self.ownPath = ownPath
    }

    /// Path of the file that applies now.
    package var current: String {
        TrustedFile.isThere(path) ? path : ownPath ?? path
    }

    /// A value that changes whenever another policy may apply; nil when there is none.
    package var fingerprint: [Int]? {
        let current = current
        if let facts = Disk.fingerprint(current) { return [current == path ? 0 : 1] + facts }
        // A dangling link does not count as no policy.
        return TrustedFile.isThere(current) ? [2] : nil
    }

    /// The folders in which a change may make another policy apply.
    package var folders: [String] {
        [path, ownPath].compactMap(\.self).map(Disk.folder(of:))
    }

    /// Reads the policy that applies.
    ///
    /// - Returns: the policy; nil when there is none.
    /// - Throws: ``PolicyError`` when it is unusable or not trusted.
    package func read() throws(PolicyError) -> ManagedPolicy? {
        let current = current
        guard current.hasPrefix("/") else {
            throw PolicyError(current, "MCI_POLICY must be a full path that begins with /.")
        }
        let bytes: [UInt8]
        do throws(TrustedFile.Refusal) {
            bytes = try TrustedFile.read(current, limit: JSONText.maxBytes)
        } catch {
            if error == .missing, current != ownPath { return nil }
            throw PolicyError(current, Self.sentence(error, current))
        }
        return try ManagedPolicy(bytes, path: current)
    }

    /// Reads a policy that does not apply yet, whoever may write its file.
    ///
    /// - Parameter path: of the draft.
    /// - Returns: the policy, and a sentence when its file would not be trusted as it is.
    /// - Throws: ``PolicyError`` when it is not a policy.
    package static func draft(
        _ path: String
    ) throws(PolicyError) -> (policy: ManagedPolicy, warning: String?) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try Disk.read(path, limit: JSONText.maxBytes)
        } catch {
            throw PolicyError(path, "It cannot be read (\(error)).")
        }
        let policy = try ManagedPolicy(bytes, path: path)
        do throws(TrustedFile.Refusal) {
            _ = try TrustedFile.read(path, limit: JSONText.maxBytes)
            return (policy, nil)
        } catch {
            return (policy, sentence(error, path))
        }
    }

    private static func sentence(_ refusal: TrustedFile.Refusal, _ path: String) -> String {
        switch refusal {
        case .missing: "MCI_POLICY names it, but it does not exist."
        case .unreadable(let error): "It cannot be read (\(error)). Next: sudo chmod 644 \(path)"
        case .notRegular: "It is not a regular file."
        case .foreign(let owner):
            "It belongs to user \(owner), who could change it. Next: sudo chown root \(path)"
        case .writable:
            "Other users than its owner can change it. Next: sudo chmod 644 \(path)"
        case .tooLarge: "It is larger than \(JSONText.maxBytes >> 10) KiB."
        }
    }
}
