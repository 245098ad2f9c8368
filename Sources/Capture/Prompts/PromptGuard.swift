// SPDX-License-Identifier: Apache-2.0

import Events

/// Decides for each key typed into a terminal whether it may be part of a secret.
///
/// Looking at the terminals detects a prompt that is open, but not one that came and went between
/// two looks. So a key is free of doubt only if the looks before and after it were clear. In
/// addition, no key since the earlier look may have been read later than ``maxInterval`` after it was
/// typed. What can slip through is a secret typed together with its Enter within that time, as a
/// program would type it; a person never does. A prompt on another host (ssh), in a container with
/// its own terminals, or of a program that edits the line itself cannot be detected here.
struct PromptGuard {
    /// One look at the terminals.
    struct Look {
        /// Whether no program asked for a secret.
        var isClear: Bool
        var begin: EventTime
        var end: EventTime
    }

    /// Maximum milliseconds from a key to the look after it.
    static let maxInterval: Int64 = 20

    /// Milliseconds between looks while there is doubt and nobody types; the pause doubles.
    private static let pauses: ClosedRange<Int64> = 25...4000

    /// The recent looks, oldest first.
    private var looks: [Look] = []
    private var hasLooked = false
    private var pause = Self.pauses.lowerBound

    /// The time at which to look again without a key; nil while there is no doubt.
    ///
    /// Only a look detects that a prompt is over, and the first key after it needs that.
    var lookDue: EventTime? {
        guard let last = looks.last, !last.isClear else { return nil }
        return EventTime(last.end.milliseconds + pause)
    }

    /// A terminal came to the front: earlier looks say nothing about it.
    mutating func enter() {
        looks = []
        hasLooked = false
        pause = Self.pauses.lowerBound
    }

    /// Begins a drain: a look from now on is after the keys of this drain.
    mutating func beginReading() {
        hasLooked = false
    }

    /// Judges a key of this drain.
    ///
    /// - Parameters:
    ///   - time: The time of the key.
    ///   - look: Looks at the terminals.
    /// - Returns: Whether the key may be part of a secret.
    mutating func mayBeSecret(_ time: EventTime, _ look: () -> Look) -> Bool {
        lookOnce(look)
        // The prompt may just have been answered.
        pause = Self.pauses.lowerBound
        guard let after = looks.last else { return true }
        if after.begin < time || after.end.milliseconds - time.milliseconds > Self.maxInterval {
            // Earlier looks prove nothing for this key or the next.
            looks = [after]
            return true
        }
        for look in looks.reversed() {
            guard look.isClear else { return true }
            // Within one millisecond the order is unknown.
            if look.end < time { return false }
        }
        return true
    }

    /// Ends a drain with the terminal in front: the next drain needs a clear look before it.
    ///
    /// - Parameters:
    ///   - now: The current time.
    ///   - look: Looks at the terminals.
    mutating func endReading(at now: EventTime, _ look: () -> Look) {
        if looks.isEmpty { return lookOnce(look) }
        guard let due = lookDue, due <= now, !hasLooked else { return }
        lookOnce(look)
        pause = min(2 * pause, Self.pauses.upperBound)
    }

    private mutating func lookOnce(_ look: () -> Look) {
        guard !hasLooked else { return }
        hasLooked = true
        looks = looks.suffix(7) + [look()]
    }
}
