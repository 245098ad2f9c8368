// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Gate
import Logging
import Person

/// The demonstration that goes on: its begin and its end are exact, and its batches say that they are
/// its own.
extension Recorder {
    /// Begins a demonstration; it is in force and on disk when this returns.
    func demonstrate(_ call: DemonstrateCall) throws(Refusal) -> ControlReply {
        let now = environment.clock()
        catchUp(now)
        guard hasConsent else {
            throw Refusal("Nothing is recorded: you have not consented.", next: "mcictl consent")
        }
        guard controls.demonstration == nil else {
            throw Refusal(
                "Another demonstration is in progress.",
                next: "mcictl demonstrate --end done"
            )
        }
        let record = try DemonstrationRecord(
            call,
            at: now,
            bootID: environment.bootID,
            below: restrictions.keyDetail
        )
        try changeRules { $0.demonstration = record }
        environment.log.notice("A demonstration began")
        return ControlReply(status: status)
    }

    /// Ends the demonstration; what follows is no longer a part of it.
    func endDemonstration(_ word: String) throws(Refusal) -> ControlReply {
        guard let outcome = Demonstration.Outcome.allCases.first(where: { $0.name == word }),
            outcome != .expired
        else { throw Refusal("A demonstration ends as done or failed.") }
        catchUp(environment.clock())
        guard controls.demonstration != nil else {
            throw Refusal("No demonstration is in progress.", next: "mcictl demonstrate --help")
        }
        let now = environment.clock().wall.text
        try changeRules { controls in
            controls.demonstration?.ended = now
            controls.demonstration?.outcome = word
        }
        return ControlReply(status: status)
    }

    /// The demonstration in the controls, unless it is over.
    var runningDemonstration: DemonstrationRecord? {
        controls.demonstration.flatMap { record in
            let ended = record.ended(at: environment.clock(), bootID: environment.bootID)
            return ended == nil ? record : nil
        }
    }

    /// Stores the end of a demonstration that is over, and has batches say which one goes on.
    ///
    /// What it allowed ends at once, whether or not the controls can be written.
    func tendDemonstration(at now: Moment) {
        guard let ended = controls.demonstration?.ended(at: now, bootID: environment.bootID) else {
            return pipeline.openBatch.use(
                controls.demonstration?.demonstration,
                at: now.monotonic
            )
        }
        if !ended.isSame(as: storedEnd) {
            storedEnd = ended
            pipeline.openBatch.mayStore = hasConsent
            pipeline.openBatch.end(ended, at: now.monotonic)
            environment.log.notice("A demonstration ended")
            statusChanged = true
            readRules()
        }
        var new = controls
        new.demonstration = nil
        _ = save(new)
        pipeline.openBatch.use(nil, at: now.monotonic)
    }

    /// The demonstration that goes on, for the status.
    var demonstration: Status.Demonstration? {
        runningDemonstration.map { record in
            Status.Demonstration(
                name: record.name,
                goal: record.goal,
                since: record.term.since,
                until: record.term.until,
                keyDetail: record.keyDetail,
                titles: record.titles ?? false,
                only: record.only ?? []
            )
        }
    }
}
