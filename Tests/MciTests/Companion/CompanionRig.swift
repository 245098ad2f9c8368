// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import Testing

/// The buses of a desktop, with logind, lockers, a panel and notifications: `desk.py`.
final class Desk {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()
    /// The addresses of the session's and the system's bus.
    private(set) var addresses: [String] = []

    init() throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [Program.root + "/Tests/MciTests/Companion/desk.py"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        addresses = try #require(try ask("addresses") as? [String])
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Gives a command and returns its answer.
    @discardableResult func ask(_ command: String, _ arguments: Any...) throws -> Any {
        let line = try JSONSerialization.data(withJSONObject: [command] + arguments)
        try input.fileHandleForWriting.write(contentsOf: line + Data("\n".utf8))
        while !unread.contains(10) {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the desk ended")
            unread += more
        }
        let answer = unread.prefix { $0 != 10 }
        unread = Data(unread.dropFirst(answer.count + 1))
        let value = try JSONSerialization.jsonObject(with: answer, options: .fragmentsAllowed)
        if let object = value as? [String: Any], let error = object["error"] {
            Issue.record("\(command): \(error)")
        }
        return value
    }
}

/// A companion of a daemon, on the buses of a desk.
final class CompanionRig {
    let desk: Desk
    let process: Process

    init(_ desk: Desk, for folder: TemporaryFolder) throws {
        self.desk = desk
        process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("mci-companion")))
        process.environment = folder.environment.merging([
            "DBUS_SESSION_BUS_ADDRESS": desk.addresses[0],
            "DBUS_SYSTEM_BUS_ADDRESS": desk.addresses[1],
            "XDG_SESSION_ID": "c1",
        ]) { _, own in own }
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    var id: Int32 { process.processIdentifier }

    /// The name of its icon.
    var item: String { "org.kde.StatusNotifierItem-\(id)-1" }

    func kill() {
        Foundation.kill(id, SIGKILL)
        process.waitUntilExit()
    }

    deinit { if process.isRunning { kill() } }

    /// How often it has waited so far.
    var waits: Int {
        let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
        return line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0
    }

    /// The descriptors that it has open.
    var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) ?? 0
    }
}
