// SPDX-License-Identifier: Apache-2.0

/// The bytes of a client that were not answered yet, cut at NULs.
///
/// Each byte is looked at once and moved once or twice, however they arrive.
struct MessageBuffer {
    private var bytes: [UInt8] = []
    /// Where the first message begins.
    private var start = 0
    /// Where its NUL stands; nil while it has not come.
    private var end: Int?

    /// Bytes that wait.
    var count: Int { bytes.count - start }

    /// Whether a whole message waits.
    var hasMessage: Bool { end != nil }

    /// The next message, without its NUL; empty where there is none.
    var first: [UInt8] { end.map { Array(bytes[start..<$0]) } ?? [] }

    /// Takes what was read.
    mutating func append(_ new: ArraySlice<UInt8>) {
        let searched = bytes.count
        bytes += new
        if end == nil { end = bytes[searched...].firstIndex(of: 0) }
    }

    /// XTestDevice out the next message, without its NUL; empty where there is none.
    mutating func next() -> [UInt8] {
        guard let end else { return [] }
        let message = Array(bytes[start..<end])
        start = end + 1
        self.end = bytes[start...].firstIndex(of: 0)
        // Rarely, so that many short messages are not moved for each of them.
        if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            self.end = self.end.map { $0 - start }
            start = 0
        }
        return message
    }
}
