// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import Recording
import Storage
import System
import Testing

/// What was found wrong and is known.
@Suite struct AcknowledgeTests {
    private let session: ScriptedSession

    init() throws {
        session = try ScriptedSession()
        for text in ["ab", "cd", "ef"] {
            session.focus("Editor")
            session.type(text)
            session.pass(65_000)
        }
        // So that all is in the file itself.
        _ = try session.recorder.handle(.forget(.init(batches: [99])))
        session.recorder.stop()
    }

    private var folder: TemporaryFolder { session.folder }

    private func verify(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", ["verify"] + arguments, environment: folder.environment)
    }

    /// Changes the end that the row of a batch claims.
    private func damage(_ sequence: Int64) throws {
        let ring = folder.paths.ring
        let data = try Data(contentsOf: URL(fileURLWithPath: ring))
        let page = try #require(
            (0..<data.count / 4096).first {
                RingPage(Array(data[$0 * 4096..<($0 + 1) * 4096]))?.sequence == sequence
            }
        )
        try DiskFile(ring).write([data[page * 4096 + 55] ^ 1], at: page * 4096 + 55)
    }

    @Test func `what was found is acknowledged after asking, and never called whole again`() throws
    {
        #expect(try verify().code == 0)
        #expect(try verify("--acknowledge").errors.contains("nothing new"))
        try damage(2)
        let found = try verify()
        #expect(found.code == 1 && found.output.contains("mcictl verify --acknowledge"))
        // Without a terminal nobody can be asked.
        #expect(try verify("--acknowledge").code != 0)
        #expect(try verify().code == 1)
        let known = try verify("--acknowledge", "--yes")
        #expect(known.code == 0 && known.output.contains("acknowledged on"))
        let again = try verify()
        #expect(again.code == 0 && again.output.contains("acknowledged on"))
        #expect(!again.output.contains("● whole"))
        let json = try verify("--json").output
        #expect(json.contains("\"whole\":false") && json.contains("\"acknowledged\":true"))
        // What comes later is new.
        try damage(1)
        #expect(try verify().code == 1)
    }

    @Test func `nobody else can close a finding`() throws {
        try damage(2)
        #expect(try verify("--acknowledge", "--yes").code == 0)
        let path = folder.paths.acknowledgements
        let line = try Disk.read(path)
        for index in stride(from: 0, to: line.count - 1, by: 5) {
            var changed = line
            changed[index] ^= 1
            try Disk.write(changed, to: path)
            #expect(try verify().code == 1, "byte \(index)")
        }
        try Disk.write(line, to: path)
        #expect(try verify().code == 0)
    }
}
