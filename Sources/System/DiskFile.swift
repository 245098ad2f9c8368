// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An open file that is read and written at given offsets.
package final class DiskFile {
    private let file: Int32

    /// Opens a file for reading and writing.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link, a pipe and another user's file are refused.
    ///   - makes: Whether to create a missing file, for the owner only.
    /// - Throws: ``FileError``.
    package init(_ path: String, makes: Bool = false) throws(FileError) {
        file = try OwnPath.open(path, O_RDWR | (makes ? O_CREAT : 0))
    }

    /// The size of the file in bytes.
    package var size: Int { Int(lseek(file, 0, SEEK_END)) }

    /// Reads bytes at an offset.
    ///
    /// - Returns: Up to `count` bytes; fewer at the end of the file or if reading fails.
    package func read(at offset: Int, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let done = transferring(count) { done in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    file,
                    buffer.baseAddress?.advanced(by: done),
                    buffer.count - done,
                    off_t(offset + done)
                )
            }
        }
        bytes.removeLast(count - done)
        return bytes
    }

    /// Writes bytes at an offset, by default durably.
    ///
    /// With `durable` false they survive this process but not a power failure.
    ///
    /// - Throws: ``FileError``; some of the bytes may have been written.
    package func write(
        _ bytes: [UInt8],
        at offset: Int,
        durable: Bool = true
    ) throws(FileError) {
        let done = transferring(bytes.count) { done in
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    file,
                    buffer.baseAddress?.advanced(by: done),
                    buffer.count - done,
                    off_t(offset + done)
                )
            }
        }
        guard done == bytes.count else { throw FileError("pwrite") }
        guard !durable || fdatasync(file) == 0 else { throw FileError("fdatasync") }
    }

    /// Truncates the file to a size in bytes; the size is on disk when this returns.
    ///
    /// - Throws: ``FileError``.
    package func truncate(to size: Int) throws(FileError) {
        guard ftruncate(file, off_t(size)) == 0 else { throw FileError("ftruncate") }
        guard fdatasync(file) == 0 else { throw FileError("fdatasync") }
    }

    deinit { close(file) }
}
