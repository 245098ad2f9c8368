// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file that contains a secret: for the owner only, and overwritten when it is replaced.
package struct SecretFile: Sendable {
    /// The metadata of a file or folder.
    package struct Facts: Equatable, Sendable {
        /// The low 12 permission bits.
        package var mode: Int
        /// Whether the user of this process owns it.
        package var isOwn: Bool
        /// The device number of its file system (`st_dev`).
        package var device: Int
    }

    /// The path with all symbolic links resolved, so that a replacement replaces the file itself.
    package let path: String

    /// Resolves the path of an existing file.
    ///
    /// - Throws: ``FileError``; its `isMissing` is true if there is none.
    package init(_ path: String) throws(FileError) {
        guard let real = unsafe realpath(path, nil) else { throw FileError("realpath") }
        defer { unsafe free(real) }
        self.path = unsafe String(cString: real)
    }

    /// Reads the metadata of a file or folder; links are followed.
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

    /// Writes a new file durably; it never replaces an existing one.
    ///
    /// - Throws: ``FileError``; nothing of the file is left then.
    package static func create(_ bytes: [UInt8], at path: String) throws(FileError) {
        try write(bytes, to: NewFile(path, replaces: false)) { _ in true }
    }

    /// Writes a file that is verified before it appears; a failed one is overwritten.
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

    /// Replaces the file atomically and overwrites the old bytes.
    ///
    /// The new bytes are read back from the disk and verified first. The old bytes are then
    /// overwritten in place. They may survive on a file system that writes elsewhere (copy on
    /// write, data journaling, flash).
    ///
    /// - Parameters:
    ///   - bytes: The new contents.
    ///   - isGood: Verifies the bytes that were read back.
    /// - Throws: ``FileError``; the old file is then untouched. The number is EMLINK if the file
    ///   has a second hard link, whose contents would be destroyed too. It is EIO if verification
    ///   failed.
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
