// SPDX-License-Identifier: Apache-2.0

package import Events

/// What a verification found, without any content.
package struct Verification: Equatable, Sendable {
    /// What is wrong with batches, or with the ring around them.
    package enum Fault: String, CaseIterable, Sendable {
        /// The batch does not open, or its columns disagree.
        case damaged
        /// It opens, but this recorder did not sign it.
        case unsigned
        /// It was sealed to another key than the person's.
        case foreign
        /// It is another batch than its place says, or older than what the ring should hold.
        case misplaced
        /// It stands in the ring more than once.
        case doubled
        /// It should be there and is not.
        case missing
        /// It is an earlier state of itself.
        case outdated
        /// Its time in the ring is not the one inside.
        case mistimed
        /// The note that it is gone was not signed by this recorder.
        case forgedNote
        /// All of it is as it was, but not the proof of its row.
        case unproven
        /// An empty slot is not empty.
        case notEmpty
        /// Batches that had to be there at a start of the recorder were not.
        case lost
        /// Ring and head are an older copy of themselves, or were at a start of the recorder.
        case putBack
        /// The ring's file was gone at a start of the recorder.
        case ringGone
        /// The head was gone or unreadable at a start of the recorder.
        case headGone
        /// What is remembered outside of the ring is damaged, or all of it is gone.
        case marks
        /// Pages that hold no batch are not what they were.
        case structure
        /// The tree of the database cannot be read.
        case unreadable
        /// The head, which tells what must be there, is missing or damaged.
        case head

        /// What it is called in a sentence.
        package var words: String {
            switch self {
            case .damaged: "damaged"
            case .unsigned: "not signed by this recorder"
            case .foreign: "sealed to another key"
            case .misplaced: "in a place that is not theirs"
            case .doubled: "there more than once"
            case .missing: "missing"
            case .outdated: "put back to an earlier state"
            case .mistimed: "marked with another time than their own"
            case .forgedNote: "replaced by a note that this recorder did not sign"
            case .unproven: "in rows that this recorder did not sign"
            case .lost: "found missing when the recorder started"
            case .putBack: "the ring was put back to an older state"
            case .ringGone: "the ring's file had been removed when the recorder started"
            case .headGone: "the head file had been removed or damaged when the recorder started"
            case .marks: "a file of high-water marks is damaged or gone"
            case .notEmpty: "changed though nothing was stored there"
            case .structure: "pages of the database that hold no batch were changed"
            case .unreadable: "the database's tree is damaged"
            case .head: "the head file is missing or damaged"
            }
        }

        /// Whether it is a fault of batches, and not of the files around them.
        package var isOfBatches: Bool {
            switch self {
            case .structure, .unreadable, .head, .putBack, .ringGone, .headGone, .marks: false
            default: true
            }
        }
    }

    /// A fault of consecutive batches.
    package struct Finding: Equatable, Sendable {
        package var fault: Fault
        /// Numbers of the batches; 0 where the fault is not one of batches.
        package var first: UInt64
        package var last: UInt64
        /// Between these moments lies what is affected; nil where nobody can tell.
        package var from: WallTime?
        package var to: WallTime?
        /// When the person said that it is known; nil where nobody did.
        package var acknowledged: WallTime?
        /// The name by which the head has it, where it is from there.
        var incident: String?

        /// What it is called where it is acknowledged.
        package var name: String { incident ?? "\(fault.rawValue) \(first) \(last)" }
    }

    /// Notes of which findings the person said that they are known.
    ///
    /// - Parameter known: when, in milliseconds since 1970, by the names of the findings.
    package mutating func acknowledge(_ known: [String: Int64]) {
        for index in findings.indices {
            findings[index].acknowledged = known[findings[index].name].map { WallTime($0) }
        }
    }

    /// Batches that are whole, and the stretch they cover.
    package var whole = 0
    package var from: WallTime?
    package var to: WallTime?
    /// Batches gone on purpose, by a signed note.
    package var forgotten = 0
    package var expired = 0
    /// Batches that the recorder itself noted as lost.
    package var lost = 0
    package var findings: [Finding] = []
    /// Whether a part of the ring is still being moved, so that it could not be looked at.
    package var isIncomplete = false

    package var isWhole: Bool { findings.isEmpty }

    /// Whether the person said of everything that was found that it is known.
    package var isAcknowledged: Bool {
        !findings.isEmpty && findings.allSatisfy { $0.acknowledged != nil }
    }

    /// Adds a fault of a batch; consecutive ones become one finding.
    mutating func add(_ fault: Fault, _ sequence: UInt64 = 0, _ around: (WallTime?, WallTime?)) {
        if sequence > 0, let index = findings.lastIndex(where: { $0.fault == fault }),
            findings[index].last + 1 == sequence
        {
            findings[index].last = sequence
            findings[index].to = around.1 ?? findings[index].to
        } else {
            findings.append(
                Finding(
                    fault: fault,
                    first: sequence,
                    last: sequence,
                    from: around.0,
                    to: around.1
                )
            )
        }
    }
}
