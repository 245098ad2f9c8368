// SPDX-License-Identifier: Apache-2.0

package import Events
package import Packing

/// An opened item with its time on the wall clock.
package struct RecordedEvent: Sendable, Redacted {
    package let time: WallTime
    package let item: OpenedItem
    /// Whether a program made it, by the server's XTEST device; nil where its device is not described.
    package let isInjected: Bool?

    /// Puts an item on the wall clock.
    ///
    /// - Parameters:
    ///   - item: of an opened batch.
    ///   - header: of the same batch.
    ///   - isInjected: whether a program made it; nil where nobody can say.
    ///   - last: the latest time before it. A gap of not running begins to the minute only and is
    ///     cut to what is known.
    package init(
        _ item: OpenedItem,
        in header: BatchHeader,
        isInjected: Bool? = nil,
        after last: WallTime
    ) {
        var item = item
        let start = WallTime(item.time.milliseconds &+ header.wallOffset)
        if case .gap(.notRunning, let end, _) = item.payload, start < last {
            let cut = min(last.milliseconds &- header.wallOffset, end.milliseconds)
            item.time = EventTime(max(item.time.milliseconds, cut))
        }
        self.item = item
        self.isInjected = isInjected
        time = WallTime(item.time.milliseconds &+ header.wallOffset)
    }

    /// The end of a gap or of a run of text on the wall clock; for all others their time.
    package var end: WallTime {
        WallTime(time.milliseconds &+ item.end.milliseconds &- item.time.milliseconds)
    }
}
