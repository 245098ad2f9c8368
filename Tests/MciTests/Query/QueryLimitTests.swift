// SPDX-License-Identifier: Apache-2.0

import Foundation
import Query
import Testing

/// What a query may take, and where its text may come from.
@Suite struct QueryLimitTests {
    let ring: SyntheticRing

    init() throws {
        ring = try SyntheticRing()
        try ring.put(minute: 0)
    }

    private func query(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.run(
            "mcictl",
            ["query"] + arguments,
            environment: ring.folder.environment,
            input: input
        )
    }

    private static let endless = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        """

    @Test(arguments: [
        "SELECT printf('%.*c', 2000000000, 'x')", "SELECT printf('%.*c', 100000000, 'x')",
        "SELECT length(hex(zeroblob(100000000)))",
        "SELECT replace(hex(zeroblob(9000)), '0', hex(zeroblob(9000)))",
        "SELECT group_concat(i) FROM (\(endless) SELECT i FROM n LIMIT 1500000)",
        "SELECT count(*) FROM (\(endless) SELECT DISTINCT i FROM n)",
    ])
    func `a query that needs much memory ends with a sentence`(sql: String) throws {
        let result = try query("--memory", "8M", sql)
        #expect(result.code == 1 && result.output.isEmpty)
        #expect(
            result.errors == """
                error: The query needs more than 8 MiB of memory and was stopped.
                  Next: the same command with --memory 32M

                """
        )
    }

    @Test(arguments: ["SELECT max(i) FROM n", "SELECT i FROM n WHERE i < 0"])
    func `a query that takes long ends with a sentence`(sql: String) throws {
        let result = try query("--time", "1s", "\(Self.endless) \(sql)")
        #expect(result.code == 1 && result.output.isEmpty)
        #expect(
            result.errors == """
                error: The query took longer than 1 s and was stopped.
                  Next: the same command with --time 10s

                """
        )
    }

    @Test func `a reading of the ring ends when the time is over`() throws {
        for minute in 1..<20 { try ring.put(minute: Int64(minute)) }
        var looks = 0
        let source = ring.source()
        let limits = QueryLimits {
            looks += 1
            return looks > 5
        }
        let session = try QuerySession(source, limits: limits)
        let error = #expect(throws: QueryError.self) { try session.rows("SELECT * FROM gaps") }
        #expect(error?.code == .tooLong && source.openings < 10)
    }

    @Test func `the bounds can be raised`() throws {
        let sql = "SELECT length(printf('%.*c', 200000000, 'x'))"
        #expect(try query(sql).code == 1)
        #expect(
            try query("--memory", "1G", "--format", "csv", sql).output.hasSuffix("\n200000000\n")
        )
        #expect(try query("--time", "1 hour", "SELECT 1").code == 0)
        for wrong in [["--memory", "5"], ["--memory", "1K"], ["--time", "5"]] {
            let result = try query(wrong[0], wrong[1], "SELECT 1")
            #expect(result.code == 64 && result.output.isEmpty && !result.errors.isEmpty)
        }
    }

    @Test func `wide rows of a table are not kept back`() throws {
        let sql = "\(Self.endless) SELECT printf('%.*c', 100000, 'x') AS x FROM n LIMIT 200"
        let result = try Program.run(
            "bash",
            [
                "-c", "ulimit -v 600000; \"$0\" query \"$1\" | wc -l",
                try #require(Program.path("mcictl")), sql,
            ],
            environment: ring.folder.environment
        )
        #expect(result.output == "202\n", "\(result.errors)")
    }

    @Test func `the statement comes from standard input or a file`() throws {
        let sql = "SELECT count(*) AS n\nFROM events; -- all of them\n"
        let file = "\(ring.folder.path)/report.sql"
        try sql.write(toFile: file, atomically: true, encoding: .utf8)
        let expected = "n\n4\n"
        #expect(try query("--format", "csv", "-", input: sql).output == expected)
        #expect(try query("--format", "csv", "--file", "-", input: sql).output == expected)
        #expect(try query("--format", "csv", "--file", file).output == expected)
        for wrong in [["--file", file, "SELECT 1"], ["--file", "-", "-"], []] {
            let result = try Program.run(
                "mcictl",
                ["query"] + wrong,
                environment: ring.folder.environment
            )
            #expect(result.code == 64 && result.output.isEmpty)
        }
        for missing in ["\(file).not", ring.folder.path] {
            let result = try query("--file", missing)
            #expect(result.code == 1 && result.output.isEmpty)
            #expect(result.errors.hasPrefix("error: The file \(missing) cannot be read ("))
        }
        #expect(try query("-", input: "").code == 64)
    }
}
