// SPDX-License-Identifier: Apache-2.0

/// Rows of words in columns.
enum TableText {
    /// The rows with their columns under each other; the first row is the heads.
    static func lines(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, word in
                let isLast = column == row.count - 1
                return isLast
                    ? word : word + String(repeating: " ", count: widths[column] - word.count)
            }.joined(separator: "  ")
        }
    }
}
