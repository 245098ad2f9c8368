// SPDX-License-Identifier: Apache-2.0

import Foundation
import System
import Testing

/// Exports into files, by the real program over a ring made here.
@Suite struct ExportTests {
    /// Names that a spreadsheet would compute, and some that look like their escapes.
    private static let formulas = [
        "=HYPERLINK(\"http://x\",\"y\")", "-2+3", "'quoted", "'=1", "x;=1", "a\n=1", "\t@SUM(A1)",
    ]
    private let ring: SyntheticRing
    private let environment: [String: String]

    init() throws {
        ring = try SyntheticRing()
        for minute in 0..<5 { try ring.put(minute: Int64(minute), app: "A \"b\", c\(minute)") }
        for (minute, app) in Self.formulas.enumerated() {
            try ring.put(minute: Int64(minute + 5), app: app)
        }
        try ring.putGap(from: 400_000, to: 500_000)
        var environment = ring.folder.environment
        environment["PYTHONPATH"] = Program.root + "/.build-python"
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        self.environment = environment
    }

    private func export(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", ["export"] + arguments, environment: environment)
    }

    /// What a Python program prints that reads the exported files.
    private func python(_ program: String) throws -> Program.Result {
        try Program.run("python3", ["-c", program, ring.folder.path], environment: environment)
    }

    @Test func `JSON Lines, CSV and Parquet hold the same events`() throws {
        let path = ring.folder.path
        for name in ["e.jsonl", "e.csv", "e.parquet"] {
            let result = try export("--out", "\(path)/\(name)")
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.isEmpty)
        }
        #expect(try export().output.utf8.elementsEqual(Data(contentsOf: url("e.jsonl"))))
        let result = try python(
            """
            import sys, json, csv, re, pyarrow.parquet as pq
            def undo(v): return re.sub(r"(^|[;\\t\\r\\n])'", r"\\1", v)
            assert undo("'=1") == "=1" and undo("''a;'=b") == "'a;=b"
            base = sys.argv[1] + "/e."
            lines = [json.loads(l) for l in open(base + "jsonl")]
            rows = list(csv.DictReader(open(base + "csv", newline="")))
            table = pq.read_table(base + "parquet").to_pylist()
            assert len(lines) == len(rows) == len(table) > 15, (len(lines), len(rows), len(table))
            def text(v): return "" if v is None else v
            for l, r, t in zip(lines, rows, table):
                for k in ("type", "state", "class", "app", "reason", "stream"):
                    assert l.get(k, "") == undo(r[k]) == text(t[k]), (k, l, r, t)
                assert not re.search(r"(^|[;\\t\\n])\\s*[=+@-]", r["app"]), r
                for k in ("dx", "dy", "device", "button"):
                    a = l.get(k)
                    assert (a is None) == (r[k] == "") == (t[k] is None), (k, l, r, t)
                    assert a is None or float(r[k]) == a == t[k], (k, l, r, t)
                assert l["time"] == r["time"]
                assert t["time"].isoformat(timespec="milliseconds") == l["time"].replace("Z", "+00:00")
            print("equal", len(lines))
            """
        )
        #expect(result.output.hasPrefix("equal"), "\(result.errors)")
    }

    private func url(_ name: String) -> URL { URL(fileURLWithPath: "\(ring.folder.path)/\(name)") }

    @Test func `a file appears whole or not at all, and what was there stays until then`() throws {
        let path = ring.folder.path
        try Data("before".utf8).write(to: url("e.csv"))
        // A disk that is full at once: /dev/full takes nothing.
        #expect(try export("--out", "/dev/full/e.csv").code == 1)
        let missing = try export("--out", "\(path)/none/e.csv")
        #expect(missing.code == 1 && missing.errors.contains("cannot be written"))
        #expect(try Data(contentsOf: url("e.csv")) == Data("before".utf8))
        #expect(try export("--out", "\(path)/e.csv").code == 0)
        #expect(try Data(contentsOf: url("e.csv")).count > 100)
        #expect(!ring.folder.names().contains { $0.hasSuffix(".part") })
        let mode = try FileManager.default.attributesOfItem(atPath: "\(path)/e.csv")[
            .posixPermissions
        ]
        #expect(mode as? Int == 0o600)
    }

    @Test(arguments: [false, true])
    func `an export takes away nothing but what it replaces`(hasNames: Bool) throws {
        var environment = environment
        if hasNames { environment["LD_PRELOAD"] = try Shim.noUnnamedFiles(in: ring.folder.path) }
        let home = ring.folder.path
        let own = Data("mine".utf8)
        let kept = [
            "e.csv.part", "e.csv.new", "e.parquet.part", "b.json.new", "linked.quality.json",
        ]
        for name in kept + ["real.csv"] {
            try own.write(to: url(name))
        }
        symlink("real.csv", "\(home)/linked.csv")
        mkfifo("\(home)/pipe.csv", 0o600)
        func names() -> Set<String> { Set(ring.folder.names().filter { !$0.contains("/") }) }
        let before = names()
        let made = ["e.csv", "e.parquet", "b.json", "e.quality.json"]
        for _ in 0..<2 {
            for name in ["e.csv", "e.parquet", "linked.csv"] {
                let words = ["export", "--out", "\(home)/\(name)"]
                let result = try Program.run("mcictl", words, environment: environment)
                #expect(result.code == 0, "\(result.errors)")
                #expect(try Data(contentsOf: url(name)).count > 100)
            }
            let bundle = ["doctor", "--bundle", "\(home)/b.json"]
            _ = try Program.run("mcictl", bundle, environment: environment)
            #expect(names() == before.union(made))
        }
        for name in kept {
            #expect(try Data(contentsOf: url(name)) == own)
        }
        #expect(
            try Data(contentsOf: url("real.csv")).count > 100,
            "the file, and not the link to it"
        )
        let manager = FileManager.default
        #expect(try manager.destinationOfSymbolicLink(atPath: "\(home)/linked.csv") == "real.csv")
        // What is no file is not replaced by one (a pipe is written into: OutputTests).
        let words = ["export", "--out", "\(home)/state"]
        let result = try Program.run("mcictl", words, environment: environment)
        #expect(result.code == 1 && result.errors.contains("cannot be written"))
        #expect(names() == before.union(made))
    }

    @Test(arguments: [false, true], [SIGINT, SIGTERM, SIGHUP])
    func `an export that a signal ends leaves no file behind`(hasNames: Bool, signal: Int32) throws
    {
        let home = ring.folder.path
        // A Python that takes everything and never ends.
        let python = "\(home)/bin/python3"
        try Disk.write(Array("#!/bin/sh\ncat\nexec sleep 60\n".utf8), to: python, mode: 0o700)
        var environment = environment
        environment["PATH"] = "\(home)/bin:/usr/bin:/bin"
        if hasNames { environment["LD_PRELOAD"] = try Shim.noUnnamedFiles(in: ring.folder.path) }
        try Data("before".utf8).write(to: url("e.parquet"))
        let before = Set(ring.folder.names())
        let process = Process()
        let mcictl = try #require(Program.path("mcictl"))
        let words = Program.unblocking + [mcictl, "export", "--out", "\(home)/e.parquet"]
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = environment
        process.standardError = FileHandle.nullDevice
        try process.run()
        let facts = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
        // Where the draft has a name another child waits to remove it.
        func children() -> [Int32] {
            let text = (try? String(contentsOfFile: facts, encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
        try #require(eventually { children().count == (hasNames ? 2 : 1) })
        let bridge = try #require(children().last)
        let drafts = Set(ring.folder.names()).subtracting(before)
        #expect(drafts.count == (hasNames ? 1 : 0), "\(drafts)")
        #expect(kill(process.processIdentifier, signal) == 0)
        // What is inherited by the bridge would keep this waiting.
        kill(bridge, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == signal)
        #expect(Set(ring.folder.names()) == before)
        #expect(try Data(contentsOf: url("e.parquet")) == Data("before".utf8))
    }

    @Test func `an export beyond a limit on the size of files says so and leaves nothing`() throws {
        let mcictl = try #require(Program.path("mcictl"))
        let words = Program.unblocking + ["/usr/bin/prlimit", "--fsize=1000", mcictl]
        let result = try Program.run(
            words[0],
            words.dropFirst() + ["export", "--out", "\(ring.folder.path)/e.csv"],
            environment: environment
        )
        #expect(result.code == 1 && result.errors.contains("File too large"), "\(result.errors)")
        #expect(!ring.folder.names().contains { $0.hasPrefix("e.csv") || $0.hasPrefix(".mci") })
    }

    @Test func `without pyarrow Parquet says what is missing and leaves nothing`() throws {
        var poor = environment
        poor["PYTHONPATH"] = "/nonexistent"
        poor["PYTHONNOUSERSITE"] = "1"
        poor["PATH"] = "/usr/bin:/bin"
        let result = try Program.run(
            "mcictl",
            ["export", "--out", "\(ring.folder.path)/e.parquet"],
            environment: poor
        )
        #expect(result.code == 1)
        #expect(
            result.errors == """
                error: Parquet needs Python's pyarrow, which is not installed. Nothing was left behind.
                  Next: python3 -m pip install pyarrow, or --format csv

                """
        )
        #expect(!ring.folder.names().contains { $0.hasPrefix("e.parquet") })
        #expect(try export("--format", "parquet").code == 64)
    }
}
