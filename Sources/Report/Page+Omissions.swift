// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// What was left out, what the rest is good for, and how long it is kept.
extension Page {
    var omissionSection: String {
        let whole = max(facts.span.upperBound - facts.span.lowerBound, 1)
        var rows = RecordingFacts.longestFirst(facts.omissions.filter { !$0.value.isEmpty })
            .map { omission, spans in
                let reason = omission.reason.name
                return [
                    HTMLText.escaped(omission.reason.words), omission.stream?.name ?? "all input",
                    Self.minutes(spans.length), Self.share(spans.length, of: whole),
                    "\(spans.all.count)",
                    HTMLText.command(
                        "mcictl query \"SELECT * FROM gaps WHERE reason = '\(reason)'\(around.gaps)\""
                    ),
                ]
            }
        if !facts.missing.isEmpty {
            let length = facts.missing.length
            rows.append([
                "erased or unreadable", "all input", Self.minutes(length),
                Self.share(length, of: whole), "\(facts.missing.all.count)",
                HTMLText.command("mcictl verify"),
            ])
        }
        let words = "Nothing was left out in this period."
        let table = HTMLText.table(
            "Time not recorded, by reason and stream; a gap never says how much was left out",
            ["Why", "What", "Minutes", "Share", "Times", "Show"],
            rows
        )
        return section("Left out, and why", rows.isEmpty ? "<p>\(words)</p>\n" : table)
    }

    /// A share in percent; a small one is not nothing.
    private static func share(_ part: Int64, of whole: Int64) -> String {
        let percent = part * 100 / max(whole, 1)
        return percent == 0 && part > 0 ? "under 1 %" : "\(percent) %"
    }

    /// Minutes to a tenth.
    private static func minutes(_ milliseconds: Int64) -> String {
        let tenths = (milliseconds + 3000) / 6000
        return "\(tenths / 10).\(tenths % 10)"
    }

    var qualitySection: String {
        guard !facts.span.isEmpty else { return "" }
        let quality = Quality(facts)
        let rows = quality.checks.map { check in
            [
                check.isGood ? "good" : "warning", HTMLText.escaped(check.words),
                check.next.isEmpty ? "–" : HTMLText.command(check.next),
            ]
        }
        return section(
            "Quality as training data",
            HTMLText.table(
                "What users of the data should know",
                ["Verdict", "Finding", "What to do"],
                rows
            )
                + "<p>More: \(HTMLText.command(command("mcictl report", "--quality")))</p>\n"
        )
    }

    /// A length in days where it is whole ones.
    private static func long(_ milliseconds: Int64) -> String {
        milliseconds % 86_400_000 == 0
            ? TimeText.count(Int(milliseconds / 86_400_000), "day", "days")
            : TimeText.length(milliseconds)
    }

    var releaseSection: String {
        guard !around.releases.isEmpty || around.openings != nil else { return "" }
        let opened = around.openings.map { "\($0)." } ?? "Nobody opened a release."
        let table =
            around.releases.isEmpty
            ? ""
            : HTMLText.table(
                "What was given to purposes",
                ["Purpose", "Number", "Period", "Approved", "State"],
                around.releases.map { $0.map(HTMLText.escaped) }
            )
        return section(
            "Releases",
            table + """
                <p>\(HTMLText.escaped(opened)) Show: \(HTMLText.command("mcictl release trace")) · Take back: \
                \(HTMLText.command("mcictl release withdraw --all"))</p>

                """
        )
    }

    var keepingSection: String {
        let keeping =
            around.retention > 0
            ? "Everything is erased automatically \(Self.long(around.retention)) after it is recorded."
            : ""
        return section(
            "Who can read it, and how long it is kept",
            """
            <p>The recording can be read \(HTMLText.escaped(around.readers)). \(keeping) \
            \(HTMLText.escaped(around.ring))</p>
            <p>Show keys: \(HTMLText.command("mcictl key show")) · Change retention: \
            \(HTMLText.command("mcictl set retention 3d")) · Pause: \(HTMLText.command("mcictl pause 30m"))</p>

            """
        )
    }
}
