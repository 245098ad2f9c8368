// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Testing

/// Exports into files, by the real program over a ring made here.
@Suite struct ExportTests {
    private let ring: SyntheticRing
    private let environment: [String: String]

    init() throws {
        ring = try SyntheticRing()
        for minute in 0..<5 { try ring.put(minute: Int64(minute), app: "A \"b\", c\(minute)") }
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
            import sys, json, csv, pyarrow.parquet as pq
            base = sys.argv[1] + "/e."
            lines = [json.loads(l) for l in open(base + "jsonl")]
            rows = list(csv.DictReader(open(base + "csv", newline="")))
            table = pq.read_table(base + "parquet").to_pylist()
            assert len(lines) == len(rows) == len(table) > 15, (len(lines), len(rows), len(table))
            def text(v): return "" if v is None else v
            for l, r, t in zip(lines, rows, table):
                for k in ("type", "state", "class", "app", "reason", "stream"):
                    assert l.get(k, "") == r[k] == text(t[k]), (k, l, r, t)
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
        #expect(result.errors.contains("Next: python3 -m pip install pyarrow"))
        #expect(!ring.folder.names().contains { $0.hasPrefix("e.parquet") })
        #expect(try export("--format", "parquet").code == 64)
    }
}
