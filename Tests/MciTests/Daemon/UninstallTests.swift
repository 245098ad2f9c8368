// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import System
import Testing

/// What `make uninstall` does for the person who called it.
extension DaemonTests {
    @Test func `uninstalling stops the recorder first, and without a terminal nothing is deleted`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.record(hand)
        try daemon.settled()
        let script = "\(Program.root)/packaging/uninstall"
        let result = try Program.run("sh", [script], environment: daemon.environment)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("The recorder was stopped."))
        #expect(result.errors.contains("Kept: \(daemon.folder.paths.state)"))
        #expect(daemon.status == nil)
        #expect(try !daemon.export().isEmpty)
        // Nothing runs, and somebody else's process of that number is left alone.
        try Disk.write(Array("1\n".utf8), to: daemon.folder.paths.daemonLock)
        let again = try Program.run("sh", [script], environment: daemon.environment)
        #expect(again.code == 0 && !again.errors.contains("recorder"))
    }
}
