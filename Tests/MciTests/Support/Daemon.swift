// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import System
import Testing

/// A real mcid on a private desktop in a throw-away home.
final class Daemon {
    let folder: TemporaryFolder
    let desktop: Desktop
    private(set) var process = Process()
    var environment: [String: String]
    var options: [String] = []
    /// What mcid alone has in its environment, and mcictl not.
    var preloaded: [String: String] = [:]
    /// A program that mcid runs under, and its options.
    var wrapper: [String] = []

    /// Each key is stored by itself unless another detail is asked for: runs have tests of their own.
    ///
    /// A ``Hand`` types through XTEST, so its keys are recorded as a keyboard's unless a test is about that.
    init(
        _ desktop: Desktop,
        consents: Bool = true,
        detail: KeyDetail = .classes,
        syntheticKeys: Bool = true
    ) throws {
        folder = try TemporaryFolder()
        self.desktop = desktop
        environment = folder.environment
        environment["DISPLAY"] = desktop.display
        if syntheticKeys {
            try #require(try command("set", "synthetic-keys", "on", "--yes").code == 0)
        }
        guard consents else { return }
        try #require(try command("consent", "--accept").code == 0)
        try use(detail)
    }

    /// Has a key detail in force, for eight hours where it tells of text.
    func use(_ detail: KeyDetail) throws {
        var settings = try SettingsFile(folder.paths.settings).read()
        settings.choose(detail, at: WallTime(Int64(Date().timeIntervalSince1970 * 1000)))
        try SettingsFile(folder.paths.settings).write(settings)
    }

    /// Makes new rings small, so that tests are quick; before the first start.
    func useSmallRing() throws {
        var settings = try SettingsFile(folder.paths.settings).read()
        settings.ringSize = 4 << 20
        try SettingsFile(folder.paths.settings).write(settings)
    }

    /// Starts mcid and waits until it answers.
    func start() throws {
        process = Process()
        let tracer = wrapper.isEmpty ? try Program.tracer() : wrapper
        let words = try tracer + [#require(Program.path("mcid"))] + options
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = environment.merging(preloaded) { _, own in own }
        let log = "\(folder.path)/log"
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let handle = try #require(FileHandle(forWritingAtPath: log))
        handle.seekToEndOfFile()
        process.standardError = handle
        process.standardOutput = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let answers = eventually { (try? call(.getStatus)) != nil || !process.isRunning }
        try #require(answers && process.isRunning, "mcid did not start: \(log_)")
    }

    /// Starts it, gives a window the focus, and waits until its input is recorded.
    func record(_ hand: Hand, app: String = "Editor", isWide: Bool = false) throws {
        try start()
        try #require(eventually { status?.state == .recording })
        hand.openWindow(app: app, isWide: isWide)
        try settle(hand)
    }

    /// Types a function key until one is admitted, which shows that the focus is known.
    func settle(_ hand: Hand) throws {
        let before = status?.events.admitted ?? 0
        try #require(
            eventually {
                hand.type(["F12"])
                try barrier()
                return status?.events.admitted ?? 0 > before
            }
        )
        try settled()
    }

    /// Has mcid read and store all that the X server has sent it.
    ///
    /// When this returns, whatever was injected before was seen or never will be; a wait would prove
    /// nothing on a busy machine.
    func barrier() throws {
        // A ring that is being moved into another size is moved first.
        _ = try ControlClient(path: folder.paths.socket, timeout: 60).call(.flush)
    }

    /// Waits until everything injected so far was read, also what is read only after something else.
    func settled() throws {
        var last = -1
        try #require(
            eventually {
                try barrier()
                let seen = status?.events.seen ?? 0
                defer { last = seen }
                return seen == last
            }
        )
    }

    var log_: String {
        String(
            decoding: FileManager.default.contents(atPath: "\(folder.path)/log") ?? Data(),
            as: UTF8.self
        )
    }

    func call(_ call: ControlCall) throws -> ControlReply {
        try ControlClient(path: folder.paths.socket).call(call)
    }

    var status: Status? { try? call(.getStatus).status }

    /// Runs mcictl in the daemon's home.
    @discardableResult
    func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: environment)
    }

    /// Puts a policy in force that names a steward, whose key is then in the home, and accepts it.
    func appointSteward() throws {
        let home = folder.path
        let key = try command("steward", "keygen", "--out", "\(home)/steward.key")
        #expect(key.code == 0, "\(key.errors)")
        let policy = """
            {"schema": 1, "purpose": "p", "controller": "c", "contact": "x",
             "stewards": [{"name": "Works council", "key": "\(try #require(key.lines.first))"}]}
            """
        try Disk.write(Array(policy.utf8), to: "\(home)/etc/policy.json", mode: 0o644)
        environment["MCI_POLICY"] = "\(home)/etc/policy.json"
        #expect(try command("consent", "--accept").code == 0)
    }

    /// The exported events.
    func export() throws -> [[String: Any]] {
        let result = try command("export")
        try #require(result.code == 0, "\(result.errors)")
        return result.objects
    }

    /// SIGTERM and the exit code.
    @discardableResult
    func stop() -> Int32 {
        guard process.isRunning else { return process.terminationStatus }
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// SIGKILL.
    func kill() {
        process.end()
    }

    deinit { if process.isRunning { kill() } }
}
