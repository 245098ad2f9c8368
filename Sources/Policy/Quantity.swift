// SPDX-License-Identifier: Apache-2.0

/// Durations and sizes with their unit, in the words of `mcictl set`.
package enum Quantity {
    /// Seconds of a duration such as `90s`, `30m`, `12h`, `7d` or `1h30m`; nil for anything else.
    package static func seconds(_ text: String) -> Int? {
        let units: [UInt8: Int] = [
            UInt8(ascii: "s"): 1, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600,
            UInt8(ascii: "d"): 86_400,
        ]
        var (total, number, digits) = (0, 0, 0)
        for byte in text.utf8 {
            if let digit = digit(byte), digits < 6 {
                (number, digits) = (number * 10 + digit, digits + 1)
            } else if let unit = units[byte], digits > 0, total < 1 << 40 {
                (total, number, digits) = (total + number * unit, 0, 0)
            } else {
                return nil
            }
        }
        return digits == 0 && total > 0 ? total : nil
    }

    /// Bytes of a size such as `64M` or `1G`, in powers of 1024; nil for anything else.
    package static func bytes(_ text: String) -> Int? {
        let digits = text.utf8.prefix { digit($0) != nil }
        let shifts = ["K": 10, "M": 20, "G": 30, "T": 40]
        let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
        guard 1...9 ~= digits.count, unit.utf8.allSatisfy({ $0 < 0x80 }),
            let number = Int(String(digits) ?? ""),
            let shift = shifts[unit.uppercased()]
                ?? (unit.hasSuffix("iB") ? shifts[unit.dropLast(2).uppercased()] : nil),
            case let (bytes, isTooMuch) = number.multipliedReportingOverflow(by: 1 << shift),
            !isTooMuch
        else { return nil }
        return bytes
    }

    /// The shortest words for a duration that ``seconds(_:)`` reads back: `7d`, `1h30m`.
    package static func duration(_ seconds: Int) -> String {
        var (rest, words) = (seconds, "")
        for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] where rest >= unit {
            words += "\(rest / unit)\(name)"
            rest %= unit
        }
        return words
    }

    /// The shortest words for a size of whole KiB that ``bytes(_:)`` reads back: `64M`.
    package static func size(_ bytes: Int) -> String {
        for (shift, name) in [(40, "T"), (30, "G"), (20, "M")]
        where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(name)"
        }
        return "\(bytes >> 10)K"
    }

    private static func digit(_ byte: UInt8) -> Int? {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte ? Int(byte - UInt8(ascii: "0")) : nil
    }
}
