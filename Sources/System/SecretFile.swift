// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file with a secret in it: written for the owner alone, and replaced so that the old bytes go.
package struct SecretFile: Sendable {
    /// What a file system says of a file.
    package struct Facts: Equatable, Sendable {
        /// The permission bits.
        package var mode: Int
        /// Whether it belongs to the user of this process.
        package var isOwn: Bool
        /// The number of the file system it lies on.
        package var device: Int
    }

    /// The path with every symbolic link followed, so that a replacement replaces the file itself.
    package let path: String

    /// The file at a path, which must exist.
    ///
    /// - Throws: ``FileError``; `isMissing` tells that there is none.
    package init(_ path: String) throws(FileError) {
        guard let real = unsafe realpath(path, nil) else { throw FileError("realpath") }
        defer { unsafe free(real) }
        self.path = unsafe String(cString: real)
    }

    /// Facts of a file or folder.
    ///
    /// - Throws: ``FileError``.
    package static func facts(_ path: String) throws(FileError) -> Facts {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { throw FileError("stat") }
        return Facts(
            mode: Int(facts.st_mode & 0o7777),
            isOwn: facts.st_uid == getuid(),
            device: Int(facts.st_dev)
        )
    }

    /// Writes a new file, on disk when this returns; never over one that is there.
    ///
    /// - Throws: ``FileError``; nothing is then left of it.
    package static func create(_ bytes: [UInt8], at path: String) throws(FileError) {
        try write(bytes, to: NewFile(path, replaces: false)) { _ in true }
    }

    /// Writes a file that is judged before it appears; one that does not is overwritten.
    private static func write(
        _ bytes: [UInt8],
        to file: NewFile,
        isGood: ([UInt8]) -> Bool
    ) throws(FileError) {
        do throws(FileError) {
            try Disk.write(bytes, to: file.descriptor)
            guard fsync(file.descriptor) == 0 else { throw FileError("fsync") }
            lseek(file.descriptor, 0, SEEK_SET)
            guard try isGood(Disk.read(file.descriptor, limit: bytes.count)) else {
                throw FileError("verify", EIO)
            }
            try file.finish()
        } catch {
            file.wipe()
            throw error
        }
    }

    /// Replaces the file: at every moment either the old or the new bytes are at its path.
    ///
    /// The new bytes are read back from the disk and checked before the old ones go; those are then
    /// overwritten in place. A file system that writes elsewhere (copy on write, a journal of data,
    /// flash) may still keep them.
    ///
    /// - Parameters:
    ///   - bytes: the new content.
    ///   - isGood: judges what was read back.
    /// - Throws: ``FileError``; the old file is then untouched. `EMLINK` where it has a second name,
    ///   under which it would be destroyed; `EIO` where the judgement was no.
    package func replace(
        with bytes: [UInt8],
        isGood: ([UInt8]) -> Bool
    ) throws(FileError) {
        let old = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard old >= 0 else { throw FileError("open") }
        defer { close(old) }
        var facts = stat()
        guard unsafe fstat(old, &facts) == 0 else { throw FileError("fstat") }
        guard facts.st_nlink == 1 else { throw FileError("replace", EMLINK) }
        try Self.write(bytes, to: NewFile(path), isGood: isGood)
        Disk.overwrite(old)
    }
}
