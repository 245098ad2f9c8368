// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs programs for the tests.
enum Program {
    /// How a program ended and what it said.
    struct Result {
        var code: Int32
        var output: String
        var errors: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }

        var firstLine: String { lines.first ?? "" }

        /// The output's JSON object.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]) ?? [:]
        }

        /// The JSON objects of the output's lines.
        var objects: [[String: Any]] {
            lines.compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
    }

    /// The folder of the built products, beside the test bundle.
    static let products: String = {
        let bundle = CommandLine.arguments[0]
        var url = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        for _ in 0..<4 {
            if FileManager.default.isExecutableFile(atPath: url.appendingPathComponent("mcid").path)
            {
                return url.path
            }
            url.deleteLastPathComponent()
        }
        return FileManager.default.currentDirectoryPath + "/.build/debug"
    }()

    /// The project's folder.
    static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url.path
    }()

    /// Whether every mcid of the tests leaves a trace of its system calls: `make trace`.
    static let isTraced = ProcessInfo.processInfo.environment["MCI_TRACE"] != nil

    /// What stands before mcid on a command line: strace, where `MCI_TRACE` names a folder for traces.
    static func tracer() throws -> [String] {
        guard let traces = ProcessInfo.processInfo.environment["MCI_TRACE"] else { return [] }
        guard let strace = path("strace") else { throw CocoaError(.fileNoSuchFile) }
        // Detached, so that the process that is started and killed is mcid itself.
        let file = "\(traces)/\(UInt32.random(in: 0...(.max)))"
        return [strace, "-D", "-f", "-y", "-qq", "-o", file]
    }

    /// What stands before a program that is to have no signal blocked or ignored: a thread of the tests
    /// has some, and children keep that.
    static let unblocking = [
        "/usr/bin/python3", "-c",
        """
        import os, signal, sys
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.execv(sys.argv[1], sys.argv[1:])
        """,
    ]

    static func path(_ name: String) -> String? {
        if name.contains("/") { return name }
        if ["mcid", "mcictl", "mci-companion", "mci-holder", "mci-read"].contains(name) {
            return "\(products)/\(name)"
        }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The library that shifts all clocks of a program by the seconds in a file, made in a folder.
    static func clockShift(in folder: String) throws -> String {
        let (source, library) = (root + "/Tests/Proofs/clock.c", folder + "/clock.so")
        let made = try run("cc", ["-shared", "-fPIC", "-o", library, source])
        guard made.code == 0 else { throw CocoaError(.executableLoad) }
        return library
    }

    /// The library that sets the wall clock of a program; `DONT_FAKE_MONOTONIC=1` must stand beside it.
    static func faketime() throws -> String {
        let library = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
            .map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
            .first { FileManager.default.fileExists(atPath: $0) }
        guard let library else { throw CocoaError(.fileNoSuchFile) }
        return library
    }

    /// Runs a program to its end.
    @discardableResult
    static func run(
        _ name: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        input: String? = nil
    ) throws -> Result {
        let process = Process()
        guard let path = path(name) else { throw CocoaError(.fileNoSuchFile) }
        let words = (name == "mcid" ? try tracer() : []) + [path] + arguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        if let environment { process.environment = environment }
        // Files instead of pipes, for children of the program may keep a pipe open.
        let folder = try TemporaryFolder()
        let (out, err) = ("\(folder.path)/out", "\(folder.path)/err")
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        if let input {
            _ = FileManager.default.createFile(
                atPath: "\(folder.path)/in",
                contents: Data(input.utf8)
            )
            process.standardInput = FileHandle(forReadingAtPath: "\(folder.path)/in")
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        process.waitUntilExit()
        func text(_ file: String) -> String {
            String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        }
        return Result(code: process.terminationStatus, output: text(out), errors: text(err))
    }

    /// Runs a Python script in a folder, with the packages that `make test` installs.
    static func python(_ script: String, in folder: String) throws -> Result {
        var environment = ProcessInfo.processInfo.environment
        environment["PYTHONPATH"] = root + "/.build-python"
        return try run(
            "python3",
            ["-c", "import os; os.chdir('\(folder)')\n" + script],
            environment: environment
        )
    }
}

extension Process {
    /// Kills the process; SIGTERM would not do, for a child inherits the blocked signals of its thread.
    func end() {
        if isRunning { kill(processIdentifier, SIGKILL) }
        waitUntilExit()
    }
}

/// Waits until a condition holds; false when it did not within the time.
///
/// For things other processes do: the time is a limit and not a wait.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
        if try condition() { return true }
        usleep(5000)
    }
    return try condition()
}
