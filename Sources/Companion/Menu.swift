// SPDX-License-Identifier: Apache-2.0

import Bus
import Control
import Person

/// The menu of the icon, as `com.canonical.dbusmenu` shows it.
struct Menu {
    /// What a person can choose.
    enum Item: Int32, CaseIterable {
        case root = 0
        case state
        case firstLine
        case pause
        case pause15
        case pause30
        case pause60
        case pauseTomorrow
        case resume
        case exemptFront
        case forget
        case forget5
        case forget15
        case secondLine
        case settings
        case leave
        case report
        case openings

        /// The items below it.
        var children: [Item] {
            switch self {
            case .root:
                [
                    .state, .firstLine, .pause, .resume, .exemptFront, .forget, .secondLine,
                    .report, .openings, .settings, .leave,
                ]
            case .pause: [.pause15, .pause30, .pause60, .pauseTomorrow]
            case .forget: [.forget5, .forget15]
            default: []
            }
        }
    }

    /// mcid's status; nil while it does not run.
    var status: Status?
    /// What is known of openings; nil while nothing was ever granted.
    var openings: Openings?

    private func label(_ item: Item) -> String {
        switch item {
        case .root, .firstLine, .secondLine: ""
        case .state: Words.state(status)
        case .pause: "Pause"
        case .pause15: "15 minutes"
        case .pause30: "30 minutes"
        case .pause60: "1 hour"
        case .pauseTomorrow: "Until tomorrow, 06:00"
        case .resume: "Resume"
        case .exemptFront: "Exempt the application in front"
        case .forget: "Forget"
        case .forget5: "The last 5 minutes"
        case .forget15: "The last 15 minutes"
        case .report: "Open the report"
        case .openings: openings?.words.map { "Released: \($0)" } ?? "Nobody opened a release"
        case .settings: "Settings…"
        case .leave: "Go on without this icon"
        }
    }

    private func isEnabled(_ item: Item) -> Bool {
        switch item {
        case .state: false
        case .resume: status?.state == .paused || status?.session?.closed.isEmpty == false
        case .root, .report, .settings: true
        case .openings: openings?.words != nil
        default: status != nil
        }
    }

    /// The properties of an item, `a{sv}`.
    func properties(_ item: Item) -> BusValue {
        if item == .firstLine || item == .secondLine {
            return .dictionary([("type", .string("separator"))])
        }
        var fields: [(String, BusValue)] = []
        if item != .root {
            fields = [
                ("label", .string(label(item))), ("enabled", .boolean(isEnabled(item))),
                ("visible", .boolean(true)),
            ]
        }
        if !item.children.isEmpty { fields.append(("children-display", .string("submenu"))) }
        return .dictionary(fields)
    }

    /// An item with those below it, `(ia{sv}av)`.
    ///
    /// - Parameters:
    ///   - item: The item.
    ///   - depth: How many levels below it; negative for all.
    /// - Returns: The structure that `GetLayout` has it in.
    func layout(_ item: Item, depth: Int) -> BusValue {
        let children =
            depth == 0 ? [] : item.children.map { BusValue.variant(layout($0, depth: depth - 1)) }
        return .record([.int32(item.rawValue), properties(item), .array(of: "v", children)])
    }
}
