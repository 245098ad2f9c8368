// SPDX-License-Identifier: Apache-2.0

/// How much is released of one property of the input; the grades of each are in the order from the
/// finest to none at all.
package protocol Grade: RawRepresentable<String>, CaseIterable, Codable, Equatable, Sendable
where AllCases == [Self] {
    /// What goes, as a phrase after the name of the field.
    var words: String { get }
}

extension Grade {
    /// The position among the grades; a greater one reveals less.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Of two grades, the one that reveals less.
    func stricter(_ other: Self) -> Self { rank >= other.rank ? self : other }
}

/// What a purpose asks for, or a person grants: a closed list of fields with a grade each.
///
/// What is not in this list is never released, whatever was recorded: class, time and keysym of text
/// keys, titles, names of devices, touches, positions of tablets, names of demonstrations, boot ids.
package struct ReleaseFields: Codable, Equatable, Sendable {
    /// The times of events, rounded down; typing runs have steps of five seconds at any grade.
    package enum Time: String, Grade {
        case millisecond = "ms"
        case tenth = "100ms"
        case second = "s"
        /// What goes at this grade.
        package var words: String {
            switch self {
            case .millisecond: "to the millisecond"
            case .tenth: "to a tenth of a second"
            case .second: "to the second"
            }
        }
        /// Milliseconds to whose multiples times are rounded down.
        package var step: Int64 {
            switch self {
            case .millisecond: 1
            case .tenth: 100
            case .second: 1000
            }
        }
    }

    /// Which device an event is of.
    package enum Device: String, Grade {
        case kind
        case none
        /// What goes at this grade.
        package var words: String { self == .kind ? "keyboard, mouse, … but no names" : "none" }
    }

    /// That text was typed.
    package enum Typing: String, Grade {
        case seconds
        case none
        /// What goes at this grade.
        package var words: String {
            self == .seconds ? "when text was typed, in steps of 5 s; never what" : "none"
        }
    }

    /// Keys that write no text, and chords.
    package enum Keys: String, Grade {
        case named
        case none
        /// What goes at this grade.
        package var words: String { self == .named ? "keys without text, and chords" : "none" }
    }

    /// The modifiers of keys; without them there are no chords.
    package enum Modifiers: String, Grade {
        case names
        case none
        /// What goes at this grade.
        package var words: String { self == .names ? "Shift, Ctrl, Alt, …" : "none, and no chords" }
    }

    /// The buttons of the pointer.
    package enum Buttons: String, Grade {
        case numbers
        case none
        /// What goes at this grade.
        package var words: String { self == .numbers ? "which button, down and up" : "none" }
    }

    /// Movements of the pointer.
    package enum Motion: String, Grade {
        case counts
        case tenth = "100ms"
        case none
        /// What goes at this grade.
        package var words: String {
            switch self {
            case .counts: "each movement, in counts of the device"
            case .tenth: "summed over tenths of a second"
            case .none: "none"
            }
        }
    }

    /// Turns of a wheel.
    package enum Scroll: String, Grade {
        case notches
        case none
        /// What goes at this grade.
        package var words: String { self == .notches ? "direction and notches" : "none" }
    }

    /// Names of applications.
    package enum Application: String, Grade {
        case name
        case listed
        case none
        /// What goes at this grade.
        package var words: String {
            switch self {
            case .name: "the application in front"
            case .listed: "only input in the applications listed, with their names"
            case .none: "none"
            }
        }
    }

    /// Where on the desktop something happened.
    package enum Place: String, Grade {
        case pixel
        case cell
        case none
        /// What goes at this grade.
        package var words: String {
            switch self {
            case .pixel: "to the pixel"
            case .cell: "to a cell of 64 × 64 pixels"
            case .none: "none"
            }
        }
        /// Width and height of a cell in pixels.
        package static let cellSize: Int16 = 64
    }

    /// The desktop.
    package enum Screen: String, Grade {
        case size
        case none
        /// What goes at this grade.
        package var words: String { self == .size ? "width and height of the desktop" : "none" }
    }

    /// Times without a recording.
    package enum Gaps: String, Grade {
        case reason
        case bare
        /// What goes at this grade.
        package var words: String { self == .reason ? "with their reasons" : "without reasons" }
    }

    /// The times of events.
    package var time = Time.second
    /// The kind of device.
    package var device = Device.none
    /// That text was typed.
    package var typing = Typing.none
    /// Keys without text, and chords.
    package var keys = Keys.none
    /// The modifiers of keys.
    package var modifiers = Modifiers.none
    /// Buttons of the pointer.
    package var buttons = Buttons.none
    /// Movements of the pointer.
    package var motion = Motion.none
    /// Turns of a wheel.
    package var scroll = Scroll.none
    /// The application in front.
    package var application = Application.none
    /// The names for ``Application/listed``; empty for other grades.
    package var applications: [String] = []
    /// Where on the desktop.
    package var place = Place.none
    /// The size of the desktop.
    package var screen = Screen.none
    /// Times without a recording.
    package var gaps = Gaps.bare

    /// The fewest fields that there are.
    package init() {}

    /// The fields that both allow.
    ///
    /// - Parameter other: other fields.
    /// - Returns: for each field the grade that reveals less; of two lists of applications what is in
    ///   both.
    package func stricter(_ other: Self) -> Self {
        var result = self
        result.time = time.stricter(other.time)
        result.device = device.stricter(other.device)
        result.typing = typing.stricter(other.typing)
        result.keys = keys.stricter(other.keys)
        result.modifiers = modifiers.stricter(other.modifiers)
        result.buttons = buttons.stricter(other.buttons)
        result.motion = motion.stricter(other.motion)
        result.scroll = scroll.stricter(other.scroll)
        result.application = application.stricter(other.application)
        result.place = place.stricter(other.place)
        result.screen = screen.stricter(other.screen)
        result.gaps = gaps.stricter(other.gaps)
        switch (applications.isEmpty, other.applications.isEmpty) {
        case (true, _): result.applications = other.applications
        case (_, true): break
        default: result.applications = applications.filter(other.applications.contains)
        }
        // A list restricts what is released even where no names are.
        if !(applications.isEmpty && other.applications.isEmpty), result.application == .name {
            result.application = .listed
        }
        return result
    }

    /// What is wrong with the list of applications; nil if nothing is.
    package var defect: String? {
        if application == .listed, applications.isEmpty { return "It lists no application." }
        if application == .name, !applications.isEmpty {
            return "It lists applications but asks for all of them."
        }
        return applications.contains { $0.isEmpty || $0.utf8.count > 256 }
            ? "The name of an application is empty or too long." : nil
    }

    /// Each field with its grade and what that means, in the order of the list.
    package var rows: [(field: String, grade: String, words: String)] {
        func row<G: Grade>(_ field: String, _ grade: G) -> (String, String, String) {
            (field, grade.rawValue, grade.words)
        }
        return [
            row("time", time), row("device", device), row("typing", typing), row("keys", keys),
            row("modifiers", modifiers), row("buttons", buttons), row("motion", motion),
            row("scroll", scroll), row("application", application), row("place", place),
            row("screen", screen), row("gaps", gaps),
        ]
    }

    /// Makes one field stricter by name.
    ///
    /// - Parameters:
    ///   - field: its name, as in ``rows``.
    ///   - grade: the name of the grade.
    /// - Throws: ``ReleaseError`` for an unknown name, and for a grade that reveals more.
    package mutating func restrict(_ field: String, to grade: String) throws(ReleaseError) {
        switch field {
        case "time": try restrict(&time, field, grade)
        case "device": try restrict(&device, field, grade)
        case "typing": try restrict(&typing, field, grade)
        case "keys": try restrict(&keys, field, grade)
        case "modifiers": try restrict(&modifiers, field, grade)
        case "buttons": try restrict(&buttons, field, grade)
        case "motion": try restrict(&motion, field, grade)
        case "scroll": try restrict(&scroll, field, grade)
        case "application": try restrict(&application, field, grade)
        case "place": try restrict(&place, field, grade)
        case "screen": try restrict(&screen, field, grade)
        case "gaps": try restrict(&gaps, field, grade)
        default:
            let names = rows.map(\.field).joined(separator: ", ")
            throw ReleaseError("There is no field \(field). The fields are: \(names).")
        }
    }

    private func restrict<G: Grade>(
        _ value: inout G,
        _ field: String,
        _ grade: String
    ) throws(ReleaseError) {
        guard let wanted = G(rawValue: grade) else {
            let names = G.allCases.map(\.rawValue).joined(separator: ", ")
            throw ReleaseError("\(field) cannot be \(grade). It can be: \(names).")
        }
        guard wanted.rank >= value.rank else {
            throw ReleaseError(
                "The purpose does not ask for \(field)=\(grade), which reveals more."
            )
        }
        value = wanted
    }
}

/// Why something about a release cannot be done.
package struct ReleaseError: Error, Equatable, CustomStringConvertible {
    /// One or two sentences for the person.
    package let reason: String
    /// The command that helps; nil for none.
    package let next: String?

    /// Creates an error.
    package init(_ reason: String, next: String? = nil) {
        (self.reason, self.next) = (reason, next)
    }

    /// The sentences, and the command.
    package var description: String { reason + (next.map { " Next: \($0)" } ?? "") }
}
