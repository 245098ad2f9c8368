// SPDX-License-Identifier: Apache-2.0

import Events
package import Export
package import Packing
package import Timeline

/// The events of a payload, as the timeline passes on those of a ring.
package struct ReleasedEvents {
    private var descriptions = Descriptions()
    private var last = WallTime(0)

    /// Creates a reader that has passed on nothing.
    package init() {}

    /// Passes on the events of a payload, and descriptions before their first use.
    ///
    /// - Parameters:
    ///   - payload: the plaintext of a release.
    ///   - onFrame: takes each frame before its events.
    ///   - body: takes each event in its order.
    /// - Throws: `PackingError` when the payload violates the format, before any event.
    package mutating func read(
        _ payload: [UInt8],
        onFrame: (OpenedBatch) throws -> Void = { _ in },
        _ body: (RecordedEvent) throws -> Void
    ) throws {
        for frame in try ReleasePayload.read(payload) {
            descriptions.beginBatch()
            try onFrame(frame)
            for item in frame.items {
                for description in descriptions.news(of: item, in: frame) {
                    try body(RecordedEvent(description, in: frame.header, after: last))
                }
                let isInjected = frame.isInjected(item)
                let event = RecordedEvent(
                    item,
                    in: frame.header,
                    isInjected: isInjected,
                    after: last
                )
                last = max(last, event.time)
                try body(event)
            }
        }
    }

    /// Writes the events of a payload in a format of the export.
    ///
    /// - Parameters:
    ///   - payload: the plaintext of a release.
    ///   - writer: of the format.
    ///   - output: takes the text in parts.
    /// - Throws: `PackingError` when the payload violates the format, before any event.
    package mutating func write(
        _ payload: [UInt8],
        as writer: inout some EventWriter,
        to output: ([UInt8]) throws -> Void
    ) throws {
        try read(payload) { event in
            writer.append(event)
            if let text = writer.take() { try output(text) }
        }
        if let text = writer.take(all: true) { try output(text) }
    }
}
