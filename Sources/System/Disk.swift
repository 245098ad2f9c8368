// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A failed file operation.
package struct FileError: Error, Equatable, CustomStringConvertible {
    /// The name of the system call that failed.
    package let operation: String
    /// The error number (`errno`).
    package let number: Int32

    init(_ operation: String, _ number: Int32 = errno) {
        self.operation = operation
        self.number = number
    }

    /// Another process holds the lock of the file.
    package static let locked = FileError("flock", EWOULDBLOCK)

    /// Whether the file does not exist.
    package var isMissing: Bool { number == ENOENT }

    /// Whether the file already exists.
    package var isTaken: Bool { number == EEXIST }

    /// Whether the file has a second hard link, which the operation would destroy too.
    package var hasSecondName: Bool { number == EMLINK }

    /// The system call and the system's text for the error.
    package var description: String {
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        return "\(operation): \(reason)"
    }
}

/// Operations on whole files; apart from C modules, only this module calls the file system.
package enum Disk {
    /// Whether a path names something; false for a link to nothing.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether a path names a regular file; links are followed.
    package static func isFile(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    /// Creates a folder and its parents, for the owner only, durably.
    ///
    /// - Parameter path: An absolute path.
    /// - Throws: ``FileError``.
    package static func makeFolder(_ path: String) throws(FileError) {
        if exists(path) { return }
        let parent = folder(of: path)
        if parent != path { try makeFolder(parent) }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError("mkdir") }
        // The folder's name must be on disk before anything in the folder counts as stored.
        try sync(parent)
    }

    /// The names in a folder, without `.` and `..`; nil if it cannot be read.
    package static func names(in folder: String) -> [String]? {
        guard let stream = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The size of a file in bytes; nil if there is none.
    package static func size(_ path: String) -> Int? {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? Int(facts.st_size) : nil
    }

    /// The bytes of all files in the folders below a folder; what cannot be read counts as nothing.
    package static func size(ofFoldersIn folder: String) -> Int {
        (names(in: folder) ?? []).reduce(0) { sum, name in
            (names(in: "\(folder)/\(name)") ?? []).reduce(sum) { sum, file in
                sum + (size("\(folder)/\(name)/\(file)") ?? 0)
            }
        }
    }

    /// The inode number of the file that a path names now; nil if there is none.
    package static func inode(_ path: String) -> UInt64? {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? UInt64(facts.st_ino) : nil
    }

    /// The time of the last modification, in milliseconds since 1970; nil if there is no file.
    package static func writtenAt(_ path: String) -> Int64? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return Int64(facts.st_mtim.tv_sec) * 1000 + Int64(facts.st_mtim.tv_nsec) / 1_000_000
    }

    /// Sets the permissions of a file or folder of this user's, so that the owner can read and
    /// write it.
    ///
    /// It changes neither the target of a link nor a file with a second hard link. Failure is
    /// ignored.
    package static func makeReadable(_ path: String, mode: UInt32 = 0o600) {
        unsafe clinux_change_own_mode(path, mode)
    }

    /// The free and the total space of the file system of a path, in bytes; nil if unknown.
    ///
    /// Free is what unprivileged users may use.
    package static func space(_ path: String) -> (free: Int64, whole: Int64)? {
        var facts = statvfs()
        guard unsafe statvfs(path, &facts) == 0 else { return nil }
        let unit = Int64(clamping: facts.f_frsize)
        return (Int64(clamping: facts.f_bavail) * unit, Int64(clamping: facts.f_blocks) * unit)
    }

    /// A value that changes whenever a file is replaced, written or given other permissions; nil if
    /// there is none.
    package static func fingerprint(_ path: String) -> [Int]? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return [
            Int(facts.st_ino), Int(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
            facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec,
        ]
    }

    /// Reads a file that is expected to be small.
    ///
    /// - Parameters:
    ///   - path: The file; links are followed.
    ///   - limit: The maximum size in bytes; a longer file is an error (EFBIG).
    /// - Returns: The contents.
    /// - Throws: ``FileError``; its `isMissing` is true if there is no file.
    package static func read(_ path: String, limit: Int = 1 << 16) throws(FileError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("open") }
        defer { close(file) }
        return try read(file, limit: limit)
    }

    /// Reads the beginning of a file.
    ///
    /// - Parameters:
    ///   - path: The file; links are followed.
    ///   - prefix: The number of bytes; fewer if the file has fewer.
    /// - Returns: The bytes.
    /// - Throws: ``FileError``.
    package static func read(_ path: String, prefix: Int) throws(FileError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("open") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: prefix)
        let count = transferring(prefix) { done in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(
                    file,
                    buffer.baseAddress?.advanced(by: done),
                    buffer.count - done
                )
            }
        }
        return Array(bytes.prefix(max(0, count)))
    }

    /// Reads a small file that only this user can have written; ``OwnPath`` defines the checks.
    ///
    /// - Parameters:
    ///   - path: The file; a link is refused.
    ///   - limit: The maximum size in bytes; a longer file is an error (EFBIG).
    /// - Returns: The contents.
    /// - Throws: ``FileError``; its `isMissing` is true if there is no file.
    package static func readOwn(
        _ path: String,
        limit: Int = 1 << 16
    ) throws(FileError) -> [UInt8] {
        let file = try OwnPath.open(path, O_RDONLY, isTrusted: true)
        defer { close(file) }
        return try read(file, limit: limit)
    }

    /// Reads an open file from its offset to its end.
    static func read(_ file: Int32, limit: Int) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var count = 0
        while count <= limit {
            if count == bytes.count {
                let more = min(max(count, 4096), limit + 1 - count)
                bytes += [UInt8](repeating: 0, count: more)
            }
            let got = retryingInterrupted {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe Glibc.read(
                        file,
                        buffer.baseAddress?.advanced(by: count),
                        buffer.count - count
                    )
                }
            }
            if got == 0 { break }
            guard got > 0 else { throw FileError("read") }
            count += got
        }
        guard count <= limit else {
            errno = EFBIG
            throw FileError("read")
        }
        return Array(bytes.prefix(count))
    }

    /// Replaces a file atomically and durably: a reader finds either the old or the new bytes.
    ///
    /// - Parameters:
    ///   - bytes: The new contents.
    ///   - path: The file; its folder is created if it is missing.
    ///   - mode: The permissions of the new file.
    /// - Throws: ``FileError``; the old file is then untouched.
    package static func write(
        _ bytes: [UInt8],
        to path: String,
        mode: UInt32 = 0o600
    ) throws(FileError) {
        try makeFolder(folder(of: path))
        let draft = path + ".new"
        remove(draft)
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw FileError("open") }
        do throws(FileError) {
            defer { close(file) }
            try write(bytes, to: file)
            guard fsync(file) == 0 else { throw FileError("fsync") }
        } catch {
            remove(draft)
            throw error
        }
        try move(draft, to: path)
    }

    /// Creates a new file for the owner only and opens it for writing.
    ///
    /// - Parameter path: The path; a link there is not followed.
    /// - Returns: The file descriptor.
    /// - Throws: ``FileError``, also if something is already there.
    package static func make(_ path: String) throws(FileError) -> Int32 {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileError("open") }
        return file
    }

    /// Writes all bytes to an open file.
    ///
    /// - Throws: ``FileError``; some of the bytes may have been written.
    package static func write(_ bytes: [UInt8], to file: Int32) throws(FileError) {
        let done = transferring(bytes.count) { done in
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    file,
                    buffer.baseAddress?.advanced(by: done),
                    buffer.count - done
                )
            }
        }
        guard done == bytes.count else { throw FileError("write") }
    }

    /// Renames a file within its folder; the new name is on disk when this returns.
    ///
    /// - Throws: ``FileError``.
    package static func move(_ source: String, to target: String) throws(FileError) {
        guard unsafe rename(source, target) == 0 else { throw FileError("rename") }
        try sync(folder(of: target))
    }

    /// Waits until a file, or the names in a folder, are on disk; a missing path is not an error.
    ///
    /// - Throws: ``FileError``.
    package static func sync(_ path: String) throws(FileError) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return }
            throw FileError("open")
        }
        defer { close(file) }
        guard fsync(file) == 0 else { throw FileError("fsync") }
    }

    /// Overwrites a file of this user's with zeros, durably; links are not followed and failure is
    /// ignored.
    package static func overwrite(_ path: String) {
        guard let file = try? OwnPath.open(path, O_WRONLY) else { return }
        defer { close(file) }
        overwrite(file)
    }

    /// Overwrites an open file with zeros, durably; failure is ignored.
    static func overwrite(_ file: Int32) {
        var left = Int(lseek(file, 0, SEEK_END))
        lseek(file, 0, SEEK_SET)
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        while left > 0, (try? write(Array(zeros.prefix(left)), to: file)) != nil {
            left -= zeros.count
        }
        fsync(file)
    }

    /// Opens `/dev/null` for each closed standard descriptor.
    ///
    /// Otherwise a file opened later would get the number, and standard output would be written
    /// into it.
    package static func holdStandardDescriptors() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
            // The access mode is the wrong one, so that reading 0 and writing 1 or 2 fails as on a
            // closed one.
            _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Removes a file; failure is ignored.
    package static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// A path from the root, whatever the current folder will be.
    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(folder) }
        return unsafe "\(String(cString: folder))/\(path)"
    }

    /// The path of what is there, without links; nil if nothing is.
    package static func real(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    /// The folder that contains a path, as `dirname(1)` prints it.
    ///
    /// It is `/` for `/x` and for the root itself, and `.` for a bare name.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The folder that a path lies in, if it may be opened or changed for the sake of the file.
    ///
    /// - Parameter path: The path of a file.
    /// - Returns: The folder; nil if it is the root or the current folder, which hold other things.
    package static func ownFolder(of path: String) -> String? {
        let folder = folder(of: path)
        return ["/", "."].contains(folder) ? nil : folder
    }
}
