// SPDX-License-Identifier: Apache-2.0

/// The corner of each monitor in which the mark stands.
package enum MarkCorner: String, Codable, CaseIterable, Sendable {
    /// The corner at the right of the top edge, the default.
    case topRight = "top-right"
    /// The corner at the left of the top edge.
    case topLeft = "top-left"
    /// The corner at the right of the bottom edge.
    case bottomRight = "bottom-right"
    /// The corner at the left of the bottom edge.
    case bottomLeft = "bottom-left"

    /// Whether it is at the right edge.
    package var isRight: Bool { self == .topRight || self == .bottomRight }
    /// Whether it is at the bottom edge.
    package var isBottom: Bool { self == .bottomRight || self == .bottomLeft }
}

/// How the mark is shown and looked for.
package struct MarkSettings: Equatable, Sendable {
    /// The corner of each monitor.
    package var corner = MarkCorner.topRight
    /// Whether its pixels must have exactly the colours that were drawn; otherwise it is enough that
    /// two of them differ, as behind a colour filter or a magnifier.
    package var isExact = true

    /// Creates the defaults.
    package init() {}
}

/// What is known of the mark on the screen.
package struct MarkReport: Equatable, Sendable {
    /// Why the mark could not be seen at the last look.
    package enum Cause: String, Sendable {
        /// Its pixels were not those that were drawn: covered, transparent or painted over.
        case covered
        /// Another program unmapped, moved, reshaped or changed it, or covered a part of it.
        case changed
        /// It has just been shown.
        case new
    }

    /// Whether it can be seen.
    package var isSeen: Bool
    /// When that began.
    package var since: EventTime
    /// Why it cannot be seen; nil if it can.
    package var cause: Cause?
    /// The number of monitors with a mark.
    package var monitors: Int
    /// Whether mcid stopped bringing it back several times a second, because another program hides
    /// it each time.
    package var hasGivenUp: Bool

    /// Creates a report.
    package init(
        isSeen: Bool,
        since: EventTime,
        cause: Cause?,
        monitors: Int,
        hasGivenUp: Bool
    ) {
        self.isSeen = isSeen
        self.since = since
        self.cause = cause
        self.monitors = monitors
        self.hasGivenUp = hasGivenUp
    }
}

/// The moment from which on the mark could be seen, or no longer could.
package struct MarkChange: Equatable, Sendable {
    /// Whether it can be seen from here on.
    package var isSeen: Bool
    /// The moment: of the first good look, or of the last one.
    package var time: EventTime

    /// Creates a change.
    package init(isSeen: Bool, at time: EventTime) {
        self.isSeen = isSeen
        self.time = time
    }
}
