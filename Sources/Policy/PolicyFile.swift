// SPDX-License-Identifier: Apache-2.0

import System

/// The file of the policy, written by whoever deploys mci.
package struct PolicyFile: Equatable, Sendable {
    /// The policy of this computer.
    package let path: String
    /// The file that counts where this computer has no policy; it can so restrict only what nothing
    /// else restricts.
    package let ownPath: String?

    /// The file at a path; it need not exist.
    ///
    /// - Parameters:
    ///   - path: of the computer's policy.
    ///   - ownPath: named by the person, to be read where there is no other; it has to exist.
    package init(_ path: String, otherwise ownPath: String? = nil) {
        self.path = path
        self.ownPath = ownPath
    }

    /// The file that counts now.
    package var current: String {
        TrustedFile.isThere(path) ? path : ownPath ?? path
    }

    /// What changes whenever another policy may be in force; nil where there is none.
    package var fingerprint: [Int]? {
        let current = current
        if let facts = Disk.fingerprint(current) { return [current == path ? 0 : 1] + facts }
        // A link to nowhere is no absence.
        return TrustedFile.isThere(current) ? [2] : nil
    }

    /// The folders in which a change may bring another policy into force.
    package var folders: [String] {
        [path, ownPath].compactMap(\.self).map(Disk.folder(of:))
    }

    /// Reads the policy in force.
    ///
    /// - Returns: nil where there is none.
    /// - Throws: ``PolicyError`` when there is one that cannot be used or trusted.
    package func read() throws(PolicyError) -> ManagedPolicy? {
        let current = current
        guard current.hasPrefix("/") else {
            throw PolicyError(current, "MCI_POLICY names a file by its full path, from / on.")
        }
        let bytes: [UInt8]
        do throws(TrustedFile.Refusal) {
            bytes = try TrustedFile.read(current, limit: JSONText.longest)
        } catch {
            if error == .missing, current != ownPath { return nil }
            throw PolicyError(current, Self.sentence(error, current))
        }
        return try ManagedPolicy(bytes, path: current)
    }

    /// Reads a policy that is not in force, whoever may write its file.
    ///
    /// - Parameter path: of the draft.
    /// - Returns: the policy, and a sentence where the file could not be put in force as it is.
    /// - Throws: ``PolicyError`` when it is none.
    package static func draft(
        _ path: String
    ) throws(PolicyError) -> (policy: ManagedPolicy, warning: String?) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try Disk.read(path, limit: JSONText.longest)
        } catch {
            throw PolicyError(path, "It cannot be read (\(error)).")
        }
        let policy = try ManagedPolicy(bytes, path: path)
        do throws(TrustedFile.Refusal) {
            _ = try TrustedFile.read(path, limit: JSONText.longest)
            return (policy, nil)
        } catch {
            return (policy, sentence(error, path))
        }
    }

    private static func sentence(_ refusal: TrustedFile.Refusal, _ path: String) -> String {
        switch refusal {
        case .missing: "MCI_POLICY names it, and it does not exist."
        case .unreadable(let error): "It cannot be read (\(error)). Next: sudo chmod 644 \(path)"
        case .notRegular: "It is not a regular file."
        case .foreign(let owner):
            "It belongs to user \(owner), so that others decide. Next: sudo chown root \(path)"
        case .writable:
            "Others than its owner can write it. Next: sudo chmod 644 \(path)"
        case .tooLarge: "It is larger than \(JSONText.longest >> 10) KiB."
        }
    }
}
