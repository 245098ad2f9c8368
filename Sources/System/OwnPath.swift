// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Files and folders that are this user's own and that nobody else can change.
///
/// Whoever can write what the recorder trusts decides what is recorded and who reads it; and whoever
/// can put a link in its place has the recorder write somewhere else.
package enum OwnPath {
    /// What should be at a path.
    package enum Kind: String, Sendable {
        case file
        case folder
    }

    /// Why what is at a path is not trusted.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The kinds of fault.
        package enum Reason: Equatable, Sendable {
            case link
            /// Neither a regular file nor a folder, or the one instead of the other.
            case otherKind
            case foreign(owner: UInt32)
            case writable(mode: UInt32)
        }

        package let path: String
        package let kind: Kind
        package let reason: Reason

        /// The sentence for the person.
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

        /// The command that mends it, or looks closer.
        package var next: String {
            switch reason {
            case .link, .otherKind: "ls -ld \(path), and put the \(kind) itself there"
            case .foreign: "sudo chown \(getuid()) \(path)"
            case .writable: "chmod go-w \(path)"
            }
        }

        package var description: String { "\(words) Next: \(next)" }
    }

    /// Looks at a path itself, not at what a link there leads to.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - kind: what should be there.
    /// - Returns: nil where all is well, where nothing is there, and where this process may not look.
    package static func fault(_ path: String, _ kind: Kind) -> Fault? {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return nil }
        return reason(facts, kind).map { Fault(path: path, kind: kind, reason: $0) }
    }

    private static func reason(_ facts: stat, _ kind: Kind) -> Fault.Reason? {
        let type = facts.st_mode & S_IFMT
        if type == S_IFLNK { return .link }
        guard type == (kind == .file ? S_IFREG : S_IFDIR) else { return .otherKind }
        // Root is nobody special here: what it puts into a person's folders is not the person's.
        guard facts.st_uid == getuid() else { return .foreign(owner: facts.st_uid) }
        guard facts.st_mode & 0o022 == 0 else { return .writable(mode: facts.st_mode & 0o7777) }
        return nil
    }

    /// Whether the mode lets others than the owner read a file, or look into a folder.
    package static func isReadableByOthers(_ path: String) -> Bool {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return false }
        return facts.st_mode & (facts.st_mode & S_IFMT == S_IFDIR ? 0o055 : 0o044) != 0
    }

    /// Opens a regular file of this user's: no link, no pipe, nobody else's.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - flags: as for open(2); with `O_CREAT` it is made for the owner alone.
    ///   - isTrusted: whether it is also refused where others can change it.
    /// - Returns: the descriptor.
    /// - Throws: ``FileError``: `ELOOP` at a link, `EPERM` at what else it must not be.
    static func open(
        _ path: String,
        _ flags: Int32,
        isTrusted: Bool = false
    ) throws(FileError) -> Int32 {
        // A pipe must not keep it waiting.
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
