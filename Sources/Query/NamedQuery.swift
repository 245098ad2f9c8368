// SPDX-License-Identifier: Apache-2.0

/// A query that is asked for by name.
package struct NamedQuery: Sendable {
    /// The name.
    package let name: String
    /// What it answers, in a phrase.
    package let summary: String
    /// The SELECT; `{events}` and `{gaps}` stand for the condition on the time.
    private let text: String

    private init(_ name: String, _ summary: String, _ text: String) {
        (self.name, self.summary, self.text) = (name, summary, text)
    }

    /// The SELECT for a period.
    ///
    /// - Parameter range: wall time in milliseconds since 1970.
    /// - Returns: SQL that can be changed and run.
    package func sql(_ range: ClosedRange<Int64>) -> String {
        let (from, to) = (range.lowerBound, range.upperBound)
        let isAll = from <= 0 && to >= Int64.max / 4
        return
            text
            .replacing("{events}", with: isAll ? "1" : "ms BETWEEN \(from) AND \(to)")
            .replacing(
                "{gaps}",
                with: isAll ? "1" : "to_ms >= \(from) AND from_ms <= \(to)"
            )
    }

    /// All of them.
    package static let all = [
        NamedQuery(
            "apps",
            "what was recorded with each application",
            """
            SELECT app, \(counts)
            FROM events WHERE {events} AND type <> 'focus' GROUP BY app ORDER BY events DESC
            """
        ),
        NamedQuery(
            "hours",
            "what was recorded in each hour of local time",
            """
            SELECT substr(local, 1, 13) AS hour, \(counts)
            FROM events WHERE {events} AND type <> 'focus' GROUP BY hour ORDER BY min(ms)
            """
        ),
        NamedQuery(
            "chords",
            "how often each chord was pressed, and in how many applications",
            """
            SELECT modifiers || '+' || coalesce(keysym, class) AS chord, count(*) AS times,
              count(DISTINCT app) AS apps
            FROM events WHERE {events} AND \(chord) GROUP BY chord ORDER BY times DESC, chord
            """
        ),
        NamedQuery(
            "coverage",
            "how much time was recorded, how much was not, and why",
            """
            WITH g AS MATERIALIZED (SELECT reason, stream, from_ms AS a, to_ms AS b
                FROM gaps WHERE {gaps}),
              e AS MATERIALIZED (SELECT min(ms) AS a, max(ms + coalesce(seconds, 0) * 1000) AS b
                FROM events WHERE {events}),
              parts AS (SELECT reason, stream, a, b, max(b) OVER (PARTITION BY reason, stream
                ORDER BY a, b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM g),
              every AS (SELECT a, b, max(b) OVER (ORDER BY a, b
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM g
                WHERE stream IS NULL),
              span AS (SELECT min(a) AS a, max(b) AS b
                FROM (SELECT a, b FROM e UNION ALL SELECT a, b FROM g)),
              closed AS (SELECT coalesce(sum(max(0, b - max(a, coalesce(reached, a)))), 0) AS ms
                FROM every)
            SELECT 'recorded' AS what, 'everything' AS of, NULL AS times,
              round((span.b - span.a - closed.ms) / 60000.0, 1) AS minutes FROM span, closed
            UNION ALL
            SELECT reason, coalesce(stream, 'everything'), count(*),
              round(sum(max(0, b - max(a, coalesce(reached, a)))) / 60000.0, 1)
            FROM parts GROUP BY reason, stream
            """
        ),
        NamedQuery(
            "clicks",
            "clicks with each application, and how many have a pixel",
            """
            SELECT app, count(*) AS clicks, count(x) AS with_pixel,
              round(100.0 * count(x) / count(*), 1) AS percent
            FROM events WHERE {events} AND type = 'button' AND state = 'down'
            GROUP BY app ORDER BY clicks DESC
            """
        ),
        NamedQuery(
            "devices",
            "the devices, and how many events each sent",
            """
            WITH d AS MATERIALIZED (SELECT batch, device, name, kind, injected FROM devices),
              e AS MATERIALIZED (SELECT batch, device, count(*) AS events FROM events
                WHERE {events} AND device IS NOT NULL GROUP BY batch, device)
            SELECT e.device, d.name, d.kind, d.injected, sum(e.events) AS events
            FROM e LEFT JOIN d ON d.batch = e.batch AND d.device = e.device
            GROUP BY e.device, d.name, d.kind, d.injected ORDER BY events DESC
            """
        ),
    ]

    /// Whether a key press has Ctrl, Alt or Super.
    private static let chord = """
        type = 'key' AND state = 'down' AND class <> 'modifier' AND ('+' || modifiers || '+'
          LIKE '%+ctrl+%' OR '+' || modifiers || '+' LIKE '%+alt+%'
          OR '+' || modifiers || '+' LIKE '%+super+%')
        """

    /// What `apps` and `hours` count.
    private static let counts = """
        count(*) AS events, sum(coalesce(seconds, 0)) AS typing_seconds,
          sum(\(chord)) AS chords, sum(type = 'key' AND state = 'down') AS key_presses,
          sum(type = 'button' AND state = 'down') AS clicks, sum(type = 'scroll') AS wheel_turns,
          sum(type IN ('motion', 'axes')) AS movements,
          sum(type = 'touch' AND state = 'down') AS touches
        """
}
