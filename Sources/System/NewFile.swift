// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A file that has no name until it is whole, and then takes its place at once.
///
/// It is meant for folders of the person's own choosing: nothing that lies there is touched but the
/// file that is to be replaced, and a program that ends early leaves nothing behind. Where the file
/// system has no files without a name, or where another file is replaced, the draft has a random one for
/// a while, which is removed when a signal ends the program; only a power cut leaves it there.
package final class NewFile {
    /// Open for reading and writing, until the file is finished or abandoned.
    package let descriptor: Int32
    private let target: String
    private let replaces: Bool
    /// The name of the draft, where it has one.
    private var draft: String?
    private var isOpen = true

    /// Begins a file for the owner alone.
    ///
    /// - Parameters:
    ///   - path: where it is to appear; a link to a file stays, and the file it leads to is replaced.
    ///   - replaces: whether a file that is there is replaced, or an error.
    /// - Throws: ``FileError``; `isTaken` tells that something is there that is not to be replaced.
    package init(_ path: String, replaces: Bool = true) throws(FileError) {
        self.replaces = replaces
        target = try Self.target(path, replaces)
        let folder = Disk.folder(of: target)
        let unnamed = unsafe clinux_unnamed_file(folder)
        if unnamed >= 0 {
            descriptor = unnamed
            return
        }
        // What kernels say whose file system has no such files, or that know none at all.
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

    /// Writes a whole file, on disk when this returns.
    ///
    /// - Throws: ``FileError``; what was there is then untouched.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let file = try NewFile(path)
        try Disk.write(bytes, to: file.descriptor)
        try file.finish()
    }

    /// Makes the file appear, on disk when this returns.
    ///
    /// - Throws: ``FileError``; what was there is then untouched, and the file can be abandoned.
    package func finish() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("fsync") }
        if let draft {
            try take(draft)
        } else if unsafe clinux_name_file(descriptor, target) != 0 {
            guard errno == EEXIST, replaces else { throw FileError("link") }
            // Only a name can take the place of another.
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

    /// Gives the draft its place.
    private func take(_ draft: String) throws(FileError) {
        if replaces {
            // What is no regular file may have come there since it was begun, and would be gone.
            var facts = stat()
            guard unsafe lstat(target, &facts) != 0 || facts.st_mode & S_IFMT == S_IFREG else {
                throw FileError("rename", EEXIST)
            }
            guard unsafe rename(draft, target) == 0 else { throw FileError("rename") }
            self.draft = nil
            clinux_remove_at_end(nil)
        } else {
            // The draft goes when it is abandoned.
            guard unsafe link(draft, target) == 0 else { throw FileError("link") }
        }
    }

    /// Ends it; what was not finished is gone.
    package func abandon() {
        guard isOpen else { return }
        isOpen = false
        if let draft {
            Disk.remove(draft)
            clinux_remove_at_end(nil)
        }
        close(descriptor)
    }

    /// Overwrites what was begun, and ends it.
    func wipe() {
        if isOpen { Disk.overwrite(descriptor) }
        abandon()
    }

    /// The path that is to be replaced, behind every link.
    private static func target(_ path: String, _ replaces: Bool) throws(FileError) -> String {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return path }
        guard replaces else { throw FileError("open", EEXIST) }
        guard let real = unsafe realpath(path, nil) else { throw FileError("realpath") }
        defer { unsafe free(real) }
        guard unsafe stat(real, &facts) == 0 else { throw FileError("stat") }
        // A device or a pipe would be gone.
        if facts.st_mode & S_IFMT == S_IFDIR { throw FileError("open", EISDIR) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw FileError("open", EINVAL) }
        return unsafe String(cString: real)
    }

    /// A name that nobody has and nobody can foresee.
    private static func draftName(in folder: String) -> String {
        "\(folder)/.mci-" + String(UInt64.random(in: 0...(.max)), radix: 16)
    }
}
