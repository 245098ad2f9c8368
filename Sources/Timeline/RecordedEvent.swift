// SPDX-License-Identifier: Apache-2.0

package import Events
package import Packing

/// An opened item with its wall-clock time.
package struct RecordedEvent: Sendable, Redacted {
    /// When it happened; for a gap or a typing run, its beginning.
    package let time: WallTime
    /// The item as its batch has it.
    package let item: OpenedItem
    /// Whether a program made it with the server's XTEST device; nil when its device is not
    /// described.
    package let isInjected: Bool?

    /// Converts an item's time to wall time.
    ///
    /// - Parameters:
    ///   - item: of an opened batch.
    ///   - header: of the same batch.
    ///   - isInjected: whether a program made it; nil when unknown.
    ///   - last: the latest time before it. The beginning of a gap of not running is only known to
    ///     the minute, so it is cut to begin no earlier than this.
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

    /// The end of a gap or a typing run in wall time; for other items, their time.
    package var end: WallTime {
        WallTime(time.milliseconds &+ item.end.milliseconds &- item.time.milliseconds)
    }
}
