// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Logging
import Recording
import Synchronization
import Testing

@Suite struct LogTests {
    @Test func `a storm of errors writes less than a megabyte a day, and what is urgent is heard`()
    {
        let clock = Mutex<Int64>(0)
        let shared = Shared(clock)
        let budget = LogBudget { shared.now }
        var (written, urgent, missing, told) = (0, 0, 0, 0)
        let day = 86_400
        for second in 0..<3 * day {
            shared.advance(1000)
            if second % day == 0 { written = 0 }
            for _ in 0..<5 {
                switch budget.spend(120, isUrgent: false) {
                case .leftOut: missing += 1
                case .written(let count):
                    written += 120 + (count > 0 ? 100 : 0)
                    told += count
                }
            }
            if second % 3600 == 0, case .written(let count) = budget.spend(120, isUrgent: true) {
                urgent += 1
                told += count
            }
            #expect(written < 1_000_000)
        }
        #expect(urgent == 72, "every one of them")
        #expect(missing > 100_000 && missing - told < 20_000, "what is left out is told")
    }

    private final class Shared: Sendable {
        private let clock: Mutex<Int64>
        init(_ clock: consuming Mutex<Int64>) { self.clock = clock }
        var now: Int64 { clock.withLock { $0 } }
        func advance(_ step: Int64) { clock.withLock { $0 += step } }
    }

    @Test func `the journal is given fields and a fixed number for each message`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/journal"
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let log = Logger(label: "test") { _ in
            JournalLogHandler(
                environment: ["JOURNAL_STREAM": "8:1"],
                socket: path,
                budget: LogBudget()
            )
        }
        log.error("X server lost", metadata: ["key-detail": "off\nMESSAGE=forged"])
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &buffer, buffer.count, 0)
        let lines = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.contains("PRIORITY=3") && lines.contains("SYSLOG_IDENTIFIER=mcid"))
        #expect(lines.contains("MESSAGE_ID=d38bf13616224facae6885f1a1d9bd3c"))
        #expect(lines.contains { $0.hasPrefix("MCI_KEY_DETAIL=off") })
        #expect(!lines.contains("MESSAGE=forged"), "a value cannot make a field of its own")
    }

    @Test func `every message of the log has a number of its own, and no other`() throws {
        let start = Program.root + "/Sources"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        var found: Set<String> = [LogBudget.sentence]
        let call = /(?:log\.(?:info|notice|warning|error|critical)|fail)\(\s*"([^"\\]+)"/
        for name in names
        where name.hasSuffix(".swift") && (name.hasPrefix("Recording/") || name.hasPrefix("mcid/"))
        {
            let text = try String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
            for match in text.matches(of: call) { found.insert(String(match.1)) }
        }
        #expect(found.count > 15)
        #expect(found.symmetricDifference(MessageID.all.keys).isEmpty)
        #expect(Set(MessageID.all.values).count == MessageID.all.count)
    }
}
