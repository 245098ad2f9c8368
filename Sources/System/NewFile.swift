// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A file that has no name until it is complete, and then replaces its target atomically.
///
/// It is meant for folders of the person's choice. It touches nothing there except the file to be
/// replaced, and a program that ends early leaves nothing behind. The draft has a random name for a
/// while in two cases: the file system lacks unnamed files (O_TMPFILE), or another file is
/// replaced. If a signal ends the program, the draft is removed; only a power failure leaves it
/// behind.
package final class NewFile {
    /// The descriptor, open for reading and writing until the file is finished or abandoned.
    package let descriptor: Int32
    private let target: String
    private let replaces: Bool
    /// The path of the draft, if it has a name.
    private var draft: String?
    private var isOpen = true

    /// Begins a file for the owner only.
    ///
    /// - Parameters:
    ///   - path: The final path. If it is a link, the link stays and its target is replaced.
    ///   - replaces: Whether an existing file is replaced; otherwise it is an error.
    /// - Throws: ``FileError``; its `isTaken` is true if something there must not be replaced.
    package init(_ path: String, replaces: Bool = true) throws(FileError) {
        self.replaces = replaces
        target = try Self.target(path, replaces)
        let folder = Disk.folder(of: target)
        let unnamed = unsafe clinux_unnamed_file(folder)
        if unnamed >= 0 {
            descriptor = unnamed
            return
        }
        // The errors of kernels and file systems that do not support unnamed files.
        guard [EOPNOTSUPP, EISDIR, EINVAL, ENOENT].contains(errno) else { throw FileError("open") }
        let name = Self.draftName(in: folder)
        guard unsafe clinux_remove_at_end(name) == 0 else { throw FileError("open") }
        do throws(FileError) {
            descriptor = try Disk.make(name)
        } catch {
            clinux_remove_at_end(nil)
            throw error
        }
        draft = name
    }

    deinit { abandon() }

    /// Writes a complete file durably, replacing an existing one.
    ///
    /// - Throws: ``FileError``; an existing file is then untouched.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let file = try NewFile(path)
        try Disk.write(bytes, to: file.descriptor)
        try file.finish()
    }

    /// Makes the file appear at its path, durably.
    ///
    /// - Throws: ``FileError``; an existing file is then untouched, and the new one can be
    ///   abandoned.
    package func finish() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("fsync") }
        if let draft {
            try take(draft)
        } else if unsafe clinux_name_file(descriptor, target) != 0 {
            guard errno == EEXIST, replaces else { throw FileError("link") }
            // Only a named file can replace another one.
            let name = Self.draftName(in: Disk.folder(of: target))
            guard unsafe clinux_remove_at_end(name) == 0 else { throw FileError("link") }
            guard unsafe clinux_name_file(descriptor, name) == 0 else {
                let error = FileError("link")
                clinux_remove_at_end(nil)
                throw error
            }
            draft = name
            try take(name)
        }
        abandon()
        try Disk.sync(Disk.folder(of: target))
    }

    /// Moves the draft to the final path.
    private func take(_ draft: String) throws(FileError) {
        if replaces {
            // Something other than a regular file may have appeared there, and rename would destroy
            // it.
            var facts = stat()
            guard unsafe lstat(target, &facts) != 0 || facts.st_mode & S_IFMT == S_IFREG else {
                throw FileError("rename", EEXIST)
            }
            guard unsafe rename(draft, target) == 0 else { throw FileError("rename") }
            self.draft = nil
            clinux_remove_at_end(nil)
        } else {
            // The draft's own name is removed when the file is abandoned.
            guard unsafe link(draft, target) == 0 else { throw FileError("link") }
        }
    }

    /// Closes the file; an unfinished one disappears.
    package func abandon() {
        guard isOpen else { return }
        isOpen = false
        if let draft {
            Disk.remove(draft)
            clinux_remove_at_end(nil)
        }
        close(descriptor)
    }

    /// Overwrites an unfinished file with zeros and abandons it.
    func wipe() {
        if isOpen { Disk.overwrite(descriptor) }
        abandon()
    }

    /// The path to replace, with all links resolved.
    private static func target(_ path: String, _ replaces: Bool) throws(FileError) -> String {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return path }
        guard replaces else { throw FileError("open", EEXIST) }
        guard let real = unsafe realpath(path, nil) else { throw FileError("realpath") }
        defer { unsafe free(real) }
        guard unsafe stat(real, &facts) == 0 else { throw FileError("stat") }
        // Replacing a device or a pipe would destroy it.
        if facts.st_mode & S_IFMT == S_IFDIR { throw FileError("open", EISDIR) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw FileError("open", EINVAL) }
        return unsafe String(cString: real)
    }

    /// A random name that cannot be guessed.
    private static func draftName(in folder: String) -> String {
        "\(folder)/.mci-" + String(UInt64.random(in: 0...(.max)), radix: 16)
    }
}
