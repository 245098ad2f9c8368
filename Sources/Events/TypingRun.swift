// SPDX-License-Identifier: Apache-2.0

/// How keys that write text are told: as the stretches in which there were any, in whole steps.
///
/// The times of keys are content: from the pauses between them words and passwords can be guessed (Song,
/// Wagner and Tian, "Timing Analysis of Keystrokes and Timing Attacks on SSH", USENIX Security 2001).
/// What is stored of a run depends on the steps of its first and its last key and on nothing else.
package enum TypingRun {
    /// Milliseconds of a step of the monotonic clock: begin and end of a run are multiples of it.
    ///
    /// With one second the length of a password would show: see `make attack`.
    package static let step: Int64 = 5000
    /// Milliseconds without a key after which a run has ended.
    package static let patience: Int64 = 2000

    /// The beginning of the step in which a moment lies.
    package static func begin(of time: EventTime) -> EventTime {
        let rest = time.milliseconds % step
        return EventTime(time.milliseconds &- (rest < 0 ? rest + step : rest))
    }

    /// The end of the step in which a moment lies: the beginning of the next one.
    package static func end(of time: EventTime) -> EventTime {
        EventTime(begin(of: time).milliseconds &+ step)
    }
}
