// SPDX-License-Identifier: Apache-2.0

import Calendar
package import Events

/// The report: one HTML file with pictures, which loads nothing and runs nothing.
///
/// Upstream: ``RecordingFacts``. Downstream: a browser or a printer. Promise: what is recorded is
/// always escaped as text; each figure names the command that shows its part, and the one that erases it.
package struct Page: Redacted {
    /// What the recording itself does not say.
    package struct Setting: Sendable {
        /// The present.
        package var now: WallTime
        /// The options for the period: `--since … --until …`; empty for everything.
        package var period: String
        /// The same period as a condition of SQL on `events`, with AND in front; empty for everything.
        package var events: String { condition("ms >= ", "ms <= ") }
        /// The same on `gaps`.
        package var gaps: String { condition("to_ms >= ", "from_ms <= ") }
        /// The bounds of the period in milliseconds since 1970, as far as it has them.
        package var bounds: (from: Int64?, to: Int64?) = (nil, nil)
        /// Who can read the recording, in words.
        package var readers: String
        /// Milliseconds after which a batch is erased; 0 when that is not known.
        package var retention: Int64
        /// How much of the ring is used, in words.
        package var ring: String
        /// The releases that were made: purpose, number, period, approval, state.
        package var releases: [[String]] = []
        /// How often releases were opened and by whom last, in words; nil if nobody did.
        package var openings: String?
        /// The number of the draft of a release that the page is about; nil for the recording.
        package var draft: Int?
        /// What the draft is for and what it leaves out, in paragraphs; empty for the recording.
        package var release: [String] = []

        private func condition(_ from: String, _ to: String) -> String {
            (bounds.from.map { " AND \(from)\($0)" } ?? "")
                + (bounds.to.map { " AND \(to)\($0)" } ?? "")
        }

        /// Creates a setting.
        package init(
            now: WallTime,
            period: String,
            readers: String,
            retention: Int64,
            ring: String
        ) {
            (self.now, self.period, self.readers) = (now, period, readers)
            (self.retention, self.ring) = (retention, ring)
        }
    }

    /// How many days have a strip.
    private static let maxDays = 31

    let facts: RecordingFacts
    let around: Setting

    /// Creates a page.
    package init(_ facts: RecordingFacts, _ around: Setting) {
        (self.facts, self.around) = (facts, around)
    }

    /// The days with strips, the latest first.
    var days: [DayStrip] {
        DayStrip.days(facts.span, atMost: Self.maxDays).reversed().map { DayStrip(facts, $0) }
    }

    /// A command for the period of the report.
    func command(_ verb: String, _ options: String = "") -> String {
        [verb, options, around.period].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The whole file.
    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>\(title)</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        \(summary)
        \(legend)
        \(daySections)
        \(hourSection)
        \(appSection)
        \(kindSection)
        \(omissionSection)
        \(around.draft == nil ? ownSections : "")
        </main>
        </body>
        </html>

        """
    }

    private var title: String {
        around.draft == nil ? "What mci recorded" : "What this release would contain"
    }

    /// The sections that only the whole recording has.
    private var ownSections: String {
        [
            demonstrationSection, clickSection, deviceSection, qualitySection, releaseSection,
            keepingSection,
        ].joined(separator: "\n")
    }

    // MARK: The beginning

    private var summary: String {
        let written = TimeText.full(around.now)
        guard !facts.span.isEmpty else {
            return "<p>Nothing is recorded in this period. Written \(written).</p>"
        }
        let from = TimeText.full(WallTime(facts.span.lowerBound))
        let to = TimeText.full(WallTime(facts.span.upperBound))
        let recorded = TimeText.length(facts.open.length)
        let apps = TimeText.count(facts.front.count, "application", "applications")
        let left = RecordingFacts.longestFirst(facts.omissions.filter { $0.key.stream == nil })
            .map {
                "\(HTMLText.escaped($0.omission.reason.words)) \(TimeText.length($0.spans.length))"
            }
        let omitted =
            left.isEmpty
            ? "No gap affected all input." : "Not recorded: \(left.joined(separator: ", "))."
        if around.draft != nil {
            let words = around.release.map { "<p>\(HTMLText.escaped($0))</p>" }
            return """
                <p><strong>\(recorded)</strong> between \(from) and \(to), in \(apps). \(omitted)</p>
                \(words.joined(separator: "\n"))
                <p>Every figure here is counted in the exact bytes that would go. The commands under \
                “Show” show the recording of that time, which holds more. Written \(written).</p>
                """
        }
        return """
            <p><strong>Recorded for \(recorded)</strong> between \(from) and \(to), in \(apps). \(omitted)</p>
            <p>This page is not encrypted. It holds names of applications and devices, and no text that \
            was typed. Written \(written). The commands beside the figures show or erase their part: copy \
            them into a terminal.</p>
            <p>Show all: \(HTMLText.command(command("mcictl log"))) · Erase all: \
            \(HTMLText.command(around.period.isEmpty ? "mcictl forget --all" : command("mcictl forget")))</p>
            """
    }

    private var legend: String {
        let looks = Look.allCases
        var picture = Picture(
            900,
            72,
            "Legend: " + looks.map { "\($0.rawValue): \($0.words)" }.joined(separator: "; ")
        )
        picture.add("<defs>\(Look.patterns)</defs>")
        for (index, look) in looks.enumerated() {
            let (x, y) = (index % 3 * 300, 4 + index / 3 * 23)
            picture.add(
                "<rect x=\"\(x + 1)\" y=\"\(y)\" width=\"28\" height=\"14\" \(look.fill) stroke=\"currentColor\"/>"
            )
            picture.add(text: HTMLText.escaped(look.words), x + 36, y + 12)
        }
        return picture.html
    }

    private static let style = """
        :root{color-scheme:light dark;--text:#1c1e21;--back:#fff;--line:#8a8f96;--bar:#1f66b0;--code:#f0f2f4}
        @media (prefers-color-scheme:dark){:root{--text:#e8eaed;--back:#16181b;--line:#8d939b;--bar:#7db4f2;--code:#262a2f}}
        @media print{:root{--text:#000;--back:#fff;--line:#777;--bar:#1f66b0;--code:#fff}
        *{print-color-adjust:exact}section,figure,svg,tr{break-inside:avoid}}
        body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
        main{max-width:64rem;margin:0 auto;padding:1rem}
        h1{font-size:1.7rem;margin:.5rem 0}h2{font-size:1.3rem;margin:2rem 0 .5rem}h3{font-size:1.05rem;margin:1.2rem 0 .3rem}
        svg{display:block;width:100%;height:auto;color:var(--text);margin:.4rem 0}
        svg text{fill:var(--text);font:12px system-ui,sans-serif}
        .r{fill:var(--bar)}.g{stroke:var(--line);stroke-width:.5;fill:none}.p{stroke:currentColor;stroke-width:1;fill:none}.q{stroke:var(--line);stroke-width:.6;fill:none}
        .f{fill:none;stroke:var(--line)}
        table{border-collapse:collapse;margin:.5rem 0;width:100%;font-size:.875rem}
        caption{text-align:left;padding:.3rem 0}
        th,td{text-align:left;padding:.2rem .5rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top}
        tbody th{overflow-wrap:break-word}
        code{background:var(--code);color:var(--text);padding:.1rem .3rem;font-size:.8125rem;overflow-wrap:anywhere}
        summary{cursor:pointer}
        """
}
