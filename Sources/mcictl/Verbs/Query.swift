// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Files
import Query
import Settings

/// The verb `query`.
struct QueryVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask what was recorded, in SQL.",
        discussion: """
            One SELECT in SQLite's language. Times are UTC; only the batches of the time
            asked for are opened. Nothing can be changed, and no plaintext is written
            to a file.

            TABLES
              events   ms, time, type (key, button, motion, scroll, axes, touch, focus),
                       state (down, up; move), class, keysym, modifiers (ctrl+shift),
                       button, dx, dy (device counts; wheels: notches),
                       app (in front), device, batch, title (where stored),
                       x, y (the pixel, where known), axes (of a pen: 0=512 4=88),
                       finger (of a touch: from 0)
              gaps     from_ms, to_ms, from_time, to_time, reason, stream, batch
              batches  batch, end_ms, end_time, events, gaps,
                       state (whole, foreign: sealed to another key, damaged)

            EXAMPLES
              mcictl query "SELECT app, substr(time, 1, 13) AS hour, count(*)
                FROM events WHERE time >= '2026-11-21' GROUP BY app, hour"
              mcictl query "SELECT substr(time, 1, 16) AS minute, class, count(*)
                FROM events WHERE type = 'key' AND state = 'down' GROUP BY 1, 2"
              mcictl query --format csv "SELECT from_time, to_time, reason FROM gaps"

            The table is the same on a terminal and in a pipe; programs read csv or
            json (a line a row).
            """
    )

    @Argument(help: "One SELECT.")
    var sql: String

    @Option(help: "How to print the rows: table, csv or json.")
    var format: RowFormat?

    @Option(help: "Read this ring: a file of an earlier version.")
    var ring: String?

    @Flag(help: "The same as --format json.")
    var json = false

    func validate() throws {
        if json, let format, format != .json {
            throw ValidationError("Give --json or --format \(format.rawValue), not both.")
        }
    }

    func run() throws {
        let place = Workplace()
        let path = ring ?? place.paths.ring
        let source = BatchSource(path: path, identities: try place.identities())
        do {
            let query = try QuerySession(source).prepare(sql)
            _ = try place.ringPath(ring)
            var writer = RowWriter(json ? .json : format ?? .table, query.columns)
            try query.run { writer.write($0) }
            writer.finish()
        } catch let error as QueryError {
            throw Failure(
                Self.sentence(error.description),
                next: "mcictl query --help",
                code: error.code == .failed ? Failure.failed : Failure.usage
            )
        }
        warn(foreign: source.foreign.count, damaged: source.damaged.count)
    }

    /// SQLite's message with a full stop.
    private static func sentence(_ message: String) -> String {
        let text = Terminal.printable(message)
        return text.hasSuffix(".") || text.hasSuffix(")") ? text : text + "."
    }
}
