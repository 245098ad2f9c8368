// SPDX-License-Identifier: Apache-2.0

package import Events
package import Packing

/// A field of input under the name that it has in JSON, CSV and SQL, in the order of JSON.
package enum EventField: String, CaseIterable, Sendable {
    case button, finger, state, `class`, keysym, modifiers, seconds, dx, dy, axes
}

/// The value of a field.
package enum FieldValue: Sendable, Redacted {
    /// A word, which needs no escapes.
    case word(String)
    /// A whole number.
    case number(Int64)
    /// Wheel motion in 1/120 notch, which readers get in notches.
    case notches(Int32)
    /// A set of modifiers.
    case modifiers(Modifiers)
    /// Valuators with their values.
    case axes(AxisValues)
}

extension OpenedItem {
    /// The value of a field of input.
    ///
    /// - Parameter field: any field.
    /// - Returns: nil for an item that does not have the field.
    package func value(of field: EventField) -> FieldValue? {
        guard case .input(let input) = payload else { return nil }
        return switch (input, field) {
        case (.key(let key), .state): .word(key.isDown ? "down" : "up")
        case (.key(let key), .class): .word(key.keyClass.name)
        case (.key(let key), .keysym): key.keysym == 0 ? nil : .word(KeysymName.of(key.keysym))
        case (.key(let key), .modifiers): .modifiers(key.modifiers)
        case (.typing, .seconds): .number(seconds)
        case (.button(let number, _), .button): .number(Int64(number))
        case (.button(_, let isDown), .state): .word(isDown ? "down" : "up")
        case (.motion(let dx, _), .dx): .number(Int64(dx))
        case (.motion(_, let dy), .dy): .number(Int64(dy))
        case (.scroll(let dx, _), .dx): .notches(dx)
        case (.scroll(_, let dy), .dy): .notches(dy)
        case (.axes(let values), .axes): .axes(values)
        case (.touch(let touch), .finger): .number(Int64(touch.finger))
        case (.touch(let touch), .state): .word(touch.phase.name)
        case (.touch(let touch), .axes): .axes(touch.values)
        default: nil
        }
    }
}
