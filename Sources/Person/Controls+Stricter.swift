// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// What still counts of an older copy of the controls, or of controls that could not be written.
extension Controls {
    /// These controls without everything that allows more to be recorded.
    ///
    /// The pause, exemptions, exclusions and the allowlist stay. The consent goes, and every
    /// default exclusion is in force again.
    package var onlyStricter: Controls {
        var kept = self
        (kept.consent, kept.removedExclusions, kept.demonstration) = (nil, [], nil)
        return kept
    }

    /// Combines two controls, so that nothing is recorded that either of them excludes.
    ///
    /// The consent, the number and everything else are those of these controls.
    ///
    /// - Parameter other: the controls to combine with.
    /// - Returns: the combined controls.
    package func stricter(_ other: Controls) -> Controls {
        var result = self
        result.pause = TimeLimit.later(pause, other.pause)
        result.lastExemption = max(lastExemption, other.lastExemption)
        for record in other.exemptions { result.keep(record) }
        // It may record more than usual.
        result.demonstration = nil
        result.exclusions += other.exclusions.filter { !exclusions.contains($0) }
        result.removedExclusions = removedExclusions.filter(other.removedExclusions.contains)
        if let theirs = other.only {
            // The intersection of both allowlists; an empty one lets nothing be recorded.
            result.only = only.map { $0.filter(theirs.contains) } ?? theirs
        }
        return result
    }

    /// Adds or extends an exemption of other controls.
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
        // Two exemptions must not share an id: the added one gets a new id.
        if exemptions.contains(where: { $0.id == record.id }) {
            record.id = nextExemption() ?? record.id
        }
        exemptions.append(record)
    }
}
