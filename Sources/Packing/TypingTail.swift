// SPDX-License-Identifier: Apache-2.0

import Events

/// A typing run of the open batch that is not an item yet; its bounds are whole steps.
struct TypingTail: Sendable, Redacted {
    var device: UInt8
    var begin: EventTime
    var end: EventTime
    /// Whether it belongs to an injected device; other input does not end such a run.
    var isInjected = false

    /// Whole seconds from its beginning until a moment within it.
    func seconds(until moment: EventTime) -> UInt64 {
        UInt64(max(0, moment.milliseconds - begin.milliseconds) / 1000)
    }

    /// The bytes that typing runs add to each section, as the last items.
    ///
    /// - Parameters:
    ///   - tails: The runs.
    ///   - time: The time of the item before them.
    /// - Returns: The bytes to append after those of the items, by section.
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
