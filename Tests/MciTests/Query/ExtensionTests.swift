// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import Testing

/// The loadable extension in the programs of others.
@Suite struct ExtensionTests {
    private static let library = "\(Program.products)/libmci-sqlite.so"
    private static let python = "/usr/bin/python3"
    private static let packages = "\(Program.root)/.build-python"
    private static var hasDatasette: Bool {
        FileManager.default.fileExists(atPath: "\(packages)/datasette")
    }

    let ring: SyntheticRing

    init() throws {
        ring = try SyntheticRing()
        for minute in Int64(0)..<20 { try ring.put(minute: minute) }
    }

    /// The environment in which the person hands over the key.
    private var environment: [String: String] {
        var environment = ring.folder.environment
        environment["MCI_IDENTITY"] = ring.folder.paths.identity
        environment["MCI_RING"] = ring.path
        environment["PYTHONPATH"] = Self.packages
        return environment
    }

    /// What the sqlite3 program says to commands.
    private func shell(
        _ commands: String,
        database: String = ":memory:",
        environment: [String: String]? = nil
    ) throws -> Program.Result {
        try Program.run(
            "/usr/bin/sqlite3",
            ["-batch", database],
            environment: environment ?? self.environment,
            input: ".load \(Self.library)\n\(commands)\n"
        )
    }

    @Test func `the sqlite3 program reads the recording`() throws {
        let result = try shell(
            """
            SELECT count(*), min(time), max(app) FROM events;
            SELECT count(*) FROM events WHERE ms BETWEEN 1800000060000 AND 1800000119999;
            SELECT DISTINCT state FROM batches;
            CREATE TABLE copy AS SELECT time, type FROM events; SELECT count(*) FROM copy;
            PRAGMA temp_store;
            """
        )
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(
            result.lines == ["80|2027-01-15T08:00:00.000Z|Editor", "4", "whole", "80", "2"]
        )
        // The tables themselves cannot be written, here as elsewhere.
        let write = try shell("DELETE FROM events;\nCREATE VIRTUAL TABLE t USING events;")
        #expect(write.errors.contains("may not be modified"), "\(write.errors)")
        #expect(write.errors.contains("no such module: events"), "\(write.errors)")
    }

    @Test func `the default ring is the person's`() throws {
        var environment = environment
        environment["MCI_RING"] = nil
        #expect(try shell("SELECT count(*) FROM events;", environment: environment).lines == ["80"])
        environment["XDG_STATE_HOME"] = "/nonexistent"
        let missing = try shell("SELECT count(*) FROM events;", environment: environment)
        #expect(missing.errors.contains("The ring cannot be opened."), "\(missing.errors)")
    }

    @Test func `without a named identity the extension does not load`() throws {
        var environment = environment
        environment["MCI_IDENTITY"] = nil
        let none = try shell("SELECT count(*) FROM events;", environment: environment)
        #expect(none.errors.contains(": Set MCI_IDENTITY to the path of your identity file"))
        #expect(none.errors.contains("no such table: events"))
        environment["MCI_IDENTITY"] = "/nonexistent"
        let missing = try shell("", environment: environment)
        #expect(missing.errors.contains("The identity file /nonexistent cannot be read"))
        environment["MCI_IDENTITY"] = ring.path
        #expect(try shell("", environment: environment).errors.contains("identity"))
    }

    @Test func `a stranger's database cannot read the recording through its views`() throws {
        let database = "\(ring.folder.path)/stranger.db"
        let views = """
            CREATE TABLE news(x); INSERT INTO news VALUES(1);
            CREATE VIEW trap AS SELECT * FROM events;
            CREATE TEMP VIEW own AS SELECT * FROM events; SELECT count(*) FROM own;
            """
        #expect(try shell(views, database: database).lines == ["80"])
        let result = try shell("SELECT * FROM trap;", database: database)
        #expect(result.output.isEmpty)
        #expect(
            result.errors.contains("unsafe use of virtual table \"events\""),
            "\(result.errors)"
        )
    }

    @Test func `a program with a SQLite of its own is refused`() throws {
        let archive = try #require(
            ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
                .map { "\($0)/libsqlite3.a" }
                .first { FileManager.default.fileExists(atPath: $0) }
        )
        let program = "\(ring.folder.path)/host"
        let source = """
            #include <sqlite3.h>
            #include <stdio.h>
            int main(int count, char **words) {
                sqlite3 *database;
                char *error = 0;
                sqlite3_open(":memory:", &database);
                sqlite3_enable_load_extension(database, 1);
                int code = sqlite3_load_extension(database, words[1], 0, &error);
                printf("%d %s\\n", code, error ? error : "");
                return 0;
            }
            """
        let build = try Program.run(
            "clang",
            [
                "-x", "c", "-", "-x", "none", "-o", program, archive, "-lm", "-ldl", "-lpthread",
                "-lz",
            ],
            environment: ProcessInfo.processInfo.environment,
            input: source
        )
        try #require(build.code == 0, "\(build.errors)")
        let result = try Program.run(program, [Self.library], environment: environment)
        #expect(result.output.hasPrefix("1 "), "\(result.output)")
        #expect(result.output.contains("This program has a SQLite of its own"))
    }

    @Test(.enabled(if: Program.path(python) != nil, "there is no system Python"))
    func `Python's sqlite3 reads the recording, on many connections`() throws {
        let script = """
            import sqlite3, sys, threading
            def connect():
                connection = sqlite3.connect(":memory:")
                connection.enable_load_extension(True)
                connection.load_extension(sys.argv[1])
                return connection
            for _ in range(20):
                connection = connect()
                count = connection.execute("SELECT count(*) FROM events").fetchone()[0]
                assert count == 80, count
                connection.close()
            def work():
                connection = connect()
                for minute in range(20):
                    start = 1800000000000 + minute * 60000
                    rows = connection.execute(
                        "SELECT type, dx FROM events WHERE ms BETWEEN ? AND ?",
                        (start, start + 59999)).fetchall()
                    assert rows == [("focus", None)] + [("motion", minute)] * 3, rows
            threads = [threading.Thread(target=work) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            print("done")
            """
        let result = try Program.run(
            Self.python,
            ["-c", script, Self.library],
            environment: environment
        )
        #expect(result.lines == ["done"] && result.errors.isEmpty, "\(result.errors)")
    }

    @Test(
        .enabled(
            if: hasDatasette && Program.path(python) != nil,
            "Datasette is not in .build-python: make test puts it there"
        )
    )
    func `Datasette answers with the recording`() throws {
        let query = "select app, count(*) as n from events where ms < 1800000120000 group by 1"
        let escaped = try #require(
            query.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        )
        let result = try Program.run(
            Self.python,
            [
                "-m", "datasette", "--memory", "--load-extension", Self.library, "--get",
                "/_memory.json?_shape=array&sql=\(escaped)",
            ],
            environment: environment
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(
            result.output.contains(#"{"app": "Editor", "n": 8}"#),
            "\(result.output) \(result.errors)"
        )
    }
}
