// SPDX-License-Identifier: Apache-2.0

import Wire

/// A request to an X server, one of those that a replay needs.
///
/// ``Kind`` is the whole list, and a test knows it. Nothing in it selects events, grabs, reads
/// pixels or records, so this module cannot capture. It speaks the protocol itself, without Xlib.
struct WireRequest {
    /// The extensions in use, by the names that the server knows.
    enum Extension: String, CaseIterable {
        case test = "XTEST"
        case input = "XInputExtension"
        case resource = "X-Resource"
        case keyboard = "XKEYBOARD"
        case outputs = "RANDR"
    }

    /// All requests of this module.
    enum Kind: CaseIterable {
        case queryPointer, warpPointer, synchronize, queryExtension
        case changeKeyboardMapping, getKeyboardMapping, getModifierMapping, getPointerMapping
        case fakeInput
        case inputVersion, queryDevices
        case resourceVersion, queryClients
        case keyboardVersion, keyboardState, lockModifiers
        case outputsVersion, outputs, output

        /// The extension, nil for the core protocol, and the request's opcode in it.
        var code: (extension: Extension?, number: UInt8) {
            switch self {
            case .queryPointer: (nil, 38)
            case .warpPointer: (nil, 41)
            // GetInputFocus, the cheapest request with a reply.
            case .synchronize: (nil, 43)
            case .queryExtension: (nil, 98)
            case .changeKeyboardMapping: (nil, 100)
            case .getKeyboardMapping: (nil, 101)
            case .getPointerMapping: (nil, 117)
            case .getModifierMapping: (nil, 119)
            case .fakeInput: (.test, 2)
            case .inputVersion: (.input, 47)
            case .queryDevices: (.input, 48)
            case .resourceVersion: (.resource, 0)
            case .queryClients: (.resource, 4)
            case .keyboardVersion: (.keyboard, 0)
            case .keyboardState: (.keyboard, 4)
            case .lockModifiers: (.keyboard, 5)
            case .outputsVersion: (.outputs, 0)
            case .outputs: (.outputs, 25)
            case .output: (.outputs, 9)
            }
        }
    }

    /// The event types of XTEST's FakeInput.
    enum Fake: UInt8 {
        case keyDown = 2
        case keyUp = 3
        case buttonDown = 4
        case buttonUp = 5
        case motion = 6
    }

    let kind: Kind
    /// The second byte of a core request.
    var data: UInt8 = 0
    private(set) var body: [UInt8] = []

    init(_ kind: Kind, _ body: UInt32..., data: UInt8 = 0) {
        self.kind = kind
        self.data = data
        for value in body { self.body.append(uint32: value) }
    }

    /// Presses or releases a key or button.
    static func fake(_ action: Fake, _ number: UInt8) -> WireRequest {
        var request = WireRequest(.fakeInput)
        request.body.append(padded: [action.rawValue, number, 0, 0])
        request.body.append(padded: [UInt8](repeating: 0, count: 28))
        return request
    }

    /// Moves the pointer by device counts (relative motion).
    static func move(dx: Int16, dy: Int16) -> WireRequest {
        var request = WireRequest(.fakeInput)
        request.body.append(padded: [Fake.motion.rawValue, 1, 0, 0])
        request.body.append(padded: [UInt8](repeating: 0, count: 16))
        request.append(pair: dx, dy)
        request.body.append(padded: [UInt8](repeating: 0, count: 8))
        return request
    }

    /// Moves the pointer to a pixel without a device event.
    static func warp(to point: ScreenPoint, root: UInt32) -> WireRequest {
        var request = WireRequest(.warpPointer, 0, root, 0, 0)
        request.append(pair: Int16(clamping: point.x), Int16(clamping: point.y))
        return request
    }

    static func queryExtension(_ name: Extension) -> WireRequest {
        let bytes = Array(name.rawValue.utf8)
        var request = WireRequest(.queryExtension, UInt32(bytes.count))
        request.body.append(padded: bytes)
        return request
    }

    /// Gives a key one keysym, with and without Shift.
    static func map(_ keycode: UInt8, to keysym: UInt32) -> WireRequest {
        var request = WireRequest(.changeKeyboardMapping, data: 1)
        request.body.append(padded: [keycode, 2, 0, 0])
        request.body.append(uint32: keysym)
        request.body.append(uint32: keysym)
        return request
    }

    static func keyboardMapping(_ keycodes: ClosedRange<UInt8>) -> WireRequest {
        var request = WireRequest(.getKeyboardMapping)
        request.body.append(padded: [keycodes.lowerBound, UInt8(keycodes.count), 0, 0])
        return request
    }

    /// Sets the locks among the affected modifiers, and locks group 1 of the layout.
    static func lock(_ modifiers: UInt8, of affected: UInt8) -> WireRequest {
        var request = WireRequest(.lockModifiers)
        request.body.append(padded: [0, 1, affected, modifiers, 1, 0, 0, 0, 0, 0, 0, 0])
        return request
    }

    /// Encodes the request for the wire, little-endian.
    ///
    /// - Parameter majors: the major opcodes that the server assigned to the extensions.
    /// - Returns: its bytes.
    func bytes(_ majors: [Extension: UInt8]) -> [UInt8] {
        let code = kind.code
        let head = code.extension.map { [majors[$0] ?? 0, code.number] } ?? [code.number, data]
        let words = UInt16(body.count / 4 + 1)
        return head + [UInt8(truncatingIfNeeded: words), UInt8(words >> 8)] + body
    }

    private mutating func append(pair first: Int16, _ second: Int16) {
        let pair = UInt32(UInt16(bitPattern: first)) | UInt32(UInt16(bitPattern: second)) << 16
        body.append(uint32: pair)
    }
}

/// A pixel of a screen.
struct ScreenPoint: Equatable {
    var x: Int
    var y: Int
}
