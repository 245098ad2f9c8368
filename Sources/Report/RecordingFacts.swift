// SPDX-License-Identifier: Apache-2.0

package import Events
package import Timeline

/// What a recording holds and what it leaves out, as ``Tally`` counted it.
package struct RecordingFacts: Sendable, Redacted {
    /// What was left out, and of which stream.
    package struct Omission: Hashable, Sendable {
        /// Why.
        package var reason: GapReason
        /// The stream; nil for all input.
        package var stream: InputStream?

        /// Creates an omission of one stream, or of all input.
        package init(_ reason: GapReason, _ stream: InputStream? = nil) {
            (self.reason, self.stream) = (reason, stream)
        }
    }

    /// A device with recorded events.
    package struct RecordedDevice: Sendable, Redacted {
        /// Its XInput2 id.
        package var id: UInt8
        /// Its description; nil if the recording has none.
        package var device: Device?
        /// The number of its events.
        package var events = 0
        /// The time of its first event.
        package var first: WallTime
        /// The time of its last event.
        package var last: WallTime
    }

    /// A monitor and the clicks on it, in cells.
    package struct ClickMap: Sendable, Redacted {
        /// The least width and height of a cell in pixels.
        ///
        /// A smaller one would let an on-screen keyboard be read back.
        package static let leastCell = 40
        /// Cells with fewer clicks are not shown.
        package static let fewest = 3

        /// The part of the desktop that the monitor shows.
        package var monitor: ScreenLayout.Monitor
        /// Width and height of a cell in pixels.
        package var cell: Int
        /// Clicks, row by row.
        package var cells: [Int]

        /// Cells in a row.
        package var columns: Int { (Int(monitor.width) + cell - 1) / cell }
        /// Rows of cells.
        package var rows: Int { (Int(monitor.height) + cell - 1) / cell }
        /// All clicks on the monitor.
        package var clicks: Int { cells.reduce(0, +) }
        /// The clicks in cells that are not shown.
        package var hidden: Int { cells.reduce(0) { $1 < Self.fewest ? $0 + $1 : $0 } }
    }

    /// From the first to the last moment that the recording covers, in milliseconds
    /// since 1970; empty when it says nothing.
    package internal(set) var span: Range<Int64> = 0..<0
    /// The input of each application in each hour; "" is no application.
    ///
    /// An hour is named by its beginning in local time, in milliseconds since 1970.
    package internal(set) var hours: [Int64: [String: InputCounts]] = [:]
    /// When each application was in front while its window could be recorded; without "".
    package internal(set) var front: [String: Spans] = [:]
    /// When input was left out.
    package internal(set) var omissions: [Omission: Spans] = [:]
    /// Times between stored batches of which nothing is kept.
    package internal(set) var missing = Spans()
    /// The devices, by their first event.
    package internal(set) var devices: [RecordedDevice] = []
    /// The monitors with clicks on them.
    package internal(set) var clickMaps: [ClickMap] = []
    /// Clicks with a pixel on no monitor.
    package internal(set) var clicksElsewhere = 0
    /// Scroll events whose pixel is known.
    package internal(set) var scrollsWithPixel = 0
    /// Events that programs made.
    package internal(set) var injected = 0
    /// Events of devices that the recording does not describe.
    package internal(set) var undescribed = 0
    /// The demonstrations, oldest first.
    package internal(set) var demonstrations: [Demonstration] = []
    /// How often the wall clock was set.
    package internal(set) var clockSteps = 0
    /// How often a batch was recorded at each key detail.
    package internal(set) var keyDetails: [String: Int] = [:]
    /// Batches recorded without a sandbox.
    package internal(set) var unconfined = 0
    /// The batches that were read.
    package var summary = TimelineReader.Summary()

    /// Creates the facts of an empty recording.
    package init() {}

    /// The input of everything together.
    package var total: InputCounts {
        var total = InputCounts()
        for apps in hours.values { for counts in apps.values { total.add(counts) } }
        return total
    }

    /// The input of each application.
    package var apps: [String: InputCounts] { apps(within: nil) }

    /// The input of each application in the hours that begin within a span; nil for all hours.
    func apps(within span: Range<Int64>?) -> [String: InputCounts] {
        hours.reduce(into: [:]) { result, hour in
            guard span?.contains(hour.key) ?? true else { return }
            for (app, counts) in hour.value { result[app, default: InputCounts()].add(counts) }
        }
    }

    /// Omissions with their time, the longest first.
    static func longestFirst(
        _ omissions: [Omission: Spans]
    ) -> [(omission: Omission, spans: Spans)] {
        omissions.map { (omission: $0.key, spans: $0.value, length: $0.value.length) }
            .sorted {
                ($1.length, $0.omission.reason.rawValue, $0.omission.stream?.rawValue ?? 2)
                    < ($0.length, $1.omission.reason.rawValue, $1.omission.stream?.rawValue ?? 2)
            }
            .map { ($0.omission, $0.spans) }
    }

    /// When nothing at all was recorded, whatever the reason.
    package var closed: Spans {
        omissions.reduce(into: Spans()) { result, omission in
            if omission.key.stream == nil { for span in omission.value.all { result.add(span) } }
        }.united
    }

    /// When something could be recorded: neither left out nor missing.
    package var open: Spans {
        Spans([span]).without(closed.union(missing))
    }
}
