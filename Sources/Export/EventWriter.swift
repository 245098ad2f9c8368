// SPDX-License-Identifier: Apache-2.0

package import Timeline

/// Writes events one after the other as text.
package protocol EventWriter {
    /// What was written and not yet taken.
    var text: TextBuffer { get set }

    /// What stands in front of all events; empty where the format has nothing there.
    var head: [UInt8] { get }

    /// What the format had no words for so far.
    var omissions: Omissions { get }

    mutating func append(_ event: RecordedEvent)
}

extension EventWriter {
    package var head: [UInt8] { [] }
    package var omissions: Omissions { Omissions() }

    /// Takes what was written, once it is much or `all` of it is wanted.
    package mutating func take(all: Bool = false) -> [UInt8]? {
        guard all || text.bytes.count > 1 << 16 else { return nil }
        defer { text.bytes.removeAll(keepingCapacity: true) }
        return text.bytes
    }
}
