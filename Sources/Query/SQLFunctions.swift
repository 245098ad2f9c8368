// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc

/// The functions of a query that SQLite leaves out: `regexp` (and so `REGEXP`), and `percentile`.
enum SQLFunctions {
    /// Registers them on a connection.
    ///
    /// - Parameter database: a `sqlite3 *`.
    /// - Returns: SQLite's result code.
    static func register(on database: OpaquePointer) -> Int32 {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        let result = unsafe sqlite3_create_function_v2(
            database,
            "regexp",
            2,
            flags,
            nil,
            regexp,
            nil,
            nil,
            nil
        )
        guard result == SQLITE_OK else { return result }
        return unsafe sqlite3_create_function_v2(
            database,
            "percentile",
            2,
            flags,
            nil,
            nil,
            step,
            finish,
            nil
        )
    }
}

// MARK: regexp

/// A compiled POSIX extended regular expression, which SQLite keeps for a statement.
@safe private final class Pattern {
    private var compiled = unsafe regex_t()

    /// REG_NOMATCH, which is in an enumeration that Swift does not import.
    private let noMatch: Int32 = 1

    /// Texts are UTF-8, whatever the locale of the process is.
    // Made once and then only used.
    private nonisolated(unsafe) static let locale = unsafe newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

    /// Nil for a pattern that is wrong, or could take much longer than its text is.
    init?(_ text: String) {
        guard Self.isCheap(text) else { return nil }
        let result = Self.inUTF8 {
            unsafe regcomp(&compiled, Self.translated(text), REG_EXTENDED | REG_NOSUB)
        }
        if result != 0 { return nil }
    }

    deinit { unsafe regfree(&compiled) }

    /// Whether a part of a text matches; nil when the memory does not suffice.
    func matches(_ text: UnsafePointer<CChar>, _ count: Int) -> Bool? {
        // Bounds instead of a NUL: texts may contain one.
        var bounds = regmatch_t(rm_so: 0, rm_eo: regoff_t(count))
        let result = Self.inUTF8 {
            unsafe regexec(&compiled, text, 1, &bounds, REG_STARTEND)
        }
        return result == 0 ? true : result == noMatch ? false : nil
    }

    private static func inUTF8(_ body: () -> Int32) -> Int32 {
        let before = unsafe uselocale(locale)
        defer { unsafe uselocale(before) }
        return body()
    }

    /// Maximum bytes of a text, so that no match takes longer than a moment.
    static let maxText = 4096

    /// Whether it has no back-reference, no repetition of what already repeats, and no large one: those
    /// take exponential time or space.
    private static func isCheap(_ text: String) -> Bool {
        guard text.utf8.count <= 1000 else { return false }
        var (isEscaped, isInBracket, number, product) = (false, false, 0, 1)
        /// For each open group whether something in it repeats, and what the last group had.
        var (repeats, last) = ([false], false)
        for byte in text.utf8 {
            if isEscaped, (0x31...0x39).contains(byte) { return false }
            let isPlain = isEscaped || isInBracket
            if !isEscaped, byte == UInt8(ascii: "]") { isInBracket = false }
            if !isPlain {
                switch byte {
                case UInt8(ascii: "["): isInBracket = true
                case UInt8(ascii: "("): repeats.append(false)
                case UInt8(ascii: ")"):
                    last = repeats.popLast() ?? false
                    if repeats.isEmpty { repeats = [false] }
                    if last { repeats[repeats.count - 1] = true }
                case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
                    if last { return false }
                    repeats[repeats.count - 1] = true
                default: break
                }
                if byte != UInt8(ascii: ")") { last = false }
            } else {
                last = false
            }
            isEscaped = !isEscaped && byte == 0x5C
            if (0x30...0x39).contains(byte) {
                number = min(number * 10 + Int(byte - 0x30), 1_000_000)
            } else {
                if byte == 0x7D || byte == 0x2C { product *= max(number, 1) }
                number = 0
            }
            if product > 1000 { return false }
        }
        return true
    }

    /// With the classes of digits that people write although POSIX has none.
    private static func translated(_ text: String) -> String {
        var (result, isEscaped, isInBracket) = ("", false, false)
        for character in text {
            if isEscaped {
                switch character {
                case "d": result += isInBracket ? "0-9" : "[0-9]"
                case "D" where !isInBracket: result += "[^0-9]"
                default: result += "\\\(character)"
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                if character == "[" || character == "]" { isInBracket = character == "[" }
                result.append(character)
            }
        }
        return isEscaped ? result + "\\" : result
    }
}

/// regexp(pattern, text): 1 if a part of the text matches, and 0 if none does.
private func regexp(
    _ context: OpaquePointer?,
    _ count: Int32,
    _ values: UnsafeMutablePointer<OpaquePointer?>?
) {
    guard let values = unsafe values, let text = unsafe sqlite3_value_text(values[1]),
        let source = unsafe sqlite3_value_text(values[0])
    else { return unsafe sqlite3_result_null(context) }
    let pattern: Pattern
    if let kept = unsafe sqlite3_get_auxdata(context, 0) {
        pattern = unsafe Unmanaged<Pattern>.fromOpaque(kept).takeUnretainedValue()
    } else {
        guard let new = Pattern(unsafe String(cString: source)) else {
            let message = "regexp: not a regular expression (POSIX extended), or too costly"
            return unsafe sqlite3_result_error(context, message, -1)
        }
        pattern = new
        unsafe sqlite3_set_auxdata(context, 0, Unmanaged.passRetained(new).toOpaque()) {
            if let kept = unsafe $0 { unsafe Unmanaged<Pattern>.fromOpaque(kept).release() }
        }
    }
    let size = Int(unsafe sqlite3_value_bytes(values[1]))
    guard size <= Pattern.maxText else {
        let message = "regexp: a text is longer than \(Pattern.maxText) bytes"
        return unsafe sqlite3_result_error(context, message, -1)
    }
    let isMatch = unsafe pattern.matches(
        UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self),
        size
    )
    guard let isMatch else { return unsafe sqlite3_result_error_nomem(context) }
    unsafe sqlite3_result_int(context, isMatch ? 1 : 0)
}

// MARK: percentile

/// The values so far, in SQLite's memory, so that its limit holds for them.
@safe private struct Values {
    var start: UnsafeMutablePointer<Double>?
    var count: Int
    var capacity: Int
    var percent: Double
}

private func values(_ context: OpaquePointer?, make: Bool) -> UnsafeMutablePointer<Values>? {
    let size = make ? Int32(MemoryLayout<Values>.size) : 0
    return unsafe sqlite3_aggregate_context(context, size)?
        .assumingMemoryBound(to: Values.self)
}

private func step(
    _ context: OpaquePointer?,
    _ count: Int32,
    _ arguments: UnsafeMutablePointer<OpaquePointer?>?
) {
    guard let arguments = unsafe arguments, let kept = unsafe values(context, make: true) else {
        return unsafe sqlite3_result_error_nomem(context)
    }
    func isNumber(_ index: Int) -> Bool {
        let type = unsafe sqlite3_value_numeric_type(arguments[index])
        return type == SQLITE_INTEGER || type == SQLITE_FLOAT
    }
    let percent = unsafe sqlite3_value_double(arguments[1])
    guard isNumber(1), 0...100 ~= percent,
        unsafe kept.pointee.count == 0 || kept.pointee.percent == percent
    else {
        let message = "percentile: the second argument is one number from 0 to 100"
        return unsafe sqlite3_result_error(context, message, -1)
    }
    if unsafe sqlite3_value_type(arguments[0]) == SQLITE_NULL { return }
    guard isNumber(0) else {
        return unsafe sqlite3_result_error(context, "percentile: not a number", -1)
    }
    if unsafe kept.pointee.count == kept.pointee.capacity {
        let capacity = unsafe max(64, kept.pointee.capacity * 2)
        let size = UInt64(capacity * MemoryLayout<Double>.stride)
        guard let grown = unsafe sqlite3_realloc64(kept.pointee.start, size) else {
            return unsafe sqlite3_result_error_nomem(context)
        }
        unsafe kept.pointee.start = grown.assumingMemoryBound(to: Double.self)
        unsafe kept.pointee.capacity = capacity
    }
    unsafe kept.pointee.percent = percent
    unsafe kept.pointee.start?[kept.pointee.count] = sqlite3_value_double(arguments[0])
    unsafe kept.pointee.count += 1
}

private func finish(_ context: OpaquePointer?) {
    guard let kept = unsafe values(context, make: false), unsafe kept.pointee.count > 0,
        let start = unsafe kept.pointee.start
    else { return unsafe sqlite3_result_null(context) }
    let count = unsafe kept.pointee.count
    var all = unsafe UnsafeMutableBufferPointer(start: start, count: count)
    unsafe all.sort()
    // Between two values it goes in a straight line.
    let place = unsafe kept.pointee.percent / 100 * Double(count - 1)
    let (low, high) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
    let (part, first, second) = unsafe (place - Double(low), all[low], all[high])
    // Without a difference, which may be infinite.
    let value = first == second || part == 0 ? first : first * (1 - part) + second * part
    unsafe sqlite3_free(start)
    unsafe sqlite3_result_double(context, value)
}
