// SPDX-License-Identifier: Apache-2.0

/// The destination of a stream's input from this event on.
package enum AppContext: Equatable, Sendable, Redacted {
    /// The destination cannot be determined, so nothing may be recorded.
    case unknown
    /// Another client holds a keyboard grab: a locker, a password prompt, a menu.
    case grabbed
    /// A window, with the properties that the gate's rules can test.
    case window(WindowFacts)

    /// A window of which only the application is known.
    package static func app(_ name: String) -> AppContext {
        .window(WindowFacts(app: name))
    }
}

/// The known properties of the window that receives input: the window itself, or a popup's owner.
package struct WindowFacts: Equatable, Sendable, Redacted {
    /// The class part of WM_CLASS (ICCCM 4.1.2.5); empty for the desktop's background, which no
    /// application owns.
    package var app: String
    /// The instance part of WM_CLASS; empty if the window has none.
    package var instance: String
    /// The title; nil if no rule needs it or it cannot be read.
    package var title: String?
    /// Whether the window may show a terminal on which a program asks for a secret.
    ///
    /// True if the terminal's echo is off while it reads lines, and also if that cannot be
    /// determined.
    package var mayAskForSecret: Bool
    /// The windows that contain this one, and contained windows of another program or class.
    ///
    /// A rule that matches any of them applies to this window.
    package var around: [WindowFacts] = []
    /// The same texts, decoded by the other encoding that their bytes may have.
    package var others = OtherReadings()

    /// Class, instance and title decoded by the second possible encoding.
    ///
    /// A text is nil if its bytes have only one possible encoding.
    package struct OtherReadings: Equatable, Sendable, Redacted {
        /// The other reading of the class part of WM_CLASS.
        package var app: String?
        /// The other reading of the instance part of WM_CLASS.
        package var instance: String?
        /// The other reading of the title.
        package var title: String?

        /// Creates a value without second readings.
        package init() {}
    }

    /// Whether another window has the same class, instance and title, in both readings; the windows
    /// around it are not compared.
    package func isLike(_ other: WindowFacts) -> Bool {
        app == other.app && instance == other.instance && title == other.title
            && others == other.others
    }

    /// Creates facts without windows around and without second readings.
    package init(
        app: String,
        instance: String = "",
        title: String? = nil,
        mayAskForSecret: Bool = false
    ) {
        self.app = app
        self.instance = instance
        self.title = title
        self.mayAskForSecret = mayAskForSecret
    }
}
