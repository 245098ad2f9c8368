// SPDX-License-Identifier: Apache-2.0

package import Timeline

/// Writes events one after the other as text.
package protocol EventWriter {
    /// What was written and not yet taken.
    var text: TextBuffer { get set }

    /// The text before all events; empty when the format has none.
    var head: [UInt8] { get }

    /// What was omitted so far, because the format has no words for it.
    var omissions: Omissions { get }

    /// Appends one event, or counts it as an omission.
    ///
    /// - Parameter event: from the timeline, in the order of the recording.
    mutating func append(_ event: RecordedEvent)
}

extension EventWriter {
    /// No text before the events.
    package var head: [UInt8] { [] }
    /// No omissions.
    package var omissions: Omissions { Omissions() }

    /// Takes the text that was written, once there is enough of it.
    ///
    /// - Parameter all: take it however short it is.
    /// - Returns: the bytes; nil while there are at most 64 KiB and not `all` are wanted.
    package mutating func take(all: Bool = false) -> [UInt8]? {
        guard all || text.bytes.count > 1 << 16 else { return nil }
        defer { text.bytes.removeAll(keepingCapacity: true) }
        return text.bytes
    }
}
