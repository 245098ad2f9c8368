// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Export
import Glibc
import Query
import System

/// How rows are printed.
enum RowFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case csv
    case json
}

/// Prints rows as they come.
///
/// The first rows decide a table's widths, so they are held back, up to a thousand rows or many
/// bytes.
struct RowWriter {
    private static let maxKept = 1000
    private static let maxKeptBytes = 1 << 20

    private let format: RowFormat
    private let names: [String]
    private let isTerminal = isatty(1) == 1
    private var kept: [[Cell]] = []
    private var keptBytes = 0
    /// The widths of the table's columns, once they are known.
    private var widths: [Int]?
    private var bytes: [UInt8] = []

    init(_ format: RowFormat, _ names: [String]) {
        self.format = format
        self.names = names
        if format == .csv { line(names.map { csv(.text($0)) }.joined(separator: ",")) }
    }

    /// Takes the next row.
    mutating func write(_ row: [Cell]) {
        switch format {
        case .csv: line(row.map(csv).joined(separator: ","))
        case .json: line(object(row))
        case .table:
            guard let widths else {
                kept.append(row)
                keptBytes += row.reduce(0) { $0 + $1.size }
                if kept.count == Self.maxKept || keptBytes > Self.maxKeptBytes { release() }
                return
            }
            line(aligned(row, widths))
        }
    }

    /// Prints what is left.
    mutating func finish() {
        if format == .table, widths == nil { release() }
        flush()
    }

    private mutating func line(_ text: String) {
        bytes += Array(text.utf8)
        bytes.append(0x0A)
        if bytes.count > 1 << 16 { flush() }
    }

    private mutating func flush() {
        Terminal.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    // MARK: Table

    /// Fixes the widths and prints the heading and the rows held back.
    private mutating func release() {
        let rows = kept
        kept = []
        let widths = names.indices.map { column in
            rows.reduce(Terminal.printable(names[column]).count) {
                max($0, plain($1[column]).count)
            }
        }
        self.widths = widths
        line(aligned(names.map { .text($0) }, widths))
        line(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "))
        for row in rows { line(aligned(row, widths)) }
    }

    private func aligned(_ row: [Cell], _ widths: [Int]) -> String {
        var line = ""
        for (cell, width) in zip(row, widths) {
            let text = plain(cell)
            let room = String(repeating: " ", count: max(0, width - text.count))
            line += cell.isNumber ? room + text : text + room
            line += "  "
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// The value without terminal control characters.
    private func plain(_ cell: Cell) -> String { Terminal.printable(cell.text) }

    // MARK: CSV

    /// A field as RFC 4180 has it; NULL is empty, an empty text is quoted, and no text is a formula.
    private func csv(_ cell: Cell) -> String {
        guard case .text(let value) = cell else { return isTerminal ? plain(cell) : cell.text }
        let text = SafeText.cell(isTerminal ? plain(cell) : value)
        let isPlain = text.utf8.allSatisfy { ![0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        if isPlain, !text.isEmpty { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    // MARK: JSON

    private func object(_ row: [Cell]) -> String {
        let fields = zip(names, row).map { Self.quoted($0) + ":" + Self.value($1) }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func value(_ cell: Cell) -> String {
        switch cell {
        case .null: "null"
        case .real(let number) where !number.isFinite: number > 0 ? "9e999" : "-9e999"
        case .integer, .real: cell.text
        case .text, .bytes: quoted(cell.text)
        }
    }

    /// A JSON string (RFC 8259 §7); control characters of a terminal are escaped too.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0..<0x20, 0x7F..<0xA0:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return SafeText.escaped(result) + "\""
    }
}

extension Cell {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .real: true
        case .null, .text, .bytes: false
        }
    }

    /// Bytes that it takes at least.
    fileprivate var size: Int {
        switch self {
        case .null, .integer, .real: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }

    /// The value in plain words; bytes in hexadecimal.
    fileprivate var text: String {
        switch self {
        case .null: ""
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): text
        case .bytes(let bytes):
            Hex.encode(bytes)
        }
    }
}
