// SPDX-License-Identifier: Apache-2.0

import Foundation
import Query
import Testing

/// What a statement may not do.
@Suite struct ReadOnlyTests {
    @Test(
        arguments: [
            "INSERT INTO events(ms) VALUES(1)",
            "UPDATE events SET ms = 1",
            "DELETE FROM batches",
            "DELETE FROM batches RETURNING *",
            "CREATE TABLE t(x)",
            "CREATE TEMP TABLE t AS SELECT * FROM events",
            "CREATE TEMP VIEW v AS SELECT * FROM events",
            "CREATE VIRTUAL TABLE t USING events",
            "CREATE VIRTUAL TABLE t USING fts5(x)",
            "CREATE VIRTUAL TABLE temp.t USING dbstat",
            "CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END",
            "DROP TABLE events",
            "ALTER TABLE events RENAME TO e",
            "ATTACH '%/other.db' AS other",
            "ATTACH ':memory:' AS other",
            "DETACH main",
            "PRAGMA temp_store = FILE",
            "PRAGMA temp_store_directory = '%'",
            "PRAGMA journal_mode",
            "PRAGMA writable_schema = ON",
            "SELECT * FROM pragma_database_list",
            "SELECT * FROM pragma_table_info('events')",
            "VACUUM",
            "VACUUM INTO '%/copy.db'",
            "VACUUM main INTO (SELECT '%/copy.db')",
            "BEGIN",
            "BEGIN EXCLUSIVE",
            "SAVEPOINT a",
            "ANALYZE",
            "REINDEX",
            "EXPLAIN INSERT INTO events(ms) VALUES(1)",
            "SELECT load_extension('%/evil')",
            "SELECT Load_Extension('%/evil', 'x') FROM events",
            "SELECT fts3_tokenizer('simple')",
            "SELECT fts3_tokenizer('simple', x'4141414141414141')",
            "WITH x AS (SELECT load_extension('%/evil')) SELECT * FROM x",
            "INSERT INTO events SELECT * FROM events",
            "REPLACE INTO gaps VALUES(1)",
        ]
    )
    func `a statement that does more than read is refused`(sql: String) throws {
        let ring = try SyntheticRing()
        try ring.put(minute: 0)
        let before = ring.folder.files()
        let session = try QuerySession(ring.source())
        let error = #expect(throws: QueryError.self) {
            try session.rows(sql.replacingOccurrences(of: "%", with: ring.folder.path))
        }
        #expect(
            error?.code == .notReading || error?.code == .wrong,
            "\(sql)"
        )
        #expect(ring.folder.files() == before)
        #expect(try session.number("SELECT count(*) FROM events") == 4)
    }

    @Test(
        arguments: [
            ("SELECT 1; DROP TABLE events", QueryError.Code.notReading),
            ("SELECT 1; SELECT 2", .notOne),
            ("SELECT 1; ; /* a */ SELECT 2 --", .notOne),
            ("SELECT 1; nonsense", .wrong),
            ("", .notOne),
            (" ;; -- nothing", .notOne),
            ("SELEC 1", .wrong),
            ("SELECT colour FROM events", .wrong),
            ("SELECT * FROM sealed", .wrong),
            ("SELECT writefile('a', 'b')", .wrong),
            ("SELECT readfile('/etc/passwd')", .wrong),
            ("SELECT * INTO copy FROM events", .wrong),
            ("SELECT edit('x')", .wrong),
            ("SELECT * FROM events('x')", .wrong),
            (".shell true", .wrong),
            ("SELECT ?1, :name", .notOne),
            (String(repeating: "(", count: 5000) + "1", .wrong),
        ]
    )
    func `what is not one statement is refused before anything runs`(
        sql: String,
        code: QueryError.Code
    ) throws {
        let ring = try SyntheticRing()
        let source = ring.source()
        let session = try QuerySession(source)
        guard code != .notOne || !sql.contains("?") else {
            // Nothing is bound: parameters are NULL.
            #expect(try session.rows(sql) == [[.null, .null]])
            return
        }
        let error = #expect(throws: QueryError.self) { try session.rows(sql) }
        #expect(error?.code == code, "\(sql)")
        #expect(error?.description.isEmpty == false)
        #expect(source.openings == 0)
    }

    @Test(arguments: [
        "VALUES (1)", "SELECT 1;", "SELECT 1 ; -- and no more", "/* a */ SELECT 1",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT max(i) / 9 FROM n",
        "SELECT 1 FROM sqlite_schema UNION SELECT 1", "SELECT count(*) FROM batches",
    ])
    func `a statement that reads is run`(sql: String) throws {
        let ring = try SyntheticRing()
        try ring.put(minute: 0)
        #expect(try ring.rows(sql) == [[.integer(1)]])
    }

    @Test func `a plan is shown, and a row too large is an error and no crash`() throws {
        let ring = try SyntheticRing()
        try ring.put(minute: 0)
        let session = try QuerySession(ring.source())
        let plan = try session.rows("EXPLAIN QUERY PLAN SELECT * FROM events WHERE ms > 5")
        #expect(plan.count == 1)
        for sql in [
            "SELECT zeroblob(2000000000)", "SELECT randomblob(1 << 62)",
            "SELECT group_concat(hex(zeroblob(100000000))) FROM events",
            "SELECT abs(-9223372036854775808)",
        ] {
            let error = #expect(throws: QueryError.self) { try session.rows(sql) }
            #expect(error?.code == (sql.contains("abs") ? .failed : .tooLarge), "\(sql)")
        }
        #expect(try session.number("SELECT count(*) FROM events") == 4)
    }

    @Test func `what is sorted reaches no file`() throws {
        let ring = try SyntheticRing()
        try ring.put(minute: 0)
        // No file may grow by a byte; SIGXFSZ would end the process.
        let sort = """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
            SELECT sum(length(x)) AS n FROM
              (SELECT hex(randomblob(100)) AS x FROM n, events GROUP BY i ORDER BY x LIMIT 50000)
            """
        let result = try Program.run(
            "bash",
            [
                "-c", "ulimit -f 0; \"$0\" query \"$1\" | grep -q 10000000",
                try #require(Program.path("mcictl")), sort,
            ],
            environment: ring.folder.environment
        )
        #expect(result.code == 0, "\(result.errors)")
    }
}
