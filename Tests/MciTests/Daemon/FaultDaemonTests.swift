// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The proofs of `Tests/Proofs`, a sample of each; `make proof` runs them whole.
extension DaemonTests {
    private func proof(_ name: String, _ arguments: String...) throws -> Program.Result {
        try Program.run(
            "python3",
            ["\(Program.root)/Tests/Proofs/\(name).py", Program.products] + arguments,
            environment: ProcessInfo.processInfo.environment
        )
    }

    @Test func `whatever call on a file fails, every promise holds after the next start`()
        throws
    {
        let result = try proof("faults", "--every", isProof ? "20" : "120")
        print(result.lines.suffix(4).joined(separator: "\n"))
        #expect(result.code == 0, "\(result.output.suffix(2000))\(result.errors.suffix(1000))")
    }

    @Test func `a power cut costs nothing that was answered, and brings nothing back`()
        throws
    {
        let result = try proof("powercut", "--cuts", isProof ? "200" : "24")
        print(result.lines.suffix(4).joined(separator: "\n"))
        #expect(result.code == 0, "\(result.output.suffix(2000))\(result.errors.suffix(1000))")
    }
}
