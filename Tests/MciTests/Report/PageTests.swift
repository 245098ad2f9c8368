// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Export
import Foundation
import Packing
import Report
import System
import Testing
import Timeline

/// The page itself: it loads and runs nothing, everybody can read it, and whatever is recorded is text.
@Suite struct PageTests {
    private static let around = Page.Setting(
        now: WallTime(1_800_200_000_000),
        period: "",
        readers: "with your identity only",
        retention: 7 * 86_400_000,
        ring: "It fills 1 MiB of at most 3 MiB."
    )

    private struct Read: Decodable {
        var names: [String]
        var counts: [String: Int]
        var text: String
    }

    /// The page as a reader that is not ours sees it.
    private func read(_ html: String) throws -> Read {
        let script = "\(Program.root)/Tests/MciTests/Report/page.py"
        let result = try Program.run(
            "python3",
            [script],
            environment: ProcessInfo.processInfo.environment,
            input: html
        )
        #expect(result.code == 0, "\(result.lines.dropLast()) \(result.errors)")
        return try JSONDecoder().decode(Read.self, from: Data((result.lines.last ?? "").utf8))
    }

    @Test func `a page loads nothing, runs nothing, and names each picture and table`() throws {
        let facts = try RichRing.shared.get().facts()
        let html = Page(facts, Self.around).html
        if let path = ProcessInfo.processInfo.environment["MCI_REPORT"] {
            try Disk.write(Array(html.utf8), to: path)
        }
        let page = try read(html)
        #expect(page.counts["svg"] ?? 0 >= 7 && page.counts["table"] ?? 0 >= 10)
        for app in RichRing.apps where !(facts.front[app]?.isEmpty ?? true) {
            #expect(page.names.contains(SafeText.printable(app)), "\(app)")
        }
        // A name that a shell would obey is quoted in the commands.
        #expect(!page.text.contains("--app $(rm") && !page.text.contains("--app -f"))
        #expect(html.utf8.count < 150_000, "\(html.utf8.count)")
    }

    @Test func `a command names one application alone, and the period of the report`() throws {
        let html = Page(facts(["*", "Edit?r", "-f", "Mail"], days: 1, each: 20_000), Self.around)
            .html
        #expect(!html.contains("--app=&#39;*&#39;") && !html.contains("--app=*"))
        #expect(!html.contains("Edit?r&#39; ") && html.contains("--app=&#39;-f&#39;"))
        var around = Self.around
        around.period = "--since 2027-01-15T08:00:00Z"
        around.bounds = (1_800_000_000_000, nil)
        let part = Page(try RichRing.shared.get().facts(), around).html
        #expect(part.contains("reason = &#39;paused&#39; AND to_ms &gt;= 1800000000000"))
        #expect(part.contains("type = &#39;typing&#39; AND ms &gt;= 1800000000000"))
    }

    @Test func `a clock that was years ahead or behind makes a page as any other`() throws {
        var tally = Tally(0...Int64.max / 4)
        for (offset, time) in [
            (0, Int64(1)), (Int64.min, .max), (0, 1 << 60), (1_800_000_000_000, 5),
        ] {
            let header = BatchHeader(
                sequence: 1,
                bootID: [],
                wallOffset: offset,
                keyDetail: 5,
                base: EventTime(time)
            )
            tally.begin(header)
            for payload: OpenedItem.Payload in [
                .focus(app: "Editor"), .input(.button(number: 1, isDown: true)),
                .gap(.paused, to: EventTime(time &- 5000), stream: nil),
                .gap(.lost, to: EventTime(.max), stream: .keyboard),
            ] {
                let item = OpenedItem(time: EventTime(time), device: 9, payload: payload)
                tally.take(RecordedEvent(item, in: header, after: WallTime(0)))
            }
        }
        let facts = tally.facts(TimelineReader.Summary())
        #expect(facts.open.length >= 0 && !facts.span.isEmpty)
        _ = try read(Page(facts, Self.around).html)
    }

    @Test func `an empty recording makes a page too`() throws {
        let page = try read(Page(RecordingFacts(), Self.around).html)
        #expect(page.text.contains("Nothing is recorded in this period."))
    }

    /// A recording of one application after another, each for some seconds.
    private func facts(_ apps: [String], days: Int, each: Int64) -> RecordingFacts {
        var tally = Tally(0...Int64.max / 4)
        let header = BatchHeader(
            sequence: 1,
            bootID: [],
            wallOffset: 1_800_000_000_000,
            keyDetail: 5,
            base: EventTime(0)
        )
        tally.begin(header)
        func take(
            _ time: Int64,
            _ payload: OpenedItem.Payload,
            device: UInt8 = 0,
            pixel: Pixel? = nil
        ) {
            let item = OpenedItem(
                time: EventTime(time),
                device: device,
                payload: payload,
                pixel: pixel
            )
            tally.take(RecordedEvent(item, in: header, isInjected: false, after: WallTime(0)))
        }
        var random = SplitMix(seed: 5)
        take(0, .screen(.init(width: 3840, height: 2160)))
        for day in 0..<Int64(days) {
            var time = day * 86_400_000
            for _ in 0..<(apps.count > 100 ? apps.count : Int(36_000_000 / each)) {
                let app =
                    apps.count > 100
                    ? apps[Int(time / each)] : apps[Int(random.next() % UInt64(apps.count))]
                take(time, .focus(app: app))
                let pixel = Pixel(
                    x: Int16(random.next() % 3840),
                    y: Int16(random.next() % 2160)
                )
                for step in 0..<5 {
                    take(
                        time + Int64(step) * 10,
                        .input(.button(number: 1, isDown: true)),
                        device: 9,
                        pixel: pixel
                    )
                }
                if random.next() % 20 == 0 {
                    let stream: Events.InputStream? = random.next() % 2 == 0 ? .keyboard : nil
                    take(
                        time + 100,
                        .gap(.unknownContext, to: EventTime(time + 8000), stream: stream)
                    )
                }
                time += each
            }
        }
        return tally.facts(TimelineReader.Summary())
    }

    @Test func `a day is at most 100 kB, and a week at most 1 MB`() throws {
        let apps = (0..<20).map { "Application \($0)" }
        let day = Page(facts(apps, days: 1, each: 20_000), Self.around).html
        #expect(day.utf8.count <= 100_000, "\(day.utf8.count)")
        let week = Page(facts(apps, days: 7, each: 20_000), Self.around).html
        #expect(week.utf8.count <= 1_000_000, "\(week.utf8.count)")
        let month = Page(facts(apps, days: 45, each: 20_000), Self.around).html
        #expect(month.contains("The latest 31 days") && month.utf8.count < 3_000_000)
        _ = try read(week)
    }

    @Test func `10,000 hostile names are text`() throws {
        var random = SplitMix(seed: 77)
        let pieces = [
            "<", ">", "&", "\"", "'", "</svg>", "<script>", "javascript:", "onload=", "]]>", "<!--",
            "-->", "&lt;", "&#x3c;", "\u{0}", "\u{1B}[31m", "\u{202E}", "\u{2066}", "\n", "\r",
            "\t",
            "é", "日本", "🙂", "`", "$(", ")", ";", "|", "\\", "%00", "a", "Z", " ", "\u{85}",
            "\u{FEFF}",
            "</title>", "</style>", "<img src=x onerror=1>", "{{", "url(http://x)", "style=",
            "\u{301}",
        ]
        let names = (0..<10_000).map { index in
            "\(index) "
                + (0..<(1 + random.next() % 7)).map { _ in
                    pieces[Int(random.next() % UInt64(pieces.count))]
                }
                .joined()
        }
        let page = try read(Page(facts(names, days: 1, each: 1000), Self.around).html)
        let seen = Set(page.names)
        let expected = names.map { name in
            let plain = SafeText.printable(name)
            return plain.count > 40 ? plain.prefix(39) + "…" : plain
        }
        // A parser makes one line end of every kind, and the page has none in names.
        let missing = expected.filter { !seen.contains($0) }
        #expect(missing.isEmpty, "\(missing.count): \(missing.prefix(3))")
    }
}
