// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Packing

extension Recorder {
    /// The longest time one batch spans, in milliseconds; with the rounding of its end it never
    /// reaches back two minutes.
    static let longestBatch: Int64 = 59_000

    /// Adds to the open batch what the gate let out.
    func keep(_ output: GateOutput) {
        guard mayStore else { return }
        let time: EventTime
        switch output {
        case .event(let event):
            time = event.time
            lastStored = WallTime(time.milliseconds + store.wallOffset(environment.clock))
        case .focus(let focus): time = focus.time
        case .gap(let gap): time = gap.to
        }
        if !builder.isEmpty, time.milliseconds >= closeDue { closeBatch() }
        if builder.isEmpty { begin(at: time) }
        builder.append(output)
        store.becameDirty(at: time.milliseconds)
        if builder.isFull { closeBatch() }
    }

    /// Stores the open batch.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - closing: whether the next item begins a new batch. A batch that stays open is stored in
    ///     the same slot again when it has grown.
    func flush(at now: Moment, closing: Bool) {
        guard !builder.isEmpty else { return }
        if closing || now.monotonic.milliseconds >= closeDue { return closeBatch() }
        guard store.isDirty else { return }
        if let batch = builder.pack() { store.put(batch) { accounting.lose($0) } }
        if builder.isFull { advance() }
        store.flushed(isEmpty: builder.isEmpty)
    }

    /// When the open batch has to end, in monotonic milliseconds; its plaintext lives no longer.
    var closeDue: Int64 { builder.base.milliseconds + Self.longestBatch }

    private func begin(at time: EventTime) {
        let now = environment.clock()
        builder.begin(store.nextHeader(now, base: time, detail: keyDetail.rank))
    }

    private func closeBatch() {
        if store.isDirty {
            if let batch = builder.pack() { store.put(batch) { accounting.lose($0) } }
            advance()
        } else {
            builder.discard(nextHeader())
        }
        store.flushed(isEmpty: builder.isEmpty)
        // What did not fit begins the next batch.
        if !builder.isEmpty { store.becameDirty(at: builder.base.milliseconds) }
    }

    private func advance() {
        builder.advance(nextHeader())
    }

    private func nextHeader() -> BatchHeader {
        let now = environment.clock()
        return store.nextHeader(now, base: now.monotonic, detail: keyDetail.rank)
    }

}
