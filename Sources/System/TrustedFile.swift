// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reads files that others must not be able to change.
package enum TrustedFile {
    /// Why a file is not read.
    package enum Refusal: Error, Equatable {
        /// Nothing is at the path, not even a link to nowhere.
        case missing
        case unreadable(FileError)
        /// A folder, a pipe, a device.
        case notRegular
        /// It belongs to neither root nor this user.
        case foreign(owner: UInt32)
        /// Its group or everybody may write it.
        case writable(mode: UInt32)
        case tooLarge
    }

    /// Reads a regular file of root or of this user that nobody else may write.
    ///
    /// Owner and permissions are asked of the opened file, so that it cannot be exchanged in between.
    ///
    /// - Parameters:
    ///   - path: the file, or a link to it.
    ///   - limit: the most bytes.
    /// - Returns: its bytes.
    /// - Throws: ``Refusal``.
    package static func read(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
        guard isThere(path) else { throw .missing }
        // A pipe must not keep it waiting.
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

    /// Whether a path names anything: also a link to nowhere, and what cannot be looked at.
    package static func isThere(_ path: String) -> Bool {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }
}
