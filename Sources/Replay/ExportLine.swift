// SPDX-License-Identifier: Apache-2.0

package import Events
import FoundationEssentials

/// One line of a JSON Lines export; fields that are not known here are passed over.
package struct ExportLine: Decodable, Sendable, Redacted {
    /// What can be played, and what only tells when.
    package enum Kind: String {
        case key, typing, button, motion, scroll, axes, touch, focus, gap, device, monitors
    }

    private let type: String
    private let timeText: String
    private let stateText: String?
    package let keyClass: String?
    private let keysymName: String?
    private let modifierWords: [String]?
    package let button: Int?
    package let dx: Double?
    package let dy: Double?
    /// The pixel, where the export has it.
    package let x: Double?
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

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - bytes: of the line.
    ///   - number: of the line, for what is said of a damaged one.
    /// - Returns: what the line says.
    /// - Throws: ``ReplayError`` `badFile`.
    package static func read(_ bytes: [UInt8], number: Int) throws(ReplayError) -> ExportLine {
        let line: ExportLine
        do {
            line = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw ReplayError(.badFile, "Line \(number) is not an event of an export.")
        }
        guard line.isWhole else {
            throw ReplayError(.badFile, "Line \(number) lacks what a “\(line.known)” has.")
        }
        return line
    }

    /// The kind; nil for one that is not known here.
    package var kind: Kind? { Kind(rawValue: type) }

    /// The moment, in milliseconds since 1970.
    package var time: Int64 { WallTime(timeText)?.milliseconds ?? 0 }

    package var isDown: Bool { stateText == "down" }

    package var keysym: UInt32? { keysymName.flatMap { KeysymNumber.of($0) } }

    package var modifiers: Modifiers {
        Modifiers.all(named: modifierWords ?? [])
    }

    /// The key as it is looked for on a keyboard; nil where it was not recorded which it was.
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
            // Each notch is two requests.
            return areSmall && [dx, dy].allSatisfy { ($0?.magnitude ?? .infinity) < 1e4 }
        case .axes: return areSmall
        case .typing, .touch, .focus, .gap, .device, .monitors, nil: return true
        }
    }

    /// Whether each number that is there, in a field that is played, is one that a device can tell.
    private var areSmall: Bool { [dx, dy, x, y].allSatisfy { $0?.isSmall ?? true } }

    /// The pixel, where both its numbers are known.
    var point: ScreenPoint? {
        guard let x, let y, x.isSmall, y.isSmall else { return nil }
        return ScreenPoint(x: Int(x.rounded()), y: Int(y.rounded()))
    }
}

extension Double {
    /// Whether it is a number of pixels, counts or notches that a device can tell.
    ///
    /// Neither NaN nor infinity is.
    fileprivate var isSmall: Bool { magnitude < 1e6 }
}
