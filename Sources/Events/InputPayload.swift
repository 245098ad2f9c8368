// SPDX-License-Identifier: Apache-2.0

/// The kind of an input event with its values, in device units and not in pixels.
///
/// What is known of a key differs between the stages: see `RawEvent.Payload`,
/// `AdmittedEvent.Payload` and `OpenedItem.Input`. Everything else is the same from the device to
/// the reader. `Run` is `Never` where text is not yet reduced to typing runs.
package enum InputPayload<Key, Run>: Sendable, BitwiseCopyable, Redacted
where Key: Sendable & BitwiseCopyable, Run: Sendable & BitwiseCopyable {
    /// A key press or release.
    case key(Key)
    /// A typing run, or a part of one: keys of text or, at `activity`, any keys.
    case typing(Run)
    /// A button, by its core protocol number; the wheel's buttons 4 to 7 become scrolls.
    case button(number: UInt8, isDown: Bool)
    /// A raw motion in the device's own units, before acceleration.
    case motion(dx: Int32, dy: Int32)
    /// Wheel motion in 1/120 notch; down and right are positive.
    case scroll(dx: Int32, dy: Int32)
    /// Valuators of a device that reports positions or more than motion and wheels.
    case axes(AxisValues)
    /// A finger; the event's pixel is the finger's, not the pointer's.
    case touch(Touch)
}

extension InputPayload: Equatable where Key: Equatable, Run: Equatable {}

extension InputPayload {
    /// The word for the kind in exports and SQL.
    package var name: String {
        switch self {
        case .key: "key"
        case .typing: "typing"
        case .button: "button"
        case .motion: "motion"
        case .scroll: "scroll"
        case .axes: "axes"
        case .touch: "touch"
        }
    }
}

/// A key as far as the key detail admits it; the keycode is never part of it.
package struct StoredKey: Equatable, Sendable, BitwiseCopyable, Redacted {
    /// Whether the key was pressed; otherwise it was released.
    package var isDown: Bool
    /// The function of the key.
    package var keyClass: KeyClass
    /// The modifiers in effect at the press.
    package var modifiers: Modifiers
    /// The X keysym; 0 if the identity is withheld.
    package var keysym: UInt32

    package init(isDown: Bool, keyClass: KeyClass, modifiers: Modifiers, keysym: UInt32) {
        self.isDown = isDown
        self.keyClass = keyClass
        self.modifiers = modifiers
        self.keysym = keysym
    }
}
