// SPDX-License-Identifier: Apache-2.0

package import Events

/// The result of a verification, without any content.
package struct Verification: Equatable, Sendable {
    /// A fault of batches, or of the ring's files; the raw value is part of the JSON output.
    package enum Fault: String, CaseIterable, Sendable {
        /// The batch does not open, or its columns contradict each other.
        case damaged
        /// It opens, but this recorder did not sign it.
        case unsigned
        /// It was sealed to a key that is not the person's.
        case foreign
        /// It is not the batch that its row claims, or older than the ring should contain.
        case misplaced
        /// The ring contains it more than once.
        case doubled
        /// It should be in the ring and is not.
        case missing
        /// It is an earlier state of itself.
        case outdated
        /// The row has another end than the batch inside.
        case mistimed
        /// Its tombstone was not signed by this recorder.
        case forgedNote
        /// The batch is unchanged, but the proof of its row is not valid.
        case unproven
        /// A slot that should be empty is not.
        case notEmpty
        /// Batches were missing when the recorder started.
        case lost
        /// Ring and head are an older copy of themselves, or were when the recorder started.
        case putBack
        /// The ring's file was missing when the recorder started.
        case ringGone
        /// The head was missing or unreadable when the recorder started.
        case headGone
        /// A file of high-water marks outside of the ring is damaged, or all of them are missing.
        case marks
        /// Pages that hold no batch have changed.
        case structure
        /// SQLite's B-tree of the rows cannot be read.
        case unreadable
        /// The head, which records what the ring must contain, is missing or damaged.
        case head

        /// The words for it in an English sentence.
        package var words: String {
            switch self {
            case .damaged: "damaged"
            case .unsigned: "not signed by this recorder"
            case .foreign: "sealed to another key"
            case .misplaced: "in the wrong place"
            case .doubled: "present more than once"
            case .missing: "missing"
            case .outdated: "put back to an earlier state"
            case .mistimed: "marked with the wrong time"
            case .forgedNote: "replaced by a note that this recorder did not sign"
            case .unproven: "in rows that this recorder did not sign"
            case .lost: "found missing when the recorder started"
            case .putBack: "the ring was put back to an older state"
            case .ringGone: "the ring's file had been removed when the recorder started"
            case .headGone: "the head file had been removed or damaged when the recorder started"
            case .marks: "a file of high-water marks is damaged or gone"
            case .notEmpty: "an empty slot of the ring was changed"
            case .structure: "pages of the database that hold no batch were changed"
            case .unreadable: "the database's tree is damaged"
            case .head: "the head file is missing or damaged"
            }
        }

        /// Whether it is a fault of batches rather than of the files around them.
        package var isOfBatches: Bool {
            switch self {
            case .structure, .unreadable, .head, .putBack, .ringGone, .headGone, .marks: false
            default: true
            }
        }
    }

    /// A fault of consecutive batches.
    package struct Finding: Equatable, Sendable {
        /// What is wrong.
        package var fault: Fault
        /// The lowest sequence number affected; 0 for a fault that is not one of batches.
        package var first: UInt64
        /// The highest sequence number affected; 0 for a fault that is not one of batches.
        package var last: UInt64
        /// The earliest time that may be affected; nil when unknown.
        package var from: WallTime?
        /// The latest time that may be affected; nil when unknown.
        package var to: WallTime?
        /// When the person acknowledged it; nil when they did not.
        package var acknowledged: WallTime?
        /// The name of the incident in the head; nil when the head does not record it.
        var incident: String?

        /// The name under which it is acknowledged.
        package var name: String { incident ?? "\(fault.rawValue) \(first) \(last)" }
    }

    /// Marks the findings that the person has acknowledged.
    ///
    /// - Parameter known: the times of acknowledgement in milliseconds since 1970, by the findings'
    ///   names.
    package mutating func acknowledge(_ known: [String: Int64]) {
        for index in findings.indices {
            findings[index].acknowledged = known[findings[index].name].map { WallTime($0) }
        }
    }

    /// The number of valid batches.
    package var whole = 0
    /// The beginning of the first valid batch; nil when there is none.
    package var from: WallTime?
    /// The end of the last valid batch, rounded up to the minute; nil when there is none.
    package var to: WallTime?
    /// The number of batches that the person had erased, according to signed tombstones.
    package var forgotten = 0
    /// The number of batches that exceeded their retention, according to signed tombstones.
    package var expired = 0
    /// The number of batches that the recorder itself recorded as lost.
    package var lost = 0
    /// The faults found; empty when all is well.
    package var findings: [Finding] = []
    /// Whether a part of the ring is still being moved, and so was not verified.
    package var isIncomplete = false

    /// Whether no fault was found.
    package var isWhole: Bool { findings.isEmpty }

    /// Whether there are findings and the person has acknowledged all of them.
    package var isAcknowledged: Bool {
        !findings.isEmpty && findings.allSatisfy { $0.acknowledged != nil }
    }

    /// Adds a fault of a batch; faults of consecutive batches become one finding.
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
