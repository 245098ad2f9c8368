// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Checks that files and folders belong to this user and that nobody else can change them.
///
/// Anybody who can write the files that the recorder trusts decides what is recorded and who can
/// read it. Anybody who can put a link in their place makes the recorder write elsewhere.
package enum OwnPath {
    /// The expected type of a path.
    package enum Kind: String, Sendable {
        case file
        case folder
    }

    /// The reason for not trusting what is at a path.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The property that is at fault.
        package enum Reason: Equatable, Sendable {
            /// The path is a symbolic link.
            case link
            /// The path is neither a regular file nor a folder, or it is the other one of the two.
            case otherKind
            /// Another user owns it; root counts as another user.
            case foreign(owner: UInt32)
            /// Its group or others may write to it; `mode` has the low 12 permission bits.
            case writable(mode: UInt32)
        }

        /// The path that was checked.
        package let path: String
        /// The expected type.
        package let kind: Kind
        /// What is wrong.
        package let reason: Reason

        /// One sentence for the person.
        package var words: String {
            switch reason {
            case .link: "The \(kind) \(path) is a symbolic link, which mcid does not follow."
            case .otherKind where kind == .file: "\(path) is not a regular file."
            case .otherKind: "\(path) is not a folder."
            case .foreign(let owner):
                "The \(kind) \(path) belongs to \(owner == 0 ? "root" : "user \(owner)"), not to you."
            case .writable(let mode):
                "The \(kind) \(path) can be changed by others (mode \(String(mode, radix: 8)))."
            }
        }

        /// A command that repairs the fault or shows more.
        package var next: String {
            switch reason {
            case .link, .otherKind: "ls -ld \(path), then put a real \(kind) there"
            case .foreign: "sudo chown \(getuid()) \(path)"
            case .writable: "chmod go-w \(path)"
            }
        }

        /// The sentence followed by the next command.
        package var description: String { "\(words) Next: \(next)" }
    }

    /// Checks the path itself; a link there is not followed.
    ///
    /// - Parameters:
    ///   - path: An absolute path.
    ///   - kind: The expected type.
    /// - Returns: The fault; nil if there is none, nothing is there, or this process may not look.
    package static func fault(_ path: String, _ kind: Kind) -> Fault? {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return nil }
        return reason(facts, kind).map { Fault(path: path, kind: kind, reason: $0) }
    }

    private static func reason(_ facts: stat, _ kind: Kind) -> Fault.Reason? {
        let type = facts.st_mode & S_IFMT
        if type == S_IFLNK { return .link }
        guard type == (kind == .file ? S_IFREG : S_IFDIR) else { return .otherKind }
        // Root is not exempt: its files in a person's folder are not the person's.
        guard facts.st_uid == getuid() else { return .foreign(owner: facts.st_uid) }
        guard facts.st_mode & 0o022 == 0 else { return .writable(mode: facts.st_mode & 0o7777) }
        return nil
    }

    /// Whether the permissions let other users read a file, or read or enter a folder.
    package static func isReadableByOthers(_ path: String) -> Bool {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return false }
        return facts.st_mode & (facts.st_mode & S_IFMT == S_IFDIR ? 0o055 : 0o044) != 0
    }

    /// Opens a regular file of this user's; refuses links, pipes and other users' files.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - flags: Flags of open(2); `O_CREAT` creates it for the owner only.
    ///   - isTrusted: Whether to refuse also a file that others can change.
    /// - Returns: The file descriptor.
    /// - Throws: ``FileError``: ELOOP for a link, EPERM for any other refusal.
    static func open(
        _ path: String,
        _ flags: Int32,
        isTrusted: Bool = false
    ) throws(FileError) -> Int32 {
        // Opening a pipe must not block.
        let own = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let file = unsafe Glibc.open(path, flags | own, 0o600)
        guard file >= 0 else { throw FileError("open") }
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0 else {
            let error = FileError("fstat")
            close(file)
            throw error
        }
        switch reason(facts, .file) {
        case nil: return file
        case .writable where !isTrusted: return file
        default:
            close(file)
            throw FileError("open", EPERM)
        }
    }
}
