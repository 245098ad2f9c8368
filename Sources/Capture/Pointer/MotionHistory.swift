// SPDX-License-Identifier: Apache-2.0

/// Detects that something without a raw event moved a pointer.
///
/// A program that moves the pointer (XWarpPointer) causes no raw event. If it moves the pointer
/// away, clicks, and moves it back between two queries, the replies agree and the pixel is wrong.
/// But for each device the server keeps the times of everything that moved a pointer or pressed its
/// buttons. It counts a program's motion for the device used last. So a millisecond with more of
/// these than raw events contained something else.
///
/// The cost is one query for each device used in a drain with a click. The server keeps some 255
/// times per device; about earlier events nothing is known.
struct MotionHistory {
    /// A raw event of a pointer.
    struct Step {
        var device: UInt8
        var master: UInt8
        /// The server's timestamp in milliseconds.
        var time: UInt32
    }

    /// From this number of times on the server may have dropped others: it keeps 255, one fewer
    /// than MOTION_HISTORY_SIZE.
    private static let leastKept = 250

    /// The server's time at the last position query; nil before the first one.
    private(set) var start: UInt32?
    /// Steps from that time on that earlier drains read.
    private var read: [Step] = []
    /// The device that used each pointer last.
    private var last: [UInt8: UInt8] = [:]

    /// Steps of a device from that time on that earlier drains read, in order.
    func earlier(of device: UInt8) -> [Step] {
        read.reversed().filter { $0.device == device }
    }

    /// The devices whose history may contain a foreign motion.
    func devices(_ steps: [Step]) -> Set<UInt8> { Set(steps.map(\.device)).union(last.values) }

    /// Compares the server's history with the raw events.
    ///
    /// - Parameters:
    ///   - history: The server's times for a device, from ``start`` on.
    ///   - device: The device.
    ///   - steps: The raw events of this drain.
    /// - Returns: Whether the raw events explain the whole history.
    func explains(_ history: [UInt32], of device: UInt8, by steps: [Step]) -> Bool {
        var left: [UInt32: Int] = [:]
        for step in read + steps where step.device == device { left[step.time, default: 0] += 1 }
        for time in history {
            guard let count = left[time], count > 0 else { return false }
            left[time] = count - 1
        }
        return true
    }

    /// The time from which on the server's history is complete; nil if it is from ``start`` on.
    ///
    /// If the pointer ends at the right position, and all from a click on is explained, it was
    /// right at the click.
    func beginning(of history: [UInt32]) -> UInt32? {
        Self.remembersAll(history.count) ? nil : history.first
    }

    /// Whether a history of this length is complete.
    static func remembersAll(_ count: Int) -> Bool { count < leastKept }

    /// Ends a drain.
    ///
    /// - Parameters:
    ///   - asked: The server's time before the position query.
    ///   - masters: The master pointers.
    ///   - steps: The raw events of this drain, the last one first.
    mutating func endReading(_ asked: UInt32, _ masters: [UInt8], _ steps: some Sequence<Step>) {
        start = asked
        // These are later than the query by the clock, but were read with it.
        read = steps.prefix { Int32(bitPattern: $0.time &- asked) >= 0 }
        for master in masters {
            if let step = steps.first(where: { $0.master == master }) {
                last[master] = step.device
            }
        }
    }
}
