// SPDX-License-Identifier: Apache-2.0

/// Finds out whether the first pointer was moved by something that no raw event tells.
///
/// A program that moves the pointer (XWarpPointer) makes no raw event. Where it moves it away,
/// clicks, and moves it back between two questions, the answers agree and the pixel is wrong. But
/// the server keeps the times of all that moved the pointer or pressed its buttons, some 255 of
/// them: a millisecond with more of these than of raw events had something else in it.
///
/// It costs two questions in a reading with a click. The server forgets the older ones in a flood,
/// and all of them where another device takes over the pointer: what happened then is not found
/// out. It says nothing of further pointers.
struct PointerTrail {
    /// The server's clock when it was last asked where the pointers are.
    private var asked: UInt32?
    /// The times from then on of the raw events that were read before.
    private var read: [UInt32] = []

    /// From when on the server's times are needed; nil before the first reading.
    var start: UInt32? { asked }

    /// Compares what the server remembers with what it told.
    ///
    /// - Parameters:
    ///   - history: the server's times of what moved the pointer, from ``start`` on.
    ///   - events: the times of the raw events of this reading.
    /// - Returns: whether raw events explain all of it.
    func explains(_ history: [UInt32], by events: [UInt32]) -> Bool {
        var left: [UInt32: Int] = [:]
        for time in read + events { left[time, default: 0] += 1 }
        for time in history {
            guard let count = left[time], count > 0 else { return false }
            left[time] = count - 1
        }
        return true
    }

    /// A reading ends.
    ///
    /// - Parameters:
    ///   - asked: the server's clock before it was asked where the pointers are.
    ///   - events: the times of the raw events of this reading, the last one first.
    mutating func endReading(_ asked: UInt32, _ events: some Sequence<UInt32>) {
        self.asked = asked
        // Later than the question by the clock, but read with it.
        read = events.prefix { Int32(bitPattern: $0 &- asked) >= 0 }
    }
}
