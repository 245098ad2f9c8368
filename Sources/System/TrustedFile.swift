// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reads files that other users must not be able to change.
package enum TrustedFile {
    /// The reason for refusing a file.
    package enum Refusal: Error, Equatable {
        /// Nothing is at the path, not even a dangling link.
        case missing
        /// The system refused to open or read it.
        case unreadable(FileError)
        /// It is a folder, a pipe or a device.
        case notRegular
        /// Neither root nor this user owns it.
        case foreign(owner: UInt32)
        /// Its group or others may write to it; `mode` has the low 12 permission bits.
        case writable(mode: UInt32)
        /// It has more bytes than the limit.
        case tooLarge
    }

    /// Reads a regular file that root or this user owns and nobody else may write to.
    ///
    /// Owner and permissions are those of the opened file, so that it cannot be swapped in between.
    ///
    /// - Parameters:
    ///   - path: The file, or a link to it.
    ///   - limit: The maximum size in bytes.
    /// - Returns: The contents.
    /// - Throws: ``Refusal``.
    package static func read(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
        guard isThere(path) else { throw .missing }
        // Opening a pipe must not block.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(FileError("open")) }
        defer { close(file) }
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0 else { throw .unreadable(FileError("fstat")) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard facts.st_uid == 0 || facts.st_uid == getuid() else {
            throw .foreign(owner: facts.st_uid)
        }
        guard facts.st_mode & 0o022 == 0 else { throw .writable(mode: facts.st_mode & 0o7777) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let size = part.count
            let got = retryingInterrupted {
                unsafe part.withUnsafeMutableBytes { buffer in
                    unsafe Glibc.read(file, buffer.baseAddress, size)
                }
            }
            if got == 0 { return bytes }
            guard got > 0 else { throw .unreadable(FileError("read")) }
            bytes += part.prefix(got)
        }
        throw .tooLarge
    }

    /// Whether a path names anything, including a dangling link and what may not be examined.
    package static func isThere(_ path: String) -> Bool {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }
}
