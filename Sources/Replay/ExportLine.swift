// SPDX-License-Identifier: Apache-2.0

package import Events
import FoundationEssentials

/// One line of a JSON Lines export; unknown fields are ignored.
package struct ExportLine: Decodable, Sendable, Redacted {
    /// The types of lines: those that can be played, and those that only carry a time.
    package enum Kind: String {
        case key, typing, button, motion, scroll, axes, touch, focus, gap, device, monitors
    }

    private let type: String
    private let timeText: String
    private let stateText: String?
    /// The class of a key, such as `letter`; nil for other lines.
    package let keyClass: String?
    private let keysymName: String?
    private let modifierWords: [String]?
    /// The number of a button of the core protocol, 1 to 255; nil for other lines.
    package let button: Int?
    /// Movement to the right: device counts of a motion, or notches of a scroll.
    package let dx: Double?
    /// Movement downwards: device counts of a motion, or notches of a scroll.
    package let dy: Double?
    /// The column of the pixel on the desktop; nil when the export has none.
    package let x: Double?
    /// The row of the pixel on the desktop; nil when the export has none.
    package let y: Double?

    private enum CodingKeys: String, CodingKey {
        case type
        case timeText = "time"
        case stateText = "state"
        case keyClass = "class"
        case keysymName = "keysym"
        case modifierWords = "modifiers"
        case button, dx, dy, x, y
    }

    /// Parses a line.
    ///
    /// - Parameters:
    ///   - bytes: the line, without its line feed.
    ///   - number: of the line, for the error.
    /// - Returns: the parsed line.
    /// - Throws: ``ReplayError`` `badFile`.
    package static func read(_ bytes: [UInt8], number: Int) throws(ReplayError) -> ExportLine {
        let line: ExportLine
        do {
            line = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw ReplayError(.badFile, "Line \(number) is not an event of an export.")
        }
        guard line.isWhole else {
            throw ReplayError(.badFile, "Line \(number) is incomplete for a “\(line.known)”.")
        }
        return line
    }

    /// The type of the line; nil for an unknown one.
    package var kind: Kind? { Kind(rawValue: type) }

    /// The time in milliseconds since 1970.
    package var time: Int64 { WallTime(timeText)?.milliseconds ?? 0 }

    /// Whether a key or button was pressed rather than released.
    package var isDown: Bool { stateText == "down" }

    /// The X keysym of a key; nil when its identity was not recorded.
    package var keysym: UInt32? { keysymName.flatMap { KeysymNumber.of($0) } }

    /// The modifiers in force when a key was pressed or released.
    package var modifiers: Modifiers {
        Modifiers.all(named: modifierWords ?? [])
    }

    /// The key to find on a keyboard; nil when its identity was not recorded.
    package var wanted: WantedKey? { keysym.map { WantedKey($0, modifiers) } }

    private var known: String { kind?.rawValue ?? "line" }

    private var isWhole: Bool {
        guard WallTime(timeText) != nil else { return false }
        let hasState = stateText == "down" || stateText == "up"
        switch kind {
        case .key: return hasState && keyClass != nil && (keysymName == nil || keysym != nil)
        case .button: return hasState && (1...255).contains(button ?? 0) && areSmall
        case .motion: return areSmall && (dx != nil && dy != nil || point != nil)
        case .scroll:
            // Each notch takes two requests.
            return areSmall && [dx, dy].allSatisfy { ($0?.magnitude ?? .infinity) < 1e4 }
        case .axes: return areSmall
        case .typing, .touch, .focus, .gap, .device, .monitors, nil: return true
        }
    }

    /// Whether all numbers in the fields to be played are in the range that devices report.
    private var areSmall: Bool { [dx, dy, x, y].allSatisfy { $0?.isSmall ?? true } }

    /// The pixel, rounded; nil unless both numbers are known.
    var point: ScreenPoint? {
        guard let x, let y, x.isSmall, y.isSmall else { return nil }
        return ScreenPoint(x: Int(x.rounded()), y: Int(y.rounded()))
    }
}

extension Double {
    /// Whether it is a plausible number of pixels, counts or notches.
    ///
    /// NaN and infinity are not.
    fileprivate var isSmall: Bool { magnitude < 1e6 }
}
