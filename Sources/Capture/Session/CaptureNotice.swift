// SPDX-License-Identifier: Apache-2.0

/// The reason for not recording input that the server shows, for the person.
enum CaptureNotice: CaseIterable {
    /// SlowKeys, BounceKeys or an overlay is active.
    case keyFilter
    case mouseKeys
    case otherScreens
    case focusFollowsPointer
    case noFocus

    /// The sentence that `status` shows.
    var sentence: String {
        switch self {
        case .keyFilter:
            "Keys are not recorded while SlowKeys, BounceKeys or an overlay filters them."
        case .mouseKeys:
            "Keys of the keypad are not recorded while MouseKeys moves the pointer with them."
        case .otherScreens:
            "This X server has several screens: only input on the screen of DISPLAY is recorded."
        case .focusFollowsPointer:
            "Keys are not recorded: the focus follows the pointer, and the window under it is uncertain."
        case .noFocus:
            "Keys are not recorded: no window has the focus."
        }
    }
}
