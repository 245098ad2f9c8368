// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Signing
import Storage
import System
import Testing

/// What others could change is not trusted, and nothing is done through a link.
@Suite struct TrustTests {
    private let folder: TemporaryFolder
    private let other: String

    init() throws {
        folder = try TemporaryFolder()
        other = "\(folder.path)/letter"
        try Disk.write(Array("Dear reader".utf8), to: other)
        chmod(other, 0o644)
    }

    private func mode(_ path: String) throws -> Int { try SecretFile.facts(path).mode }

    // MARK: Links

    @Test func `nothing is done to what a link leads to`() throws {
        let link = "\(folder.path)/link"
        symlink(other, link)
        Disk.makeReadable(link)
        Disk.overwrite(link)
        #expect(throws: FileError.self) { try DiskFile(link, makes: true) }
        #expect(throws: FileError.self) { _ = try FileLock.take(link, waits: false) != nil }
        #expect(throws: FileError.self) { try Disk.readOwn(link) }
        let folderLink = "\(folder.path)/folder-link"
        chmod(folder.path, 0o755)
        symlink(folder.path, folderLink)
        Disk.makeReadable(folderLink, mode: 0o700)
        #expect(try mode(folder.path) == 0o755)
        #expect(try mode(other) == 0o644)
        #expect(try Disk.read(other) == Array("Dear reader".utf8))
        // A second name is a link too.
        let name = "\(folder.path)/name"
        Foundation.link(other, name)
        Disk.makeReadable(name)
        #expect(try mode(other) == 0o644)
    }

    @Test func `what is not a regular file is neither waited for nor used`() throws {
        let pipe = "\(folder.path)/pipe"
        mkfifo(pipe, 0o600)
        Disk.makeReadable(pipe, mode: 0o640)
        Disk.overwrite(pipe)
        try? Disk.sync(pipe)
        #expect(throws: FileError.self) { try DiskFile(pipe) }
        #expect(throws: FileError.self) { _ = try FileLock.take(pipe, waits: false) != nil }
        #expect(throws: FileError.self) { try Disk.readOwn(pipe) }
        #expect(try mode(pipe) == 0o600)
    }

    @Test(.enabled(if: getuid() == 0, "only root can give a file away"))
    func `a file of somebody else is neither changed nor believed`() throws {
        chown(other, 4242, 4242)
        Disk.makeReadable(other)
        #expect(try mode(other) == 0o644)
        #expect(throws: FileError.self) { try DiskFile(other) }
        #expect(throws: FileError.self) { try Disk.readOwn(other) }
    }

    @Test func `a ring that is a link changes nothing of what it leads to`() throws {
        let paths = folder.paths
        try Disk.makeFolder(paths.state)
        for suffix in ["", "-wal"] { symlink(other, paths.ring + suffix) }
        let ring = try? Ring.open(paths.ring, cap: 4 << 20, key: DeviceKey(), now: 0)
        try? ring?.rebuildToEnd()
        #expect(try mode(other) == 0o644)
        #expect(try Disk.read(other) == Array("Dear reader".utf8))
    }

    @Test func `a key that others can change is neither used nor replaced`() throws {
        let path = folder.paths.deviceKey
        let key = try DeviceKeyFile.readOrMake(path)
        chmod(path, 0o666)
        #expect(DeviceKeyFile.read(path) == nil)
        #expect(throws: FileError.self) { try DeviceKeyFile.readOrMake(path) }
        chmod(path, 0o600)
        #expect(DeviceKeyFile.read(path)?.verifier == key.verifier)
    }

    // MARK: The recorder's folders

    /// Every folder and file that is looked at, with whether it is a folder.
    private var looked: [(path: String, isFolder: Bool)] {
        let paths = folder.paths
        let folders = [paths.state, paths.runtime, paths.config, "\(paths.config)/public"]
        let files = [
            paths.ring, paths.ring + "-wal", paths.ring + "-shm", paths.ring + ".head",
            paths.controls, paths.accounts, paths.deviceKey, "\(paths.state)/marks",
            paths.recipients, paths.settings, "\(paths.config)/public/marks",
        ]
        return folders.map { ($0, true) } + files.map { ($0, false) }
    }

    /// What mcid says at its start, and `mcictl doctor` of the files.
    private func said() throws -> (mcid: Program.Result, doctor: [String: Any]) {
        let doctor = try Program.run(
            "mcictl",
            ["doctor", "--json"],
            environment: folder.environment
        )
        let rows = doctor.json["findings"] as? [[String: Any]] ?? []
        let row = rows.first { $0["subject"] as? String == "files" } ?? [:]
        return (try Program.run("mcid", environment: folder.environment), row)
    }

    private func expectRefusal(_ words: String, next: String) throws {
        let (mcid, doctor) = try said()
        #expect(mcid.code == 78)
        #expect(mcid.errors == "mcid: \(words) Next: \(next)\n")
        #expect(doctor["verdict"] as? String == "fail")
        #expect(doctor["words"] as? String == words)
        #expect(doctor["next"] as? String == next)
    }

    @Test func `mcid starts on no folder or file that somebody else could change`() throws {
        for (path, isFolder) in looked {
            if isFolder {
                try Disk.makeFolder(path)
            } else {
                try Disk.write([], to: path)
            }
        }
        let (well, doctor) = try said()
        #expect(!well.errors.contains("others") && doctor["verdict"] as? String == "ok")
        for (path, isFolder) in looked {
            let kind = isFolder ? "folder" : "file"
            let mode = isFolder ? 0o700 : 0o600
            for bits in [0o020, 0o002, 0o077] {
                chmod(path, mode_t(mode | bits))
                let octal = String(mode | bits, radix: 8)
                try expectRefusal(
                    "The \(kind) \(path) can be changed by others (mode \(octal)).",
                    next: "chmod go-w \(path)"
                )
            }
            // Merely read.
            chmod(path, mode_t(mode | 0o044))
            let (reads, found) = try said()
            #expect(!reads.errors.contains(path), "\(reads.errors)")
            #expect(found["verdict"] as? String == "warn")
            #expect(found["words"] as? String == "\(path) can be read by others")
            chmod(path, mode_t(mode))
            if getuid() == 0 {
                chown(path, 4242, 0)
                try expectRefusal(
                    "The \(kind) \(path) belongs to user 4242, not to you.",
                    next: "sudo chown 0 \(path)"
                )
                chown(path, 0, 0)
            }
            rename(path, path + ".away")
            symlink(path + ".away", path)
            try expectRefusal(
                "The \(kind) \(path) is a symbolic link, which mcid does not follow.",
                next: "ls -ld \(path), then put a real \(kind) there"
            )
            unlink(path)
            if isFolder {
                try Disk.write([], to: path)
            } else {
                try Disk.makeFolder(path)
            }
            try expectRefusal(
                isFolder ? "\(path) is not a folder." : "\(path) is not a regular file.",
                next: "ls -ld \(path), then put a real \(kind) there"
            )
            if isFolder { unlink(path) } else { rmdir(path) }
            rename(path + ".away", path)
        }
        #expect(try said().doctor["verdict"] as? String == "ok")
    }
}
