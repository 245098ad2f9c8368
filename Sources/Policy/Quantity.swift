// SPDX-License-Identifier: Apache-2.0

/// Durations and sizes with units, as in `mcictl set`.
package enum Quantity {
    /// Parses a duration such as `90s`, `30m`, `12h`, `7d` or `1h30m`.
    ///
    /// - Parameter text: numbers with the units s, m, h and d.
    /// - Returns: seconds, at least 1; nil for anything else.
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

    /// Parses a size such as `64M`, `64MiB` or `1G`; units are powers of 1024.
    ///
    /// - Parameter text: a number with the unit K, M, G or T.
    /// - Returns: bytes; nil for anything else.
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

    /// Formats a duration in the shortest form that ``seconds(_:)`` parses: `7d`, `1h30m`.
    ///
    /// - Parameter seconds: at least 1.
    /// - Returns: the text.
    package static func duration(_ seconds: Int) -> String {
        var (rest, words) = (seconds, "")
        for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] where rest >= unit {
            words += "\(rest / unit)\(name)"
            rest %= unit
        }
        return words
    }

    /// Formats a size in the shortest form that ``bytes(_:)`` parses: `64M`.
    ///
    /// - Parameter bytes: a multiple of 1024.
    /// - Returns: the text.
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
