// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Settings
import Signing
import Storage
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

    @Test func `what is no regular file is neither waited for nor used`() throws {
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
}
