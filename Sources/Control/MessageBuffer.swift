// SPDX-License-Identifier: Apache-2.0

/// The unprocessed bytes of a connection, split into messages at NULs.
///
/// Each byte is examined once and moved once or twice, however the bytes arrive.
struct MessageBuffer {
    private var bytes: [UInt8] = []
    /// The offset of the first message.
    private var start = 0
    /// The offset of its NUL; nil before it has arrived.
    private var end: Int?

    /// The number of unprocessed bytes.
    var count: Int { bytes.count - start }

    /// Whether a complete message is there.
    var hasMessage: Bool { end != nil }

    /// The next message without its NUL; empty when there is none.
    var first: [UInt8] { end.map { Array(bytes[start..<$0]) } ?? [] }

    /// Appends received bytes.
    mutating func append(_ new: ArraySlice<UInt8>) {
        let searched = bytes.count
        bytes += new
        if end == nil { end = bytes[searched...].firstIndex(of: 0) }
    }

    /// Removes and returns the next message without its NUL; empty when there is none.
    mutating func next() -> [UInt8] {
        guard let end else { return [] }
        let message = Array(bytes[start..<end])
        start = end + 1
        self.end = bytes[start...].firstIndex(of: 0)
        // Do this rarely, so that many short messages do not move the bytes each time.
        if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            self.end = self.end.map { $0 - start }
            start = 0
        }
        return message
    }
}
