// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Why a file operation failed.
package struct FileError: Error, Equatable, CustomStringConvertible {
    /// The operation, as its system call is named.
    package let operation: String
    /// The system's error number.
    package let number: Int32

    init(_ operation: String, _ number: Int32 = errno) {
        self.operation = operation
        self.number = number
    }

    /// Another program holds the lock of the file.
    package static let locked = FileError("flock", EWOULDBLOCK)

    /// Whether the file does not exist.
    package var isMissing: Bool { number == ENOENT }

    /// Whether the file is there already.
    package var isTaken: Bool { number == EEXIST }

    /// Whether the file has a second name, which the operation would destroy.
    package var hasSecondName: Bool { number == EMLINK }

    package var description: String {
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        return "\(operation): \(reason)"
    }
}

/// Whole-file operations; outside the C doors this module alone calls the file system.
package enum Disk {
    /// Whether something is at the path.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether a regular file is there, or a link to one.
    package static func isFile(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    /// Makes a folder and those above it, for the owner alone.
    ///
    /// - Parameter path: absolute.
    /// - Throws: ``FileError``.
    package static func makeFolder(_ path: String) throws(FileError) {
        if exists(path) { return }
        try makeFolder(folder(of: path))
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError("mkdir") }
        // Its name is on disk before anything in it counts.
        try sync(folder(of: path))
    }

    /// The size of a file in bytes; nil when there is none.
    package static func size(_ path: String) -> Int? {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? Int(facts.st_size) : nil
    }

    /// Which file a path names now; nil when there is none.
    package static func inode(_ path: String) -> UInt64? {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? UInt64(facts.st_ino) : nil
    }

    /// When a file was last written, in milliseconds since 1970; nil when there is none.
    package static func writtenAt(_ path: String) -> Int64? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return Int64(facts.st_mtim.tv_sec) * 1000 + Int64(facts.st_mtim.tv_nsec) / 1_000_000
    }

    /// Lets the owner read and write a file or folder again that is this user's own; never what a link
    /// leads to, nor a file that has a second name.
    package static func makeReadable(_ path: String, mode: UInt32 = 0o600) {
        unsafe clinux_change_own_mode(path, mode)
    }

    /// The free and the whole space of the disk a path lies on, in bytes; nil where it cannot be told.
    package static func space(_ path: String) -> (free: Int64, whole: Int64)? {
        var facts = statvfs()
        guard unsafe statvfs(path, &facts) == 0 else { return nil }
        let unit = Int64(clamping: facts.f_frsize)
        return (Int64(clamping: facts.f_bavail) * unit, Int64(clamping: facts.f_blocks) * unit)
    }

    /// What changes whenever a file is replaced, written, or given other rights; nil when there is none.
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
    ///   - path: the file.
    ///   - limit: more bytes than this are an error.
    /// - Returns: its bytes.
    /// - Throws: ``FileError``; `isMissing` tells that there is none.
    package static func read(_ path: String, limit: Int = 1 << 16) throws(FileError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("open") }
        defer { close(file) }
        return try read(file, limit: limit)
    }

    /// Reads a small file that only this user can have written: ``OwnPath`` says what that means.
    ///
    /// - Throws: ``FileError``; `isMissing` tells that there is none.
    package static func readOwn(
        _ path: String,
        limit: Int = 1 << 16
    ) throws(FileError) -> [UInt8] {
        let file = try OwnPath.open(path, O_RDONLY, isTrusted: true)
        defer { close(file) }
        return try read(file, limit: limit)
    }

    /// Reads an open file to its end.
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

    /// Replaces a file as a whole: at every moment either the old or the new bytes are there, and
    /// the new ones are on disk when this returns.
    ///
    /// - Parameters:
    ///   - bytes: the new content.
    ///   - path: the file; its folder is made where it is missing.
    ///   - mode: the permissions.
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

    /// Makes a new file for the owner alone and opens it for writing.
    ///
    /// - Returns: the descriptor.
    /// - Throws: ``FileError``, also where there is one already.
    package static func make(_ path: String) throws(FileError) -> Int32 {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileError("open") }
        return file
    }

    /// Writes all bytes to an open file.
    ///
    /// - Throws: ``FileError``.
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

    /// Moves a file within its folder, on disk when this returns.
    ///
    /// - Throws: ``FileError``.
    package static func move(_ source: String, to target: String) throws(FileError) {
        guard unsafe rename(source, target) == 0 else { throw FileError("rename") }
        try sync(folder(of: target))
    }

    /// Waits until a file, or the names in a folder, are on disk; one that is not there is.
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

    /// Overwrites a file of this user's with zeros, on disk when this returns; a link is left alone.
    package static func overwrite(_ path: String) {
        guard let file = try? OwnPath.open(path, O_WRONLY) else { return }
        defer { close(file) }
        overwrite(file)
    }

    /// Overwrites an open file with zeros, on disk when this returns.
    static func overwrite(_ file: Int32) {
        var left = Int(lseek(file, 0, SEEK_END))
        lseek(file, 0, SEEK_SET)
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        while left > 0, (try? write(Array(zeros.prefix(left)), to: file)) != nil {
            left -= zeros.count
        }
        fsync(file)
    }

    /// Keeps the numbers of the standard descriptors taken where they are closed.
    ///
    /// A file that is opened later would get the number, and what is printed would go into it.
    package static func holdStandardDescriptors() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
            // Reading the first and writing the others fails, as it does where they are closed.
            _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Removes a file if it is there.
    package static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// The path of the folder that a path lies in, as `dirname(1)` prints it: `/` for `/x`, `.` for a
    /// bare name, and `/` for the root itself.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
