// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Testing

/// The verb `query`: what it prints, and with which exit code.
@Suite struct QueryCommandTests {
    let ring: SyntheticRing

    init() throws {
        ring = try SyntheticRing()
        try ring.put(minute: 0, app: "Editor", times: [0, 1000])
        try ring.put(minute: 1, app: "Mail, \"new\"\n\u{1B}[31m", times: [500])
    }

    private func query(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", ["query"] + arguments, environment: ring.folder.environment)
    }

    @Test func `a table is aligned, and what could command a terminal is left out`() throws {
        let result = try query("SELECT time, type, dx, app, 1.5 AS r, x'00ff' AS b FROM events")
        #expect(
            result.output == """
                time                      type    dx  app              r    b
                ------------------------  ------  --  ---------------  ---  ----
                2027-01-15T08:00:00.000Z  focus       Editor           1.5  00ff
                2027-01-15T08:00:00.000Z  motion   0  Editor           1.5  00ff
                2027-01-15T08:00:01.000Z  motion   0  Editor           1.5  00ff
                2027-01-15T08:01:00.000Z  focus       Mail, "new"[31m  1.5  00ff
                2027-01-15T08:01:00.500Z  motion   1  Mail, "new"[31m  1.5  00ff

                """
        )
        #expect(result.code == 0 && result.errors.isEmpty)
    }

    @Test func `csv and json say the same, exactly`() throws {
        let sql = "SELECT app, dx, NULL AS n, '' AS e, 1e999 AS i FROM events WHERE batch = 2"
        let csv = try query("--format", "csv", sql)
        #expect(
            csv.output == """
                app,dx,n,e,i
                "Mail, ""new""
                \u{1B}[31m",,,"",inf
                "Mail, ""new""
                \u{1B}[31m",1,,"",inf

                """
        )
        let json = try query("--json", sql)
        let app = #"{"app":"Mail, \"new\"\u000a\u001b[31m","dx":"#
        #expect(
            json.output == app + #"null,"n":null,"e":"","i":9e999}"# + "\n" + app
                + #"1,"n":null,"e":"","i":9e999}"# + "\n"
        )
        #expect(try query("--format", "json", sql).output == json.output)
    }

    @Test func `a query without rows prints the heading, and json nothing`() throws {
        let sql = "SELECT reason, batch FROM gaps"
        #expect(try query(sql).output == "reason  batch\n------  -----\n")
        #expect(try query("--format", "csv", sql).output == "reason,batch\n")
        #expect(try query("--json", sql).output == "")
    }

    @Test(
        arguments: [
            (
                ["SELEC 1"], "error: near \"SELEC\": syntax error.\n  Next: mcictl query --help\n",
                64
            ),
            (
                ["SELECT 1; SELECT 2"],
                "error: Only one statement is run at a time.\n  Next: mcictl query --help\n", 64
            ),
            (
                ["PRAGMA user_version"],
                "error: Only SELECT statements are allowed.\n  Next: mcictl query --help\n",
                64
            ),
            (
                ["SELECT colour FROM events"],
                "error: no such column: colour.\n  Next: mcictl query --help\n", 64
            ),
            (
                ["SELECT abs(-9223372036854775808)"],
                "error: integer overflow.\n  Next: mcictl query --help\n", 1
            ),
            (["--json", "--format", "csv", "SELECT 1"], nil, 64),
            (["--format", "xml", "SELECT 1"], nil, 64),
            ([], nil, 64),
        ] as [([String], String?, Int32)]
    )
    func `bad SQL is one sentence and the next command`(
        arguments: [String],
        message: String?,
        code: Int32
    ) throws {
        let result = try Program.run(
            "mcictl",
            ["query"] + arguments,
            environment: ring.folder.environment
        )
        #expect(result.code == code)
        #expect(result.output.isEmpty)
        #expect(!result.errors.isEmpty)
        if let message { #expect(result.errors == message) }
    }

    @Test func `rows stream, and a reader that goes away ends the query quietly`() throws {
        for format in ["table", "csv", "json"] {
            let endless = """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n
                """
            let result = try Program.run(
                "bash",
                [
                    "-c",
                    "set -o pipefail; \"$0\" query --format \"$1\" \"$2\" | head -n 2 > /dev/null",
                    try #require(Program.path("mcictl")), format, endless,
                ],
                environment: ring.folder.environment
            )
            // 141: ended by SIGPIPE, as the shell counts.
            #expect([0, 141].contains(result.code) && result.errors.isEmpty, "\(result.errors)")
        }
    }

    @Test func `what does not open is said on standard error`() throws {
        try ring.damage("UPDATE ring SET sealed = zeroblob(3973) WHERE seq = (1 << 40) + 2")
        let result = try query("--format", "csv", "SELECT count(*) AS n FROM events")
        #expect(result.output == "n\n3\n")
        #expect(result.errors == "warning: 1 batches are damaged and were left out.\n")
    }

    @Test func `without identity or ring the sentence says what to do`() throws {
        try FileManager.default.removeItem(atPath: ring.path)
        let none = try query("SELECT 1")
        #expect(none.code == 1)
        #expect(none.errors == "error: Nothing has been recorded yet.\n  Next: mcictl status\n")
        try FileManager.default.removeItem(atPath: ring.folder.paths.identity)
        let closed = try query("SELECT 1")
        #expect(closed.code == 1)
        #expect(closed.errors.contains("Next: mcictl consent"))
    }
}
