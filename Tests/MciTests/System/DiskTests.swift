// SPDX-License-Identifier: Apache-2.0

import System
import Testing

@Suite struct DiskTests {
    @Test(
        arguments: [
            ("/a/b/c", "/a/b", "/a/b"), ("/a/b", "/a", "/a"), ("a/b", "a", "a"),
            ("/ring.db", "/", nil), ("ring.db", ".", nil), ("/", "/", nil), (".", ".", nil),
            ("", ".", nil),
        ] as [(String, String, String?)]
    )
    func `the root and the current folder belong to no single file`(
        path: String,
        folder: String,
        own: String?
    ) {
        #expect(Disk.folder(of: path) == folder)
        #expect(Disk.ownFolder(of: path) == own)
    }

    @Test func `a folder is made below the current one, and the root needs no making`() throws {
        try Disk.makeFolder("/")
        try Disk.makeFolder(".")
        let folder = try TemporaryFolder()
        try Disk.makeFolder("\(folder.path)/a/b/c")
        #expect(Disk.exists("\(folder.path)/a/b/c"))
    }
}
