// SPDX-License-Identifier: Apache-2.0

package import Events
package import Packing

/// An opened item with its time on the wall clock.
package struct RecordedEvent: Sendable, Redacted {
    package let time: WallTime
    package let item: OpenedItem

    /// - Parameters:
    ///   - item: of an opened batch.
    ///   - header: of the same batch.
    package init(_ item: OpenedItem, in header: BatchHeader) {
        self.item = item
        time = WallTime(item.time.milliseconds &+ header.wallOffset)
    }

    /// The end of a gap on the wall clock; for all others their time.
    package var end: WallTime {
        guard case .gap(_, let to, _) = item.payload else { return time }
        return WallTime(time.milliseconds &+ to.milliseconds &- item.time.milliseconds)
    }
}
