// SPDX-License-Identifier: Apache-2.0

import Control

/// Counts input events since the start, so that seen = admitted + suppressed + lost always holds.
struct Accounting {
    private var admitted = 0
    private var suppressed = 0
    private var lost = 0

    /// An input event was decided upon.
    mutating func count(admitted isAdmitted: Bool) {
        if isAdmitted { admitted += 1 } else { suppressed += 1 }
    }

    /// Admitted events could not be stored.
    mutating func lose(_ count: Int) {
        // Releases that the gate implied were stored without having been seen.
        let count = min(count, admitted)
        admitted -= count
        lost += count
    }

    var events: Status.Events {
        var events = Status.Events()
        events.seen = admitted + suppressed + lost
        events.admitted = admitted
        events.suppressed = suppressed
        events.lost = lost
        return events
    }
}
