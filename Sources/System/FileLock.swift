// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An exclusive lock on a file, given back when it goes away or the process ends.
package struct FileLock: ~Copyable {
    private let file: Int32

    /// Takes the lock.
    ///
    /// - Parameters:
    ///   - path: the lock file, this user's own; it and its folder are made where they are missing.
    ///   - waits: whether to wait for another holder.
    /// - Returns: nil when another process holds it.
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

    /// Takes the lock, and waits for another holder no longer than it says.
    ///
    /// - Parameters:
    ///   - path: as above.
    ///   - patience: the milliseconds to wait; with 0 it is tried once.
    /// - Returns: nil when another process still holds it.
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

    /// Writes a line into the lock file, such as the holder's process id.
    package borrowing func note(_ text: String) {
        ftruncate(file, 0)
        lseek(file, 0, SEEK_SET)
        try? Disk.write(Array((text + "\n").utf8), to: file)
    }

    deinit { close(file) }
}
