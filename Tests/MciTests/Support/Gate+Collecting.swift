// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// A sink that keeps what it takes.
private struct Collector: GateSink {
    var outputs: [GateOutput] = []

    mutating func take(_ output: GateOutput) { outputs.append(output) }
}

extension Gate {
    /// As the gate's own, with the outputs handed to a closure.
    mutating func set(_ new: Conditions, at time: EventTime, into body: (GateOutput) -> Void) {
        var collector = Collector()
        set(new, at: time, into: &collector)
        collector.outputs.forEach(body)
    }

    /// As the gate's own, with the outputs handed to a closure.
    mutating func use(
        _ restrictions: Restrictions,
        at minute: WeekMinute,
        from time: EventTime,
        into body: (GateOutput) -> Void
    ) {
        var collector = Collector()
        use(restrictions, at: minute, from: time, into: &collector)
        collector.outputs.forEach(body)
    }

    /// As the gate's own, with the outputs handed to a closure.
    mutating func recordClosure(until time: EventTime, into body: (GateOutput) -> Void) {
        var collector = Collector()
        recordClosure(until: time, into: &collector)
        collector.outputs.forEach(body)
    }

    /// As the gate's own, with the outputs handed to a closure.
    mutating func take(_ event: CaptureEvent, into body: (GateOutput) -> Void) -> Bool? {
        var collector = Collector()
        let isAdmitted = take(event, into: &collector)
        collector.outputs.forEach(body)
        return isAdmitted
    }
}
