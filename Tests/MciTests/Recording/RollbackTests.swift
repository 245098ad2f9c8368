// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import InMemoryLogging
import Logging
import Person
import Recording
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// Files put back from an older copy, or removed, in every combination, while mcid runs and while it
/// does not: named, nothing lifted, and nothing lost beyond what the copy lacks.
@Suite struct RollbackTests {
    private enum File: String, CaseIterable {
        case ring = "ring.db"
        case log = "ring.db-wal"
        case head = "ring.db.head"
        case controls = "controls.json"
        case accounts = "accounts.json"
    }

    /// The files of a recorder's state, by name.
    private typealias Copy = [String: Data]

    private static func copy(_ session: ScriptedSession) -> Copy {
        let state = session.folder.paths.state
        var copy: Copy = [:]
        for name in session.folder.names(below: "state/mci") where !name.hasSuffix("-shm") {
            copy[name] = FileManager.default.contents(atPath: "\(state)/\(name)")
        }
        copy["config"] = FileManager.default.contents(
            atPath: session.folder.paths.highWater.inConfig
        )
        return copy
    }

    private static func restore(_ copy: Copy, _ folder: TemporaryFolder) throws {
        let state = folder.paths.state
        for name in folder.names(below: "state/mci") where !name.hasSuffix(".lock") {
            Disk.remove("\(state)/\(name)")
        }
        for (name, data) in copy {
            let path = name == "config" ? folder.paths.highWater.inConfig : "\(state)/\(name)"
            try data.write(to: URL(fileURLWithPath: path))
            Disk.makeReadable(path)
        }
    }

    /// Replaces files by their older copies, or removes them; whether that changed anything.
    private static func apply(
        _ files: [File],
        from old: Copy?,
        _ folder: TemporaryFolder
    ) throws -> Bool {
        var isChanged = false
        for file in files {
            let path = "\(folder.paths.state)/\(file.rawValue)"
            let now = FileManager.default.contents(atPath: path)
            let new = old?[file.rawValue]
            if (now ?? Data()) != (new ?? Data()) { isChanged = true }
            Disk.remove(path)
            if let new {
                try new.write(to: URL(fileURLWithPath: path))
                Disk.makeReadable(path)
            }
        }
        // The index is made again from the log.
        if files.contains(.ring) || files.contains(.log) {
            Disk.remove("\(folder.paths.ring)-shm")
        }
        return isChanged
    }

    private static func work(_ session: ScriptedSession, _ text: String) {
        session.focus("Editor")
        session.type(text)
        session.pass(65_000)
    }

    /// A recorder with some batches and counts, its files at a first moment, and then a batch more, one
    /// forgotten, and an exemption.
    private static func life() throws -> (session: ScriptedSession, old: Copy) {
        let first = try ScriptedSession()
        try first.folder.paths.highWater.make(
            try #require(DeviceKeyFile.read(first.folder.paths.deviceKey))
        )
        work(first, "ab")
        first.recorder.stop()
        let session = try ScriptedSession(after: first)
        for text in ["cd", "ef"] { work(session, text) }
        _ = try session.recorder.handle(.getStatus)
        let old = copy(session)
        work(session, "gh")
        _ = try session.recorder.handle(.forget(.init(batches: [2])))
        _ = try session.recorder.handle(.exempt(.init(scope: Scope(app: "Signal"))))
        work(session, "ij")
        return (session, old)
    }

    private static func letters(_ session: ScriptedSession) throws -> Int {
        try session.words().count { $0 == "letter down" }
    }

    private func check(
        _ next: ScriptedSession,
        _ what: String,
        log: [String] = [],
        kept: Int
    ) throws {
        let folder = next.folder
        let status = next.recorder.status
        var names = (status.notices ?? []) + log
        if status.state == .closed { names.append(status.reason ?? "") }
        let text = try String(contentsOfFile: folder.paths.identity, encoding: .utf8)
        let key = try #require(DeviceKeyFile.read(folder.paths.deviceKey)).verifier
        let verifier = try? Verifier(
            folder.paths.ring,
            Identity.list(text) ?? [],
            key,
            folder.paths.highWater
        )
        let isWhole = (try? verifier?.verify())?.isWhole == true
        #expect(!isWhole || !names.isEmpty, "\(what): unnamed")
        // The exemption was asked for after the copy: it holds, or nothing is recorded.
        let holds = status.exemptions == 1 || status.state != .recording
        #expect(holds, "\(what): an exemption was lifted")
        do {
            #expect(try Self.letters(next) >= kept, "\(what): lost")
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    @Test(arguments: [false, true])
    func `files put back or removed in any combination are named, and nothing is lifted`(
        isRunning: Bool
    ) throws {
        let (session, old) = try Self.life()
        let folder = session.folder
        if !isRunning { session.recorder.stop() }
        let now = Self.copy(session)
        let all = (1..<32).map { bits in
            File.allCases.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
        }
        let combinations = isProof ? all : all.filter { $0.count == 1 || $0.count == 5 }
        var done = 0
        for files in combinations {
            for copy in [old, nil] {
                let what = "\(copy == nil ? "removed" : "put back") \(files.map(\.rawValue))"
                if !isRunning {
                    try Self.restore(now, folder)
                    guard try Self.apply(files, from: copy, folder) else { continue }
                    let readable = (try? Self.letters(session)) ?? 0
                    let next = try ScriptedSession(in: folder, at: session.now)
                    next.pass(3000)
                    try check(next, what, kept: readable)
                    next.recorder.stop()
                } else {
                    let (running, old) = try Self.life()
                    guard try Self.apply(files, from: copy == nil ? nil : old, running.folder)
                    else {
                        continue
                    }
                    Self.work(running, "kl")
                    // As every verb that reads does.
                    _ = try running.recorder.handle(.flush)
                    running.recorder.stop()
                    let next = try ScriptedSession(after: running)
                    next.pass(3000)
                    // What mends itself while it runs is named in the log.
                    let log = running.log.entries.filter { $0.level >= .warning }
                    try check(next, what, log: log.map { "\($0.message)" }, kept: 0)
                    next.recorder.stop()
                }
                done += 1
            }
        }
        print("rollback, \(isRunning ? "running" : "stopped"): \(done) combinations")
    }
}
