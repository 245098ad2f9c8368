// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Person
import Policy
import Query
import System

/// The verb `query`.
struct QueryVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Query the recording in SQL.",
        usage: """
            mcictl query (<sql> | - | --file <file>) [--time <time>] [--memory <memory>]
                         [--format <format>] [--ring <ring>] [--json]
            mcictl query <name> [--since <since>] [--until <until>] [options]
            mcictl query --list [--json]
            """,
        discussion: """
            Runs one SELECT in SQLite's SQL. Only the batches of the time asked for are \
            opened. Nothing can be changed, and no plaintext is written to a file.

            Times are UTC. Compare them with datetime(), strftime(), julianday(), \
            unixepoch(), '2026-11-21 14:05' or RFC 3339. Columns of local times are in this \
            machine's time zone; compare them with datetime('now', 'localtime').

            TABLES
              events   ms, time, type (key, button, motion, scroll, axes, touch, focus),
                       state (down, up; move), class, keysym, modifiers (ctrl+shift),
                       button, dx, dy (device counts; wheels: notches),
                       app (in front), device, batch, title (where stored),
                       x, y (the pixel, where known), axes (of a pen: 0=512 4=88),
                       finger (of a touch: from 0), local (time),
                       seconds (of typing), injected (1: by a program; 0)
              gaps     from_ms, to_ms, from_time, to_time, reason, stream, batch,
                       from_local, to_local
              batches  batch, end_ms, end_time, events, gaps,
                       state (whole, foreign: sealed to another key, damaged), end_local,
                       key_detail
              devices  batch, device, name, kind, vendor, product, buttons, master,
                       injected, axes: for each batch the devices with events in it
              monitors batch, monitor (0: the primary one), x, y, width, height,
                       width_mm, height_mm, desktop_width, desktop_height
              demonstrations
                       name, goal, from_ms, to_ms, from_time, to_time, from_local,
                       to_local, outcome (done, failed, expired), first_batch, last_batch

            Besides SQLite's own functions: text REGEXP pattern (POSIX extended, with \\d),
            percentile(number, percent).

            EXAMPLES
              mcictl query apps --since 09:00
              mcictl query --list           the other queries by name, and their SQL
              mcictl query "SELECT app, substr(time, 1, 13) AS hour, count(*)
                FROM events WHERE time >= '2026-11-21' GROUP BY app, hour"
              mcictl query "SELECT substr(time, 1, 16) AS minute, class, count(*)
                FROM events WHERE type = 'key' AND state = 'down' GROUP BY 1, 2"
              mcictl query "SELECT local, type FROM events
                WHERE time >= datetime('now', '-1 minute')"
              mcictl query "SELECT app, count(*) FROM events
                WHERE NOT injected GROUP BY app"
              mcictl query --format csv "SELECT from_time, to_time, reason FROM gaps"
              mcictl query --file report.sql --time 10m --memory 1G

            The table is the same on a terminal and in a pipe; for programs use csv or
            json (one line per row).
            """
    )

    @Argument(help: "One SELECT, or the name of a query; - reads it from standard input.")
    var sql: String?

    @Option(help: "Read the SELECT from a file; - is standard input.", completion: .file())
    var file: String?

    @Flag(help: "List the named queries.")
    var list = false

    @Option(help: "With a name: from this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "With a name: up to this time.")
    var until: String?

    @Option(help: "Stop the query after this time.")
    var time = "1m"

    @Option(help: "Stop the query when it needs more memory than this.")
    var memory = "256M"

    @Option(help: "How to print the rows: table, csv or json.")
    var format: RowFormat?

    @Option(help: "Read this ring file, which an earlier version wrote.", completion: .file())
    var ring: String?

    @Flag(help: "The same as --format json.")
    var json = false

    func validate() throws {
        if json, let format, format != .json {
            throw ValidationError("Give --json or --format \(format.rawValue), not both.")
        }
        if list {
            guard sql == nil, file == nil else {
                throw ValidationError("--list takes no query.")
            }
            return
        }
        guard (sql == nil) != (file == nil) else {
            throw ValidationError("Give one SELECT, a name, or --file.")
        }
        if since != nil || until != nil, named == nil {
            throw ValidationError(
                "--since and --until work only with a named query. In SQL, write WHERE time >= …"
            )
        }
    }

    /// The query of that name, if there is one.
    private var named: NamedQuery? { NamedQuery.all.first { $0.name == sql } }

    private struct Entry: Encodable {
        var name: String
        var summary: String
        var sql: String
    }

    private struct Listing: Encodable {
        var schema = 1
        var queries: [Entry]
    }

    private func printList() throws {
        let all = NamedQuery.all.map {
            Entry(name: $0.name, summary: $0.summary, sql: $0.sql(0...Int64.max / 4))
        }
        if json { return try Terminal.printJSON(Listing(queries: all)) }
        TableText.lines(all.map { [$0.name, $0.summary] }).forEach { Terminal.print($0) }
        Terminal.report("Their SQL: mcictl query --list --json")
    }

    func run() throws {
        if list { return try printList() }
        let installation = Installation()
        let path = ring ?? installation.paths.ring
        let length = try TimeText.duration(time)
        let bytes = try SizeText.bytes(memory)
        guard bytes >= 1 << 20 else {
            throw Failure("A query needs at least 1M of memory.", code: Failure.usage)
        }
        let range = try installation.range(since: since, until: until)
        let sql = try named.map { $0.sql(range) } ?? statement()
        let source = BatchSource(path: path, identities: try installation.identities())
        let end = installation.now.monotonic.milliseconds + length
        let limits = QueryLimits(memory: Int64(bytes)) {
            SystemClock.now().monotonic.milliseconds > end
        }
        do {
            let query = try QuerySession(source, limits: limits).prepare(sql)
            _ = try installation.ringPath(ring)
            var writer = RowWriter(json ? .json : format ?? .table, query.columns)
            try query.run { writer.write($0) }
            writer.finish()
        } catch let error as QueryError where error.code == .tooLong {
            throw Failure(
                "The query took longer than \(TimeText.length(length)) and was stopped.",
                next:
                    "the same command with --time \(Quantity.duration(max(1, Int(length / 1000)) * 10))"
            )
        } catch let error as QueryError where error.code == .tooLarge {
            throw Failure(
                "The query needs more than \(SizeText.words(bytes)) of memory and was stopped.",
                next: "the same command with --memory \(Quantity.size(bytes * 4))"
            )
        } catch let error as QueryError {
            throw Failure(
                Self.sentence(error.description),
                next: "mcictl query --help",
                code: error.code == .failed ? Failure.failed : Failure.usage
            )
        }
        warn(foreign: source.foreign.count, damaged: source.damaged.count)
    }

    /// The SELECT: an argument, a file, or standard input.
    private func statement() throws -> String {
        if let sql, sql != "-" {
            guard !sql.utf8.allSatisfy({ (0x61...0x7A).contains($0) }) else {
                throw Failure(
                    "No query is named “\(sql)”.",
                    next: "mcictl query --list",
                    code: Failure.usage
                )
            }
            return sql
        }
        let path = file.flatMap { $0 == "-" ? nil : $0 } ?? "/dev/stdin"
        do {
            return String(decoding: try Disk.read(path, limit: 1 << 20), as: UTF8.self)
        } catch {
            let name = path == "/dev/stdin" ? "Standard input" : "The file \(path)"
            throw Failure("\(Terminal.printable(name)) cannot be read (\(error)).")
        }
    }

    /// SQLite's message with a full stop.
    private static func sentence(_ message: String) -> String {
        let text = Terminal.printable(message)
        return text.hasSuffix(".") || text.hasSuffix(")") ? text : text + "."
    }
}
