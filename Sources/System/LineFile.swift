// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file that is read line by line, whatever its size.
package struct LineFile: ~Copyable {
    private let file: Int32
    private let maxLength: Int
    private var buffer: [UInt8] = []
    /// Index in the buffer at which the next line begins.
    private var start = 0

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file; links are followed.
    ///   - maxLength: Maximum bytes of a line; a longer one is an error (EFBIG).
    /// - Throws: ``FileError``.
    package init(_ path: String, maxLength: Int = 1 << 20) throws(FileError) {
        file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("open") }
        self.maxLength = maxLength
    }

    deinit { close(file) }

    /// Reads the next line.
    ///
    /// - Returns: The line without its line feed; nil at the end of the file.
    /// - Throws: ``FileError``.
    package mutating func next() throws(FileError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searched = buffer.count
            guard searched - start <= maxLength else {
                errno = EFBIG
                throw FileError("read")
            }
            guard try fill() else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return Array(buffer[start...])
            }
            // fill() has removed the consumed bytes.
            searched -= start
            start = 0
        }
    }

    /// Reads another chunk; false at the end of the file.
    private mutating func fill() throws(FileError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let size = chunk.count
        let count = retryingInterrupted {
            unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(file, buffer.baseAddress, size)
            }
        }
        guard count >= 0 else { throw FileError("read") }
        guard count > 0 else { return false }
        buffer.removeFirst(start)
        buffer += chunk.prefix(count)
        return true
    }
}
