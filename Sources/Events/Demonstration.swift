// SPDX-License-Identifier: Apache-2.0

/// A bounded piece of work with a name and a goal, which the person records on purpose.
package struct Demonstration: Equatable, Sendable, Redacted {
    /// How a demonstration ended.
    ///
    /// The raw values are stored in batches, so they are never reused (`Documentation/Format.md`).
    package enum Outcome: UInt8, CaseIterable, Sendable {
        /// The goal was reached.
        case done = 1
        /// The goal was not reached.
        case failed
        /// Its time was over before anybody ended it.
        case expired

        /// The word for it in exports and on the command line.
        package var name: String { "\(self)" }
    }

    /// Maximum bytes of a name.
    package static let maxName = 64
    /// Maximum bytes of a goal.
    package static let maxGoal = 256

    /// The name that the person gave it.
    package var name: String
    /// What was to be done.
    package var goal: String
    /// When it began.
    package var begun: WallTime
    /// When it ended; nil while it goes on.
    package var ended: WallTime?
    /// How it ended; nil while it goes on.
    package var outcome: Outcome?

    /// Creates a demonstration that goes on.
    package init(name: String, goal: String, begun: WallTime) {
        (self.name, self.goal, self.begun) = (name, goal, begun)
    }

    /// The same demonstration, ended.
    package func ended(_ outcome: Outcome, at time: WallTime) -> Demonstration {
        var ended = self
        (ended.ended, ended.outcome) = (time, outcome)
        return ended
    }

    /// Whether both are the same demonstration, ended or not.
    package func isSame(as other: Demonstration?) -> Bool {
        other.map { $0.begun == begun && $0.name == name } ?? false
    }
}
