// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Person
import Sealing
import System
import Testing
import Timeline

/// The verb `report`, its files, and what it says where it can show nothing.
@Suite struct ReportCommandTests {
    private let ring: SyntheticRing

    init() throws {
        ring = try SyntheticRing()
        try ring.put(minute: 0, app: "Editor", times: [0, 1000, 50_000])
        try ring.put(minute: 30, app: "Mail", times: [0, 1000])
        try ring.putGap(from: 31 * 60_000, to: 34 * 60_000)
    }

    private func run(_ arguments: String..., add: [String: String] = [:]) throws -> Program.Result {
        try Program.run(
            "mcictl",
            arguments,
            environment: ring.folder.environment.merging(add, uniquingKeysWith: { $1 })
        )
    }

    private func mode(_ path: String) throws -> Int {
        let facts = try FileManager.default.attributesOfItem(atPath: path)
        return (facts[.posixPermissions] as? Int ?? 0) & 0o777
    }

    @Test func `the page is for its person alone, lies in memory, and goes with what it shows`()
        throws
    {
        let path = ring.folder.paths.report
        let result = try run("report")
        #expect(result.code == 0 && result.output == path + "\n", "\(result.errors)")
        #expect(result.errors.contains("mcictl report --out report.html"))
        #expect(try mode(path) == 0o600)
        let page = try String(contentsOfFile: path, encoding: .utf8)
        #expect(page.contains("Editor") && page.hasSuffix("</html>\n"))
        #expect(try run("forget", "--app", "Nobody", "--yes").code == 0)
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(try run("forget", "--app", "Mail", "--yes").code == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try run("report").code == 0)
        #expect(try !String(contentsOfFile: path, encoding: .utf8).contains("Mail"))
    }

    @Test func `it can be written elsewhere, and says that it is plaintext`() throws {
        let file = "\(ring.folder.path)/week.html"
        let result = try run("report", "--out", file)
        #expect(result.code == 0 && result.output.isEmpty)
        #expect(result.errors.contains("as plaintext"))
        #expect(try mode(file) == 0o600)
        let stream = try run("report", "--out", "-")
        #expect(stream.output.hasPrefix("<!DOCTYPE html>") && stream.errors.isEmpty)
        let part = try run("report", "--out", "-", "--since", "2027-01-15T08:20:00Z")
        #expect(part.output.contains("Mail") && !part.output.contains("Editor"))
        #expect(part.output.contains("mcictl log --since 2027-01-15T08:20:00.000Z"))
        #expect(try run("report", "--out", "/nowhere/x.html").code == 1)
    }

    @Test func `a browser is started with it where there is a display`() throws {
        let folder = "\(ring.folder.path)/bin"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let seen = "\(ring.folder.path)/opened"
        try Disk.write(
            Array("#!/bin/sh\necho \"$1\" >\(seen)\n".utf8),
            to: "\(folder)/xdg-open",
            mode: 0o755
        )
        let environment = ["DISPLAY": ":1", "PATH": "\(folder):/usr/bin:/bin"]
        #expect(try run("report", "--no-open", add: environment).code == 0)
        #expect(!FileManager.default.fileExists(atPath: seen))
        #expect(try run("report", add: environment).errors.contains("If a sandboxed browser"))
        #expect(Disk.lines(seen) == [ring.folder.paths.report])
        try Disk.write(Array("#!/bin/sh\nexit 3\n".utf8), to: "\(folder)/xdg-open", mode: 0o755)
        #expect(try run("report", add: environment).errors.contains("No browser could be started"))
    }

    @Test func `where nothing can be shown there is a sentence and no page`() throws {
        func refused(_ arguments: [String], _ words: String, code: Int32 = 1) throws {
            let result = try Program.run("mcictl", arguments, environment: ring.folder.environment)
            #expect(result.code == code && result.output.isEmpty, "\(arguments)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: ring.folder.paths.report))
        }
        try refused(["report", "--until", "2020-01-01"], "Nothing is recorded in this period.")
        try refused(["report", "--since", "2027-02-31"], "“2027-02-31”", code: 64)
        try refused(["report", "--json"], "--json works only with --quality", code: 64)
        try refused(
            ["report", "--quality", "--out", "x"],
            "--quality does not write a page",
            code: 64
        )
        let file = ring.folder.paths.identity
        let key = try Disk.read(file)
        try Disk.write(Array(Identity().file(createdAt: WallTime(0)).utf8), to: file)
        try refused(["report"], "were sealed to another key")
        try FileManager.default.removeItem(atPath: file)
        try refused(["report"], "Your identity is not at")
        try refused(["watch"], "Your identity is not at")
        try Disk.write(key, to: file)
        try FileManager.default.removeItem(atPath: ring.path)
        try refused(["report"], "Nothing has been recorded yet.")
    }

    @Test func `a damaged batch is named, and the rest is shown`() throws {
        try ring.damage("UPDATE ring SET sealed = zeroblob(3973) WHERE seq = 1 + (1 << 40)")
        let result = try run("report", "--out", "-")
        #expect(result.code == 0)
        #expect(result.errors.contains("damaged") || !result.output.contains("Editor"))
        #expect(result.output.contains("Mail") && result.output.hasSuffix("</html>\n"))
    }

    @Test func `a ring that is being rebuilt is shown as far as it is, and it says so`() throws {
        try FileManager.default.copyItem(atPath: ring.path, toPath: ring.path + ".old-damaged-1")
        for verb in ["report", "log"] {
            let result = try run(verb)
            #expect(result.code == 0)
            #expect(result.errors.contains("still being rebuilt and is not shown"), "\(verb)")
        }
        #expect(try !String(contentsOfFile: ring.folder.paths.report, encoding: .utf8).isEmpty)
    }

    @Test func `quality is a table for people, JSON for programs, and lies beside exports`() throws
    {
        let table = try run("report", "--quality")
        #expect(
            table.code == 0 && table.output.contains("recorded") && table.output.contains("paused")
        )
        let json = try run("report", "--quality", "--json").json
        #expect(json["schema"] as? Int == 1)
        let times = try #require(json["times"] as? [[String: Any]])
        #expect(
            times.contains { $0["reason"] as? String == "paused" && $0["minutes"] as? Double == 3 }
        )
        for (name, beside) in [("e.csv", "e.quality.json"), ("noend", "noend.quality.json")] {
            let out = "\(ring.folder.path)/\(name)"
            let result = try run("export", "--out", out, "--format", "csv")
            #expect(result.code == 0, "\(result.errors)")
            let bytes = try Disk.read("\(ring.folder.path)/\(beside)")
            let quality = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            #expect(quality?["batches"] as? Int == json["batches"] as? Int)
            #expect(try mode("\(ring.folder.path)/\(beside)") == 0o600)
        }
        #expect(try run("export", "--out", "-").errors.contains("quality") == false)
    }

    @Test func `queries have names, and SQL has regexp and percentile`() throws {
        let list = try run("query", "--list")
        #expect(list.code == 0 && list.output.contains("coverage") && list.lines.count >= 6)
        let json = try run("query", "--list", "--json").json
        #expect((json["queries"] as? [[String: Any]])?.count == list.lines.count)
        let apps = try run("query", "apps", "--format", "csv")
        #expect(apps.lines.first?.hasPrefix("app,events,typing_seconds,chords") == true)
        #expect(apps.lines.contains { $0.hasPrefix("Editor,3,") })
        let part = try run("query", "apps", "--since", "2027-01-15T08:20:00Z", "--json")
        #expect(part.output.contains("Mail") && !part.output.contains("Editor"))
        #expect(try run("query", "nothing").errors.contains("mcictl query --list"))
        #expect(try run("query", "--since", "1h", "SELECT 1").code == 64)
        #expect(try run("query", "--list", "apps").code == 64)
        func value(_ sql: String) throws -> String {
            let result = try run("query", "--format", "csv", "SELECT \(sql)")
            return result.code == 0 ? result.lines.last ?? "" : result.errors
        }
        for (sql, answer) in [
            ("'5' REGEXP '[\\d]'", "1"), ("('a' || char(0) || 'b') REGEXP 'b'", "1"),
            ("(SELECT percentile(v, 50) FROM (SELECT 9e999 AS v UNION ALL SELECT 9e999))", "inf"),
            ("(SELECT percentile(v, 50) FROM (SELECT 1.7e308 AS v UNION SELECT -1.7e308))", "0.0"),
            ("'Büro 3' REGEXP '^B.ro \\d$'", "1"), ("'abc' REGEXP 'B'", "0"),
            ("NULL REGEXP 'a' IS NULL", "1"), ("regexp('a|c', 'xbx')", "0"),
            (
                "(SELECT percentile(dx, 50) FROM events WHERE dx IS NOT NULL AND app = 'Mail')",
                "30.0"
            ),
            (
                "(SELECT percentile(v, 25) FROM (SELECT 1 AS v UNION SELECT 2 UNION SELECT NULL))",
                "1.25"
            ),
            ("(SELECT percentile(dx, 50) IS NULL FROM events WHERE 0)", "1"),
        ] {
            #expect(try value(sql) == answer, "\(sql)")
        }
        for sql in [
            "hex(randomblob(3000)) REGEXP 'a'", "'a' REGEXP '[0-7](.{12})+x'",
            "'a' REGEXP '((a*)b)*'",
            "'a' REGEXP '('", "'a' REGEXP '(a)\\1'", "'a' REGEXP '((a{255}){255}){255}'",
            "(SELECT percentile(dx, 101) FROM events)",
            "(SELECT percentile(app, 5) FROM events WHERE app IS NOT NULL)",
        ] {
            #expect(try value(sql).hasPrefix("error: "), "\(sql)")
        }
        // The limit of memory holds for it.
        let large = """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
            SELECT percentile(i, 50) FROM n
            """
        #expect(try run("query", "--memory", "4M", large).errors.contains("needs more than"))
        #expect(try run("query", large).lines.last?.contains("1500000.5") == true)
    }
}
