// SPDX-License-Identifier: Apache-2.0

/// To whom the input of a stream goes at this point of the stream.
package enum AppContext: Equatable, Sendable, Redacted {
    /// Nobody can say: nothing may be recorded.
    case unknown
    /// Another client holds a keyboard grab: a locker, a password prompt, a menu.
    case grabbed
    /// A window, with what the rules of the gate can ask about it.
    case window(WindowFacts)

    /// A window of which the application alone is known.
    package static func app(_ name: String) -> AppContext {
        .window(WindowFacts(app: name))
    }
}

/// What is known of the window that gets input: the window itself, or for a popup its owner.
package struct WindowFacts: Equatable, Sendable, Redacted {
    /// The class part of WM_CLASS; empty for the desktop's background, which is nobody's.
    package var app: String
    /// The instance part of WM_CLASS; empty where there is none.
    package var instance: String
    /// The title; nil where nobody asked for it or it cannot be read.
    package var title: String?
    /// Whether the window may show a terminal on which a program asks for a secret: its echo is off
    /// while it reads lines, or it cannot be told.
    package var mayAskForSecret: Bool
    /// The windows that it is in, and those in it that are another program's or have a class of their own:
    /// what the rules say of any of them holds for it.
    package var around: [WindowFacts] = []
    /// The same texts in the other encoding that their bytes may be in.
    package var others = OtherReadings()

    /// How class, instance and title read where their bytes do not say in which encoding they are; nil
    /// where there is one reading.
    package struct OtherReadings: Equatable, Sendable, Redacted {
        package var app: String?
        package var instance: String?
        package var title: String?

        package init() {}
    }

    /// Whether another one says the same of itself, wherever the two are.
    package func isLike(_ other: WindowFacts) -> Bool {
        app == other.app && instance == other.instance && title == other.title
            && others == other.others
    }

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
