// SPDX-License-Identifier: Apache-2.0

/// The rounding of text input: only periods of typing are stored, in whole steps.
///
/// Key times are content: the pauses between keys reveal words and passwords (Song, Wagner and
/// Tian, "Timing Analysis of Keystrokes and Timing Attacks on SSH", USENIX Security 2001). What is
/// stored of a run depends only on the steps of its first and its last key.
package enum TypingRun {
    /// Length of a step in milliseconds of CLOCK_MONOTONIC: runs begin and end at its multiples.
    ///
    /// A step of one second would reveal the length of a password: see `make attack`.
    package static let step: Int64 = 5000
    /// Milliseconds without a key after which a run ends.
    package static let patience: Int64 = 2000

    /// The beginning of the step that contains a moment.
    package static func begin(of time: EventTime) -> EventTime {
        EventTime(time.milliseconds.roundedDown(to: step))
    }

    /// The end of the step that contains a moment: the beginning of the next step.
    package static func end(of time: EventTime) -> EventTime {
        EventTime(begin(of: time).milliseconds &+ step)
    }
}
