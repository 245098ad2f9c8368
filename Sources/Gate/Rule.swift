// SPDX-License-Identifier: Apache-2.0

package import Events

/// A rule for input that is not to be recorded: input that meets every criterion it has.
///
/// If a property is unknown (an unreadable title, a device without a name), it counts as matching:
/// in doubt nothing is recorded.
package struct Rule: Hashable, Sendable, Redacted {
    /// A pattern for the class or the instance of WM_CLASS; nil for any.
    package var app: Glob?
    /// A pattern for the window's title; nil for any.
    package var title: Glob?
    /// A pattern for the device's name; nil for any.
    package var device: Glob?
    /// The hours of the week at which the rule is in force; nil for always.
    package var during: WeekHours?
    /// Whether the rule applies only while a program may be asking for a secret on a terminal.
    package var atSecretPrompts: Bool
    /// The program for whose secret prompts the rule applies; nil for any.
    ///
    /// ``Restrictions/askers`` determines which programs are looked for.
    package var asker: SecretAsker?

    /// Creates a rule; without criteria it covers everything.
    package init(
        app: Glob? = nil,
        title: Glob? = nil,
        device: Glob? = nil,
        during: WeekHours? = nil,
        atSecretPrompts: Bool = false,
        asker: SecretAsker? = nil
    ) {
        self.app = app
        self.title = title
        self.device = device
        self.during = during
        self.atSecretPrompts = atSecretPrompts
        self.asker = asker
    }

    /// Whether the rule tests neither window nor device and thus covers all input at its hours.
    package var isForEverything: Bool {
        app == nil && title == nil && device == nil && !isForPrompts
    }

    /// Whether the rule covers input while a program may be asking for a secret.
    package var isForPrompts: Bool { atSecretPrompts || asker != nil }

    /// Whether the rule is in force at a minute of the week.
    package func isInForce(at minute: WeekMinute) -> Bool {
        during?.contains(minute) ?? true
    }

    /// Whether the rule matches a window, regardless of device and hour.
    package func matches(_ window: WindowFacts) -> Bool { matches(WindowTexts(window)) }

    func matches(_ window: WindowTexts) -> Bool {
        if isForPrompts, !window.mayAskForSecret { return false }
        if let app, !window.isOf(app) { return false }
        if let title, let texts = window.titles, !texts.contains(where: { title.matches($0) }) {
            return false
        }
        return true
    }

    /// Whether the rule excludes a device's input in a window at a minute of the week.
    ///
    /// - Parameters:
    ///   - window: The window.
    ///   - device: The device's name; nil for a device that no rule names.
    ///   - minute: The minute of the week by the local clock.
    /// - Returns: Whether the input is excluded.
    package func excludes(
        _ window: WindowFacts,
        from device: String?,
        at minute: WeekMinute
    ) -> Bool {
        guard isInForce(at: minute), matches(window) else { return false }
        guard let pattern = self.device else { return true }
        return device.map(pattern.matches) ?? false
    }

    /// Whether the rule needs the title of a window to decide.
    package func needsTitle(of window: WindowFacts) -> Bool {
        title != nil && (app.map(WindowTexts(window).isOf) ?? true)
    }
}

/// The texts of a window that rules test, prepared once for all rules.
struct WindowTexts: Redacted {
    /// Class and instance.
    private let names: [Glob.Text]
    /// Class and instance in their other possible encoding.
    private let otherNames: [Glob.Text]
    /// All readings of the title; nil if it cannot be read.
    let titles: [Glob.Text]?
    let mayAskForSecret: Bool

    init(_ window: WindowFacts) {
        names = [window.app, window.instance].map { Glob.Text($0) }
        otherNames = [window.others.app, window.others.instance].compactMap(\.self)
            .map { Glob.Text($0) }
        titles = window.title.map { title in
            [title, window.others.title].compactMap(\.self).map { Glob.Text($0) }
        }
        mayAskForSecret = window.mayAskForSecret
    }

    /// Whether a pattern may match the application, by class or instance; used to exclude.
    func isOf(_ app: Glob) -> Bool {
        isSurelyOf(app) || otherNames.contains { app.matches($0) }
    }

    /// Whether a pattern matches the most likely reading of the application; used to allow.
    func isSurelyOf(_ app: Glob) -> Bool {
        names.contains { app.matches($0) }
    }
}
