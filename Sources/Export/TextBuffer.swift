// SPDX-License-Identifier: Apache-2.0

package import Events

/// Builds text fast: the parts of every line, times and numbers, never become a String.
package struct TextBuffer {
    /// What was written; take and clear it regularly.
    package var bytes: [UInt8] = []
    /// The last minute since 1970 that was written; most times share it with the time before.
    private var minute = Int64.min
    /// The text of that minute, up to the colon after it.
    private var minuteText: [UInt8] = []

    /// Makes an empty buffer with room for 128 KiB.
    package init() {
        bytes.reserveCapacity(1 << 17)
    }

    /// Appends text as UTF-8 bytes.
    ///
    /// - Parameter text: UTF-8.
    @inline(__always)
    package mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    /// Appends a string.
    ///
    /// - Parameter text: any text.
    package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends an integer in decimal.
    ///
    /// - Parameter value: any value.
    package mutating func append(_ value: Int32) {
        var rest = value.magnitude
        if value < 0 { bytes.append(0x2D) }
        if rest < 10 { return bytes.append(0x30 + UInt8(truncatingIfNeeded: rest)) }
        var scale: UInt32 = 10
        while scale <= rest / 10 { scale *= 10 }
        while scale > 0 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / scale))
            rest %= scale
            scale /= 10
        }
    }

    /// Appends a time as RFC 3339 in UTC with milliseconds.
    ///
    /// - Parameter time: any time.
    package mutating func append(_ time: WallTime) {
        let milliseconds = time.milliseconds
        guard 0..<253_402_300_800_000 ~= milliseconds else { return time.append(to: &bytes) }
        let minute = milliseconds / 60_000
        if minute != self.minute {
            self.minute = minute
            var text: [UInt8] = []
            WallTime(minute * 60_000).append(to: &text)
            minuteText = Array(text.prefix(17))
        }
        bytes.append(contentsOf: minuteText)
        let rest = UInt32(truncatingIfNeeded: milliseconds - minute * 60_000)
        let (second, fraction) = (rest / 1000, rest % 1000)
        digit(second / 10)
        digit(second % 10)
        bytes.append(0x2E)
        digit(fraction / 100)
        digit(fraction / 10 % 10)
        digit(fraction % 10)
        bytes.append(0x5A)
    }

    @inline(__always)
    private mutating func digit(_ value: UInt32) {
        bytes.append(0x30 + UInt8(truncatingIfNeeded: value))
    }

    /// Appends 1/120 notches as notches, with a fraction only where there is one.
    ///
    /// - Parameter value: 120 for each notch.
    package mutating func append(notches value: Int32) {
        if value % 120 == 0 { append(value / 120) } else { append("\(Double(value) / 120)") }
    }

    /// Appends a JSON string (RFC 8259 §7) without characters that a terminal obeys.
    ///
    /// - Parameter value: any text.
    package mutating func append(quoted value: String) {
        bytes.append(0x22)
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: bytes += [0x5C, UInt8(truncatingIfNeeded: scalar.value)]
            case 0..<0x20: append(SafeText.escape(scalar))
            case _ where SafeText.isEscaped(scalar): append(SafeText.escape(scalar))
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        bytes.append(0x22)
    }
}
