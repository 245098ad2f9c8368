// SPDX-License-Identifier: Apache-2.0

/// Finds out whether a pointer was moved by something that no raw event tells.
///
/// A program that moves the pointer (XWarpPointer) makes no raw event. Where it moves it away,
/// clicks, and moves it back between two questions, the answers agree and the pixel is wrong. But
/// for each device the server keeps the times of all that moved a pointer or pressed its buttons,
/// and counts a program's movement among those of the device used last: a millisecond with more of
/// these than of raw events had something else in it.
///
/// It costs a question for each device that was used in a reading with a click. The server keeps
/// some 255 times for a device; of what happened before them nothing can be said.
struct MotionHistory {
    /// A raw event of a pointer.
    struct Step {
        var device: UInt8
        var master: UInt8
        /// The server's clock.
        var time: UInt32
    }

    /// With so many times the server may have forgotten others: it keeps one less than 256
    /// (MOTION_HISTORY_SIZE).
    private static let leastKept = 250

    /// The server's clock when it was last asked where the pointers are; nil before the first time.
    private(set) var start: UInt32?
    /// The steps from then on that were read before.
    private var read: [Step] = []
    /// The device that used each pointer last.
    private var last: [UInt8: UInt8] = [:]

    /// The steps of a device from then on that were read before.
    func earlier(of device: UInt8) -> [Step] {
        read.reversed().filter { $0.device == device }
    }

    /// The devices among whose times a movement of another kind could stand.
    func devices(_ steps: [Step]) -> Set<UInt8> { Set(steps.map(\.device)).union(last.values) }

    /// Compares what the server remembers with what it told.
    ///
    /// - Parameters:
    ///   - history: the server's times of a device, from ``start`` on.
    ///   - device: the device.
    ///   - steps: the raw events of this reading.
    /// - Returns: whether raw events explain all of it.
    func explains(_ history: [UInt32], of device: UInt8, by steps: [Step]) -> Bool {
        var left: [UInt32: Int] = [:]
        for step in read + steps where step.device == device { left[step.time, default: 0] += 1 }
        for time in history {
            guard let count = left[time], count > 0 else { return false }
            left[time] = count - 1
        }
        return true
    }

    /// From when on the server remembers all of a device; nil for from ``start`` on.
    ///
    /// A way that ends right and is explained from a click on was right at the click.
    func beginning(of history: [UInt32]) -> UInt32? {
        Self.remembersAll(history.count) ? nil : history.first
    }

    /// Whether so many times are all that there were.
    static func remembersAll(_ count: Int) -> Bool { count < leastKept }

    /// A reading ends.
    ///
    /// - Parameters:
    ///   - asked: the server's clock before it was asked where the pointers are.
    ///   - masters: the pointers.
    ///   - steps: the raw events of this reading, the last one first.
    mutating func endReading(_ asked: UInt32, _ masters: [UInt8], _ steps: some Sequence<Step>) {
        start = asked
        // Later than the question by the clock, but read with it.
        read = steps.prefix { Int32(bitPattern: $0.time &- asked) >= 0 }
        for master in masters {
            if let step = steps.first(where: { $0.master == master }) {
                last[master] = step.device
            }
        }
    }
}
