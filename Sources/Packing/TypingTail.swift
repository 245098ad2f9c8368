// SPDX-License-Identifier: Apache-2.0

import Events

/// A run of text that is not among the items of the open batch yet: in whole steps, as it is stored.
struct TypingTail: Sendable, Redacted {
    var device: UInt8
    var begin: EventTime
    var end: EventTime
    /// Whether it is of an injected device: such a run ends by itself alone.
    var isInjected = false

    /// Whole seconds up to a moment in it.
    func seconds(until moment: EventTime) -> UInt64 {
        UInt64(max(0, moment.milliseconds - begin.milliseconds) / 1000)
    }

    /// What some runs add to the sections, where they are the last items.
    ///
    /// - Parameters:
    ///   - tails: the runs.
    ///   - time: of the item in front of them.
    /// - Returns: the bytes behind those of the items, by their section.
    static func endings(
        of tails: [TypingTail],
        after time: EventTime
    ) -> [BatchLayout.Section: [UInt8]] {
        guard !tails.isEmpty else { return [:] }
        var (kinds, devices, times, typing): ([UInt8], [UInt8], [UInt8], [UInt8]) = ([], [], [], [])
        kinds.append(BatchLayout.Kind.typing.rawValue)
        kinds.append(varint: UInt64(tails.count))
        var time = time
        for tail in tails {
            devices += [tail.device, 1]
            let step = tail.begin.milliseconds - time.milliseconds
            times.append(varint: UInt64(zigzag: step))
            typing.append(varint: tail.seconds(until: tail.end))
            time = tail.begin
        }
        return [.kinds: kinds, .devices: devices, .times: times, .typing: typing]
    }
}
