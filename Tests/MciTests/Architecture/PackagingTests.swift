// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the package tells of itself.
@Suite struct PackagingTests {
    @Test func `the package carries the notices of everything that is linked in`() throws {
        let checkouts = "\(Program.root)/.build/checkouts"
        let script = "\(Program.root)/packaging/notices.py"
        let result = try Program.run("python3", [script, checkouts])
        #expect(result.code == 0, "\(result.errors)")
        for package in try FileManager.default.contentsOfDirectory(atPath: checkouts) {
            #expect(result.lines.contains(package), "\(package)")
        }
        for owner in [
            "Runtime Library Exception", "The SwiftCrypto Project", "The BoringSSL Authors",
            "The OpenSSL Project Authors", "The SwiftLog Project", "Brian Gladman", "fiat-crypto",
        ] {
            #expect(result.output.contains(owner), "\(owner)")
        }
        // A licence that nobody has read yet ends it.
        let folder = try TemporaryFolder()
        try Data("All rights reserved.".utf8)
            .write(to: URL(fileURLWithPath: "\(folder.path)/LICENSE.txt"))
        let unknown = try Program.run(
            "python3",
            [script, checkouts, "\(folder.path)/LICENSE.txt"]
        )
        #expect(unknown.code == 1)
    }

    @Test func `the manual names exit codes, variables and files`() throws {
        let help = try Program.run("mcictl", ["--experimental-dump-help"])
        let page = try Program.run(
            "python3",
            ["\(Program.root)/packaging/manual.py"],
            input: help.output
        )
        #expect(page.code == 0, "\(page.errors)")
        for heading in ["EXIT STATUS", "ENVIRONMENT", "FILES", "VERBS", "SEE ALSO"] {
            #expect(page.lines.contains(".SH \(heading)"))
        }
        // Every code with which the command can end stands there.
        for code in ["0", "1", "3", "4", "64", "69", "77"] {
            #expect(page.output.contains(".TP\n.B \(code)\n"), "\(code)")
        }
    }
}
