// SPDX-License-Identifier: Apache-2.0

/// Rows of words in columns.
enum TableText {
    /// The minimum width of a column that is shortened.
    private static let least = 12

    /// The rows with aligned columns; the first row is the header.
    ///
    /// - Parameters:
    ///   - rows: all of them.
    ///   - width: the columns of the terminal: the widest column is shortened until the table fits. nil
    ///     for no limit, as in a file.
    /// - Returns: a line for each row.
    static func lines(_ rows: [[String]], width: Int? = Terminal.width) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        var widths = (0..<columns).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
        if let width {
            while widths.reduce(0, +) + 2 * max(0, columns - 1) > width,
                let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > least
            {
                widths[widest] -= 1
            }
        }
        return rows.map { row in
            row.enumerated().map { column, word in
                let shown =
                    word.count > widths[column] ? word.prefix(widths[column] - 1) + "…" : word[...]
                let isLast = column == row.count - 1
                let space = isLast ? 0 : widths[column] - shown.count
                return shown + String(repeating: " ", count: space)
            }.joined(separator: "  ")
        }
    }
}
