// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An open file that is read and written at given places.
package final class DiskFile {
    private let file: Int32

    /// Opens a file for reading and writing.
    ///
    /// - Parameters:
    ///   - path: the file; a symbolic link, a pipe and a file of somebody else's are refused.
    ///   - makes: whether it is made where it is missing, for the owner alone.
    /// - Throws: ``FileError``.
    package init(_ path: String, makes: Bool = false) throws(FileError) {
        file = try OwnPath.open(path, O_RDWR | (makes ? O_CREAT : 0))
    }

    /// Bytes in the file.
    package var size: Int { Int(lseek(file, 0, SEEK_END)) }

    /// Reads at a place.
    ///
    /// - Returns: as many bytes as there are, up to `count`; fewer where reading fails.
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

    /// Writes at a place, on disk when this returns unless it need not be `durable`: then it outlasts
    /// this process, but not a power cut.
    ///
    /// - Throws: ``FileError``.
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

    /// Cuts the file to a size, on disk when this returns.
    ///
    /// - Throws: ``FileError``.
    package func truncate(to size: Int) throws(FileError) {
        guard ftruncate(file, off_t(size)) == 0 else { throw FileError("ftruncate") }
        guard fdatasync(file) == 0 else { throw FileError("fdatasync") }
    }

    deinit { close(file) }
}
