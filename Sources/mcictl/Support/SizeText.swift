// SPDX-License-Identifier: Apache-2.0

/// Sizes as people write and read them; K, M, G and T are powers of 1024.
enum SizeText {
    /// Bytes of a size such as `64M` or `1G`.
    ///
    /// - Throws: a ``Failure`` that names the likely fix.
    static func bytes(_ text: String) throws -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), digits.count <= 9 else {
            throw Failure("“\(text)” is not a size. Examples: 64M, 1G.", code: Failure.usage)
        }
        let units = ["K": 10, "M": 20, "G": 30, "T": 40]
        let unit = text.dropFirst(digits.count).uppercased()
        if unit.isEmpty {
            throw Failure("“\(text)” has no unit. Did you mean \(text)M?", code: Failure.usage)
        }
        guard let shift = units[unit.replacing("IB", with: "")],
            !number.multipliedReportingOverflow(by: 1 << shift).overflow
        else { throw Failure("“\(text)” is not a size. Examples: 64M, 1G.", code: Failure.usage) }
        return number << shift
    }

    /// `64 MiB`.
    static func words(_ bytes: Int) -> String {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
        for (shift, name) in units where bytes >= 1 << shift {
            let whole = bytes >> shift
            let tenths = ((bytes - (whole << shift)) * 10) >> shift
            return tenths == 0 ? "\(whole) \(name)" : "\(whole).\(tenths) \(name)"
        }
        return "\(bytes) bytes"
    }
}
