// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Testing

/// Durations and moments in the forms that people and programs write them.
@Suite struct DurationTests {
    @Test(
        arguments: [
            ("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400),
            ("30min", 1800), ("2hours", 7200), ("1h30", 5400), ("1.5h", 5400),
            ("30 minutes", 1800), ("1 hour", 3600), ("1 h 30 min", 5400), ("1,5h", 5400),
            ("2d12", 216_000), ("5m30", 330), ("1w", 604_800), ("0.25 hours", 900),
            ("30 MIN", 1800),
            ("1day2hours3min4sec", 93_784), (" 30m ", 1800), ("2hrs", 7200), ("45secs", 45),
        ]
    )
    func `a duration is understood as people write it`(text: String, seconds: Int64) throws {
        #expect(try DurationText.milliseconds(text) == seconds * 1000)
    }

    @Test(arguments: [
        "", " ", "m", "30", "30M", "soon", "0m", "-5m", "1h90", "1m1h", "1h1h", "1.h", ".5h",
        "1..5h", "1e3h", "1h.5", "30 30m", "1h30x", "1 fortnight", "٣٠m", "99999999h", "367d",
        "1000000d",
    ])
    func `what is not a duration is refused`(text: String) {
        #expect(throws: TimeError.self) { try DurationText.milliseconds(text) }
    }

    @Test func `ten years are a duration where they may be one`() throws {
        #expect(try DurationText.milliseconds("3653d", maximum: 3653) == 3653 * 86_400_000)
        #expect(throws: TimeError.self) { try DurationText.milliseconds("3654d", maximum: 3653) }
    }

    @Test(arguments: [
        "2026-02-30T10:00:00Z", "2026-02-29T10:00:00Z", "2026-11-31T10:00:00Z",
        "2026-13-01T10:00:00Z", "2026-00-10T10:00:00Z", "2026-01-00T10:00:00Z",
        "2026-01-01T10:00:60Z", "2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z",
        "2026-01-01T10:00:00+99:99", "2026-01-01T10:00:00+24:00", "2026-01-01T10:00:00+01:60",
        "2026-01-01T10:00:00-99:00", "2026-01-01T10:00:00.Z", "2026-01-01T10:00:00",
        "1900-02-29T10:00:00Z",
    ])
    func `a moment that no clock shows is not one`(text: String) {
        #expect(WallTime(text) == nil)
    }

    @Test(arguments: [
        ("2028-02-29T10:00:00Z", 1_835_431_200_000), ("2000-02-29t00:00:00.5z", 951_782_400_500),
        ("2026-01-01 10:00:00+23:59", 1_767_175_260_000),
        ("2026-12-31T23:59:59.999-00:30", 1_798_763_399_999),
    ])
    func `a moment of the calendar is one`(text: String, milliseconds: Int64) {
        #expect(WallTime(text)?.milliseconds == milliseconds)
    }
}
