// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An exclusive lock on a file (`flock(2)`), released when the value or the process ends.
package struct FileLock: ~Copyable {
    private let file: Int32

    /// Acquires the lock.
    ///
    /// - Parameters:
    ///   - path: The lock file, of this user's; the file and its folder are created if missing.
    ///   - waits: Whether to wait for another holder.
    /// - Returns: The lock; nil if another process holds it.
    /// - Throws: ``FileError``.
    package static func take(_ path: String, waits: Bool) throws(FileError) -> FileLock? {
        try Disk.makeFolder(Disk.folder(of: path))
        let file = try OwnPath.open(path, O_RDWR | O_CREAT)
        let way = waits ? LOCK_EX : LOCK_EX | LOCK_NB
        if retryingInterrupted({ Int(flock(file, way)) }) != 0 {
            let error = FileError("flock")
            close(file)
            if error.number == EWOULDBLOCK { return nil }
            throw error
        }
        return FileLock(file: file)
    }

    /// Acquires the lock, waiting for another holder for a limited time.
    ///
    /// - Parameters:
    ///   - path: The lock file, of this user's; the file and its folder are created if missing.
    ///   - patience: Maximum wait in milliseconds; with 0 there is a single attempt.
    /// - Returns: The lock; nil if another process still holds it.
    /// - Throws: ``FileError``.
    package static func take(_ path: String, patience: Int64) throws(FileError) -> FileLock? {
        var left = patience
        while true {
            if let lock = try take(path, waits: false) { return lock }
            guard left > 0 else { return nil }
            usleep(UInt32(1000 * min(left, 5)))
            left -= 5
        }
    }

    private init(file: Int32) {
        self.file = file
    }

    /// Replaces the contents of the lock file with one line, such as the holder's process id.
    package borrowing func note(_ text: String) {
        ftruncate(file, 0)
        lseek(file, 0, SEEK_SET)
        try? Disk.write(Array((text + "\n").utf8), to: file)
    }

    deinit { close(file) }
}
