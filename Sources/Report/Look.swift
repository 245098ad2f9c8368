// SPDX-License-Identifier: Apache-2.0

import Events

/// How a state looks in the strips: a pattern, so that it can be read without colour.
enum Look: String, CaseIterable {
    case recorded
    case paused
    case locked
    case exempt
    case stopped
    case other
    case missing

    /// The look of a time that was left out for a reason.
    init(_ reason: GapReason) {
        self =
            switch reason {
            case .paused, .noConsent: .paused
            case .sessionLocked, .away, .asleep, .suspended: .locked
            case .exempt, .excluded, .notAllowed: .exempt
            case .notRunning, .disconnected: .stopped
            default: .other
            }
    }

    /// What it means, for the legend.
    var words: String {
        switch self {
        case .recorded: "recorded"
        case .paused: "paused, or no consent"
        case .locked: "locked or asleep"
        case .exempt: "exempt or excluded"
        case .stopped: "mcid or the X server was not running"
        case .other: "left out for another reason"
        case .missing: "erased or unreadable"
        }
    }

    /// How it is filled.
    var fill: String { self == .recorded ? "class=\"r\"" : "fill=\"url(#\(rawValue))\"" }

    /// The lines of its pattern, in a square of eight; empty for the plain one.
    private var lines: String {
        switch self {
        case .recorded: ""
        case .paused: "M-2 2l4-4M0 8l8-8M6 10l4-4"
        case .locked: "M2 2h2v2h-2zM6 6h2v2h-2z"
        case .exempt: "M1 1l6 6M7 1l-6 6"
        case .stopped: "M0 4h8"
        case .other: "M4 0v8"
        case .missing: "M0 2h4M4 6h4"
        }
    }

    /// The patterns of all looks.
    static var patterns: String {
        allCases.filter { !$0.lines.isEmpty }.map { look in
            "<pattern id=\"\(look.rawValue)\" width=\"8\" height=\"8\" "
                + "patternUnits=\"userSpaceOnUse\"><path class=\"\(look == .stopped ? "q" : "p")\" d=\"\(look.lines)\"/></pattern>"
        }
        .joined(separator: "\n")
    }
}
