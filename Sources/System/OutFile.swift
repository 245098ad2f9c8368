// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The destination of a command's output: a new file, or an existing stream.
///
/// A regular file appears when it is complete (``NewFile``). A FIFO, a terminal or another
/// character device is written to and remains what it is. So are `-`, `/dev/stdout` and the
/// descriptors below `/dev/fd`. A folder, a socket and a block device are refused.
package final class OutFile {
    /// The descriptor, open for writing until the output is finished or abandoned.
    package let descriptor: Int32
    /// Nil if the output is an existing stream.
    private let new: NewFile?
    private var isOpen = true

    /// Opens the path; for a FIFO it waits for a reader.
    ///
    /// - Parameter path: The path as the person wrote it.
    /// - Throws: ``FileError``; nothing has changed then.
    package init(_ path: String) throws(FileError) {
        if let stream = try Self.stream(path) {
            (descriptor, new) = (stream, nil)
        } else {
            let file = try NewFile(path)
            (descriptor, new) = (file.descriptor, file)
        }
    }

    deinit { abandon() }

    /// Whether the output is an existing stream, so that written bytes cannot be taken back.
    package var isStream: Bool { new == nil }

    /// Whether the output is a terminal.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether a path names an existing stream; false if a file is to appear there.
    package static func isStream(_ path: String) -> Bool {
        if standardDescriptor(path) != nil { return true }
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return false }
        return facts.st_mode & S_IFMT == S_IFIFO || facts.st_mode & S_IFMT == S_IFCHR
    }

    /// Writes a complete file durably, or all bytes to an existing stream.
    ///
    /// - Throws: ``FileError``; an existing file is then untouched.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let file = try OutFile(path)
        try Disk.write(bytes, to: file.descriptor)
        try file.finish()
    }

    /// Makes a file appear durably, or closes a stream.
    ///
    /// - Throws: ``FileError``; an existing file is then untouched, and the new one can be
    ///   abandoned.
    package func finish() throws(FileError) {
        try new?.finish()
        abandon()
    }

    /// Closes the output; an unfinished file disappears.
    package func abandon() {
        guard isOpen else { return }
        isOpen = false
        if let new { new.abandon() } else { close(descriptor) }
    }

    /// Opens an existing stream; nil if a file is to appear.
    private static func stream(_ path: String) throws(FileError) -> Int32? {
        if let number = standardDescriptor(path) {
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw FileError("dup") }
            return copy
        }
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: throw FileError("open", EISDIR)
        // Writing events over a disk is never intended.
        case S_IFBLK: throw FileError("open", EPERM)
        default: break
        }
        let file = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw FileError("open") }
        // A regular file may have replaced it meanwhile.
        guard unsafe fstat(file, &facts) == 0, facts.st_mode & S_IFMT != S_IFREG else {
            close(file)
            throw FileError("open", ESTALE)
        }
        return file
    }

    /// The open descriptor that a path names, through up to 8 links; nil for other paths.
    private static func standardDescriptor(_ path: String) -> Int32? {
        if path == "-" { return 1 }
        var path = path
        for _ in 0..<8 {
            let names = ["/dev/stdin": Int32(0), "/dev/stdout": 1, "/dev/stderr": 2]
            if let number = names[path] { return number }
            for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
                return Int32(path.dropFirst(folder.count))
            }
            var target = [CChar](repeating: 0, count: 4096)
            let count = unsafe readlink(path, &target, target.count)
            guard count > 0 else { return nil }
            let bytes = target.prefix(count).map { UInt8(bitPattern: $0) }
            let link = String(decoding: bytes, as: UTF8.self)
            path = link.hasPrefix("/") ? link : "\(Disk.folder(of: path))/\(link)"
        }
        return nil
    }
}
