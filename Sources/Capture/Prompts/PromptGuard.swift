// SPDX-License-Identifier: Apache-2.0

import Events

/// Decides of each key typed into a terminal whether a program may have asked for a secret with it.
///
/// A prompt that is up is seen by looking at the terminals; one that came and went between two
/// looks is not. So a key is free of doubt only when the looks before and after it were both clear
/// and not one key since the look before it was read later than ``longest`` after it was typed.
/// What can slip is a secret typed with its Enter, all within that time, as by a program that
/// types; what a person types never is. A prompt on another host (ssh), in a container with
/// terminals of its own, or of a program that edits the line itself cannot be seen from here.
struct PromptGuard {
    /// A look at the terminals.
    struct Look {
        /// Whether no program asked for a secret.
        var isClear: Bool
        var begin: EventTime
        var end: EventTime
    }

    /// The longest time from a key to the look after it, in milliseconds.
    static let longest: Int64 = 20

    /// The pauses between looks while there is doubt and nobody types, in milliseconds.
    private static let pauses: ClosedRange<Int64> = 25...4000

    /// From the oldest to the newest.
    private var looks: [Look] = []
    private var hasLooked = false
    private var pause = Self.pauses.lowerBound

    /// When the terminals are to be looked at again though no key comes; nil while there is no doubt.
    ///
    /// A prompt that is over is seen to be over by a look, and the first key behind it needs that.
    var lookDue: EventTime? {
        guard let last = looks.last, !last.isClear else { return nil }
        return EventTime(last.end.milliseconds + pause)
    }

    /// A terminal came to the front: nothing is known of it before now.
    mutating func enter() {
        looks = []
        hasLooked = false
        pause = Self.pauses.lowerBound
    }

    /// A new reading: what is looked at from now on is after its keys.
    mutating func beginReading() {
        hasLooked = false
    }

    /// Judges a key of this reading.
    ///
    /// - Parameters:
    ///   - time: when it was typed.
    ///   - look: looks at the terminals.
    /// - Returns: whether it may be part of a secret.
    mutating func mayBeSecret(_ time: EventTime, _ look: () -> Look) -> Bool {
        lookOnce(look)
        // What was asked for may have been given.
        pause = Self.pauses.lowerBound
        guard let after = looks.last else { return true }
        if after.begin < time || after.end.milliseconds - time.milliseconds > Self.longest {
            // What came before the look is over, for this key and for the next.
            looks = [after]
            return true
        }
        for look in looks.reversed() {
            guard look.isClear else { return true }
            // In the same millisecond nobody can say which was first.
            if look.end < time { return false }
        }
        return true
    }

    /// The end of a reading with the terminal in front: the next one needs a clear look before it.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - look: looks at the terminals.
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
