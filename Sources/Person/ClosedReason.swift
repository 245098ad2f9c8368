// SPDX-License-Identifier: Apache-2.0

import Events

/// Why nothing is recorded, as the person reads it.
package enum ClosedReason {
    /// A clause for the name of a reason, such as “the screen is locked”; nil for one that says
    /// little to a person.
    package static func words(_ name: String?) -> String? {
        switch name {
        case GapReason.noConsent.name: "you have not consented"
        case GapReason.exempt.name: "you exempted everything"
        case GapReason.excluded.name: "everything is excluded at this hour"
        case GapReason.diskFull.name: "the disk is nearly full"
        case GapReason.markHidden.name: "the mark on the screen cannot be seen"
        case GapReason.asleep.name: "the computer sleeps or has just woken"
        case GapReason.sessionLocked.name: "the screen is locked"
        case GapReason.away.name: "another session is in front of the screen"
        case GapReason.unattended.name: "the companion, which knows of locks, is missing"
        default: nil
        }
    }
}
