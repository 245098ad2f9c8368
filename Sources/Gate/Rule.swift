// SPDX-License-Identifier: Apache-2.0

package import Events

/// Names input that is not to be recorded: what matches every criterion the rule has.
///
/// What a rule asks about and nobody can tell (a title that cannot be read, a device without a name)
/// counts as matching: in doubt nothing is recorded.
package struct Rule: Hashable, Sendable, Redacted {
    /// Matched against the class and the instance of WM_CLASS.
    package var app: Glob?
    package var title: Glob?
    /// Matched against the name of the device.
    package var device: Glob?
    package var during: WeekHours?
    /// Only while a program may be asking for a secret on a terminal.
    package var atSecretPrompts: Bool
    /// Only while a program of this name may be asking for one; which programs are looked for is said by
    /// ``Restrictions/askers``.
    package var asker: SecretAsker?

    /// A rule; without any criterion it is for everything.
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

    /// Whether the rule looks at no window and no device, so that it is for all input at its hours.
    package var isForEverything: Bool {
        app == nil && title == nil && device == nil && !isForPrompts
    }

    /// Whether the rule is for what is typed while a program may be asking for a secret.
    package var isForPrompts: Bool { atSecretPrompts || asker != nil }

    /// Whether the rule is in force at a minute of the week.
    package func isInForce(at minute: WeekMinute) -> Bool {
        during?.contains(minute) ?? true
    }

    /// Whether the rule is for a window, whatever the device and the hour.
    package func matches(_ window: WindowFacts) -> Bool { matches(WindowTexts(window)) }

    func matches(_ window: WindowTexts) -> Bool {
        if isForPrompts, !window.mayAskForSecret { return false }
        if let app, !window.isOf(app) { return false }
        if let title, let texts = window.titles, !texts.contains(where: { title.matches($0) }) {
            return false
        }
        return true
    }

    /// Whether the rule leaves out what a device does in a window at a minute of the week.
    ///
    /// - Parameters:
    ///   - window: what is known of it.
    ///   - device: its name; nil for one that no rule names.
    ///   - minute: by the local clock.
    /// - Returns: whether it does.
    package func excludes(
        _ window: WindowFacts,
        from device: String?,
        at minute: WeekMinute
    ) -> Bool {
        guard isInForce(at: minute), matches(window) else { return false }
        guard let pattern = self.device else { return true }
        return device.map(pattern.matches) ?? false
    }

    /// Whether it takes the window's title to decide.
    package func needsTitle(of window: WindowFacts) -> Bool {
        title != nil && (app.map(WindowTexts(window).isOf) ?? true)
    }
}

/// What rules ask about a window, made ready once for all of them.
struct WindowTexts: Redacted {
    /// Class and instance.
    private let names: [Glob.Text]
    /// The same in the other encoding that they may be in.
    private let otherNames: [Glob.Text]
    /// All ways in which the title may read; nil where it cannot be read.
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

    /// Whether a pattern may name the application, by class or by instance: what is left out.
    func isOf(_ app: Glob) -> Bool {
        isSurelyOf(app) || otherNames.contains { app.matches($0) }
    }

    /// Whether a pattern names the application as it most likely reads: what is allowed.
    func isSurelyOf(_ app: Glob) -> Bool {
        names.contains { app.matches($0) }
    }
}
