// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Another reading of a keyboard's map: libxkbcommon's, from the text that xkbcomp writes.
final class XKBCommon {
    private typealias Pointer = OpaquePointer?
    private typealias Update =
        @convention(c) (
            Pointer, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32
        ) -> Int32
    private typealias OneKeysym = @convention(c) (Pointer, UInt32) -> UInt32

    private static func function<F>(_ name: String, _: F.Type) throws -> F {
        // By name, so that no header is needed to build.
        let library = try #require(dlopen("libxkbcommon.so.0", RTLD_NOW))
        return unsafeBitCast(try #require(dlsym(library, name)), to: F.self)
    }

    let groups: UInt32
    private let state: Pointer
    private let update: Update
    private let oneKeysym: OneKeysym

    init(_ map: String) throws {
        let newContext = try Self.function(
            "xkb_context_new",
            (@convention(c) (UInt32) -> Pointer).self
        )
        let newKeymap = try Self.function(
            "xkb_keymap_new_from_string",
            (@convention(c) (Pointer, UnsafePointer<CChar>, UInt32, UInt32) -> Pointer).self
        )
        let newState = try Self.function(
            "xkb_state_new",
            (@convention(c) (Pointer) -> Pointer).self
        )
        let count = try Self.function(
            "xkb_keymap_num_layouts",
            (@convention(c) (Pointer) -> UInt32).self
        )
        let silence = try Self.function(
            "xkb_context_set_log_level",
            (@convention(c) (Pointer, UInt32) -> Void).self
        )
        update = try Self.function("xkb_state_update_mask", Update.self)
        oneKeysym = try Self.function("xkb_state_key_get_one_sym", OneKeysym.self)
        let context = try #require(newContext(0))
        // Not a word on stderr about keys that a us keyboard has not.
        silence(context, 10)
        let keymap = newKeymap(context, map, 1, 0)
        try #require(keymap != nil)
        groups = count(keymap)
        state = newState(keymap)
    }

    /// The keysym of a key under the eight modifier bits and a group; 0 is none.
    func keysym(_ keycode: UInt8, modifiers: UInt8, group: UInt8) -> UInt32 {
        _ = update(state, UInt32(modifiers), 0, 0, 0, 0, UInt32(group))
        return oneKeysym(state, UInt32(keycode))
    }

    private static let toUnicode = try? function(
        "xkb_keysym_to_utf32",
        (@convention(c) (UInt32) -> UInt32).self
    )

    /// The character that a keysym writes; nil where it writes none that can be seen or a space.
    static func character(_ keysym: UInt32) throws -> Unicode.Scalar? {
        let function = try #require(toUnicode)
        guard let scalar = Unicode.Scalar(function(keysym)),
            scalar.properties.generalCategory != .control
        else { return nil }
        return scalar
    }
}
