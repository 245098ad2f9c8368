// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Timeline

/// The quality of a recording as training data: figures, and what to do about them.
///
/// It never says how much was typed in a gap: only how long gaps were. Clicks and scrolls are
/// counted, keys are not.
package struct Quality: Encodable, Sendable {
    /// Time in minutes, and its share of the whole span.
    package struct Time: Encodable, Sendable {
        /// The word of the reason; `recorded` and `missing` besides those of gaps.
        package var reason: String
        /// `keyboard`, `pointer`, or nil for all input.
        package var stream: String?
        /// Minutes, to a thousandth.
        package var minutes: Double
        /// The share of the span, from 0 to 1.
        package var share: Double
    }

    /// Events of a kind, and how many of them have a pixel.
    package struct Positions: Encodable, Sendable {
        /// All of them.
        package var all: Int
        /// Those with a pixel.
        package var withPixel: Int
        /// Those without one.
        package var withoutPixel: Int
        /// Their share, from 0 to 1; nil if there are none.
        package var share: Double?
    }

    /// One judgement.
    package struct Check: Encodable, Sendable {
        /// Its name, which does not change.
        package var name: String
        /// The figure.
        package var value: Double
        /// The limit it is compared with; a figure beyond it is a warning.
        package var limit: Double
        /// Whether the figure is within the limit.
        package var isGood: Bool
        /// The figure in an English sentence.
        package var words: String
        /// What to do; empty where nothing needs to be done.
        package var next: String
    }

    /// The version of this JSON object, 1.
    package var schema = 1
    /// The beginning of the span in RFC 3339; nil when nothing was recorded.
    package var from: String?
    /// The end of the span in RFC 3339; nil when nothing was recorded.
    package var to: String?
    /// How the span was spent; input left out for two reasons at once counts for both.
    package var times: [Time] = []
    /// Presses of buttons.
    package var clicks: Positions
    /// Scroll events.
    package var scrolls: Positions
    /// How often the wall clock was set.
    package var clockSteps: Int
    /// Events of input without keys and typing runs.
    package var pointerEvents: Int
    /// Events that programs made, or devices that are not described.
    package var injectedEvents: Int
    /// Events of devices that are not described, so that nobody knows whether programs made them.
    package var undescribedEvents: Int
    /// Devices with events.
    package var devices: Int
    /// How many of these have no name.
    package var devicesWithoutName: Int
    /// Batches that were read.
    package var batches: Int
    /// Batches that are damaged.
    package var damagedBatches: Int
    /// Batches that were sealed to another key.
    package var foreignBatches: Int
    /// Batches that were recorded without a sandbox.
    package var unconfinedBatches: Int
    /// How many batches were recorded at each key detail.
    package var keyDetails: [String: Int]
    /// The judgements.
    package var checks: [Check] = []

    /// Judges a recording.
    package init(_ facts: RecordingFacts) {
        let total = facts.total
        let length = Double(facts.span.upperBound - facts.span.lowerBound)
        if length > 0 {
            from = WallTime(facts.span.lowerBound).text
            to = WallTime(facts.span.upperBound).text
        }
        clicks = Self.positions(total.clicks, total.clicksWithPixel)
        scrolls = Self.positions(total.wheelTurns, facts.scrollsWithPixel)
        clockSteps = facts.clockSteps
        pointerEvents = total.movements + total.clicks + total.wheelTurns + total.touches
        injectedEvents = facts.injected
        undescribedEvents = facts.undescribed
        devices = facts.devices.count
        devicesWithoutName = facts.devices.count { $0.device?.name.isEmpty ?? true }
        batches = facts.summary.batches
        damagedBatches = facts.summary.damaged
        foreignBatches = facts.summary.foreign
        unconfinedBatches = facts.unconfined
        keyDetails = facts.keyDetails
        func time(_ reason: String, _ stream: String?, _ spans: Spans) -> Time {
            let milliseconds = Double(spans.length)
            return Time(
                reason: reason,
                stream: stream,
                minutes: (milliseconds / 60).rounded() / 1000,
                share: length > 0 ? milliseconds / length : 0
            )
        }
        times = [time("recorded", nil, facts.open)]
        times += facts.omissions.map { time($0.key.reason.name, $0.key.stream?.name, $0.value) }
            .sorted {
                ($1.minutes, $0.reason, $0.stream ?? "") < ($0.minutes, $1.reason, $1.stream ?? "")
            }
        if !facts.missing.isEmpty { times.append(time("missing", nil, facts.missing)) }
        judge(facts, total)
    }

    private static func positions(_ all: Int, _ withPixel: Int) -> Positions {
        Positions(
            all: all,
            withPixel: withPixel,
            withoutPixel: all - withPixel,
            share: all > 0 ? Double(withPixel) / Double(all) : nil
        )
    }

    private mutating func judge(_ facts: RecordingFacts, _ total: InputCounts) {
        func add(
            _ name: String,
            _ value: Double,
            atMost limit: Double,
            _ words: String,
            _ next: String
        ) {
            let isGood = value <= limit
            checks.append(
                Check(
                    name: name,
                    value: value,
                    limit: limit,
                    isGood: isGood,
                    words: words,
                    next: isGood ? "" : next
                )
            )
        }
        func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
        let open = Double(facts.open.length)
        func share(_ reason: GapReason) -> Double {
            let spans = facts.omissions.reduce(into: Spans()) { result, omission in
                guard omission.key.reason == reason else { return }
                for span in omission.value.all { result.add(span) }
            }
            return open > 0 ? min(Double(spans.length) / open, 1) : 0
        }
        let unknown = share(.unknownContext)
        add(
            "unknown-window",
            unknown,
            atMost: 0.02,
            "For \(percent(unknown)) of the recorded time the focused window was unknown.",
            "mcictl query \"SELECT * FROM gaps WHERE reason = 'unknown-context'\""
        )
        let lost = share(.lost)
        add(
            "lost",
            lost,
            atMost: 0,
            "Recorded input was lost for \(percent(lost)) of the recorded time.",
            "df -h (is the disk full?), or mcictl doctor"
        )
        let placeless = clicks.share.map { 1 - $0 } ?? 0
        add(
            "clicks-without-pixel",
            placeless,
            atMost: 0.05,
            "\(percent(placeless)) of the clicks have no known position.",
            "check the pointer devices: mcictl query \"SELECT * FROM devices\""
        )
        let events = Double(max(total.events, 1))
        let injected = Double(injectedEvents) / events
        add(
            "injected",
            injected,
            atMost: 0.01,
            "\(percent(injected)) of the events were made by programs.",
            "mcictl export --human-only"
        )
        let undescribed = Double(undescribedEvents) / events
        add(
            "undescribed-devices",
            undescribed,
            atMost: 0,
            "\(percent(undescribed)) of the events come from devices that the recording does not describe.",
            "mcictl export --human-only"
        )
        add(
            "devices-without-name",
            Double(devicesWithoutName),
            atMost: 0,
            "\(TimeText.count(devicesWithoutName, "device has", "devices have")) no name.",
            "mcictl query \"SELECT DISTINCT device, kind, name FROM devices\""
        )
        add(
            "clock-steps",
            Double(clockSteps),
            atMost: 0,
            "The wall clock was set \(TimeText.count(clockSteps, "time", "times")).",
            "timedatectl set-ntp true; sort events in stored order, not by time"
        )
        let unread = Double(damagedBatches + foreignBatches)
        add(
            "unreadable-batches",
            unread,
            atMost: 0,
            "\(TimeText.count(Int(unread), "batch", "batches")) could not be opened.",
            "mcictl verify"
        )
        add(
            "without-sandbox",
            Double(unconfinedBatches),
            atMost: 0,
            "\(TimeText.count(unconfinedBatches, "batch was", "batches were")) recorded without a sandbox.",
            "systemctl --user restart mcid"
        )
    }
}
