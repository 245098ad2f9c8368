// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where a command writes what a person asked for: a new file, or what is at the path already.
///
/// A regular file appears when it is whole (``NewFile``). A FIFO, a terminal or another character
/// device is written into and stays what it is, as are `-`, `/dev/stdout` and the descriptors below
/// `/dev/fd`. A folder, a socket and a disk are refused.
package final class OutFile {
    /// Open for writing until the file is finished or abandoned.
    package let descriptor: Int32
    /// nil where it is written into what was there.
    private let new: NewFile?
    private var isOpen = true

    /// Opens the path; of a FIFO it waits for a reader.
    ///
    /// - Parameter path: as the person wrote it.
    /// - Throws: ``FileError``; nothing has then been changed.
    package init(_ path: String) throws(FileError) {
        if let stream = try Self.stream(path) {
            (descriptor, new) = (stream, nil)
        } else {
            let file = try NewFile(path)
            (descriptor, new) = (file.descriptor, file)
        }
    }

    deinit { abandon() }

    /// Whether it is written into what was there, so that what was written cannot be taken back.
    package var isStream: Bool { new == nil }

    /// Whether a person reads it on a terminal.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether a path is written into as it is; false where a file is to appear.
    package static func isStream(_ path: String) -> Bool {
        if standardDescriptor(path) != nil { return true }
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return false }
        return facts.st_mode & S_IFMT == S_IFIFO || facts.st_mode & S_IFMT == S_IFCHR
    }

    /// Writes a whole file, on disk when this returns, or all bytes into what is there.
    ///
    /// - Throws: ``FileError``; a file that was there is then untouched.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let file = try OutFile(path)
        try Disk.write(bytes, to: file.descriptor)
        try file.finish()
    }

    /// Makes a file appear, on disk when this returns; ends a stream.
    ///
    /// - Throws: ``FileError``; what was there is then untouched, and the file can be abandoned.
    package func finish() throws(FileError) {
        try new?.finish()
        abandon()
    }

    /// Ends it; of a file that was not finished nothing is left.
    package func abandon() {
        guard isOpen else { return }
        isOpen = false
        if let new { new.abandon() } else { close(descriptor) }
    }

    /// Opens what is written into as it is; nil where a file is to appear.
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
        // Nobody means to write events over a disk.
        case S_IFBLK: throw FileError("open", EPERM)
        default: break
        }
        let file = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw FileError("open") }
        // Another file may have come in its place meanwhile.
        guard unsafe fstat(file, &facts) == 0, facts.st_mode & S_IFMT != S_IFREG else {
            close(file)
            throw FileError("open", ESTALE)
        }
        return file
    }

    /// The open descriptor that a path names, behind links of the person's; nil for other paths.
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
