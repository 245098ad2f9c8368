// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// What is left of controls that were put back, or that the disk did not take.
extension Controls {
    /// Pause, exemptions, exclusions and the list of applications: that by which less is recorded.
    ///
    /// The consent goes, and every default exclusion is in force again.
    package var onlyStricter: Controls {
        var kept = self
        (kept.consent, kept.removedExclusions) = (nil, [])
        return kept
    }

    /// What either of two controls asks not to be recorded; consent, number and all else are these
    /// controls' own.
    ///
    /// - Parameter other: the controls to be kept to as well.
    /// - Returns: controls under which nothing is recorded that either leaves out.
    package func stricter(_ other: Controls) -> Controls {
        var result = self
        result.pause = TimeLimit.later(pause, other.pause)
        result.lastExemption = max(lastExemption, other.lastExemption)
        for record in other.exemptions { result.keep(record) }
        result.exclusions += other.exclusions.filter { !exclusions.contains($0) }
        result.removedExclusions = removedExclusions.filter(other.removedExclusions.contains)
        if let theirs = other.only {
            // Of two lists what both name; a list that names nothing lets nothing be recorded.
            result.only = only.map { $0.filter(theirs.contains) } ?? theirs
        }
        return result
    }

    /// Keeps to an exemption of other controls.
    private mutating func keep(_ record: ExemptionRecord) {
        guard record.state != Exemption.State.ended.rawValue else { return }
        if let index = exemptions.firstIndex(where: { $0.request == record.request }) {
            let own = exemptions[index]
            guard own.state != Exemption.State.ended.rawValue else {
                exemptions[index] = record
                return
            }
            guard let term = TimeLimit.later(own.term, record.term) else { return }
            (exemptions[index].until, exemptions[index].bootID) = (term.until, term.bootID)
            exemptions[index].boottimeEnd = term.boottimeEnd
            return
        }
        var record = record
        // A number that was given twice would name two: the newcomer gets another one.
        if exemptions.contains(where: { $0.id == record.id }) {
            record.id = nextExemption() ?? record.id
        }
        exemptions.append(record)
    }
}
