// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// A device of an Xorg that does what a test says (protocol: xf86-input-inputtest-protocol.h).
///
/// One for each device in a server's life: when its connection ends, the driver takes no other.
final class InputTestDevice {
    enum Kind: String, CaseIterable {
        case keyboard = "Keyboard"
        /// Axes 0 and 1 are movements; 2 and 3 are wheels of 120 counts a notch, across and down.
        case mouse = "Pointer"
        case absolute = "PointerAbsolute"
        /// Absolute, with proximity and with pressure on axis 4.
        case tablet = "PointerAbsoluteProximity"
        /// Axes 0 and 1 are positions from 0 to 65535; axis 4 is the pressure.
        case touch = "Touch"
    }

    enum TouchPhase: UInt32 {
        case begin = 18
        case update, end
    }

    private enum Message: UInt32 {
        case version, synchronize, motion, proximity, button, key, touch
    }

    let kind: Kind
    private let descriptor: Int32
    private var hasSent = false

    /// Connects to the device's socket, which exists a moment after the server is up.
    init(_ kind: Kind, socket path: String) throws {
        self.kind = kind
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = eventually(within: 2) {
            withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, size) == 0
                }
            }
        }
        try #require(connected, "No inputtest device at \(path).")
        try send(.version, words: [0x0001_0001])
        try #require(receive(12) == 12, "The inputtest driver has another version.")
    }

    deinit { close(descriptor) }

    // MARK: Input

    func key(_ code: UInt8, down: Bool) throws {
        try send(.key, words: [UInt32(code), down ? 1 : 0])
    }

    func button(_ number: UInt8, down: Bool) throws {
        try send(.button, words: [0, UInt32(number), down ? 1 : 0], axes: [:])
    }

    /// Moves a relative device by counts, which an acceleration turns into more or fewer pixels.
    func move(dx: Int32, dy: Int32, acceleration: Double = 1) throws {
        let counts = [0: Double(dx), 1: Double(dy)].filter { $0.value != 0 }
        try move(counts.mapValues { $0 * acceleration }, counts: counts)
    }

    /// Moves axes.
    ///
    /// - Parameters:
    ///   - axes: the values by axis.
    ///   - counts: the same before acceleration; the values themselves without it.
    ///   - absolute: whether the values are positions.
    /// - Throws: where the server has gone.
    func move(
        _ axes: [Int: Double],
        counts: [Int: Double]? = nil,
        absolute: Bool = false
    ) throws {
        try send(.motion, words: [absolute ? 1 : 0], axes: axes, counts: counts)
    }

    func touch(_ id: UInt32, _ phase: TouchPhase, _ axes: [Int: Double]) throws {
        try send(.touch, words: [id, phase.rawValue], axes: axes)
    }

    /// Brings a pen near or takes it away.
    func proximity(_ isNear: Bool, _ axes: [Int: Double]) throws {
        try send(.proximity, words: [isNear ? 1 : 0], axes: axes)
    }

    /// Waits until the server has handled everything sent so far.
    func synchronize() throws {
        // Before a first event the driver waits for one.
        guard hasSent else { return }
        try send(.synchronize, words: [])
        try #require(receive(8) == 8, "The server has gone.")
    }

    // MARK: The wire

    /// Sends a message: its length and type, its words, and where it has some, its axes: whether there
    /// are counts, 64 bits that say which axes there are, 64 values, and 64 counts.
    private func send(
        _ message: Message,
        words: [UInt32],
        axes: [Int: Double]? = nil,
        counts: [Int: Double]? = nil
    ) throws {
        var body = [UInt32(0), message.rawValue] + words
        if let axes {
            while body.count % 2 != 0 { body.append(0) }
            let mask = axes.keys.reduce(UInt64(0)) { $0 | 1 << $1 }
            body += [
                counts == nil ? 0 : 1, UInt32(truncatingIfNeeded: mask), UInt32(mask >> 32), 0,
            ]
        }
        let start = body.count * 4
        var bytes = [UInt8](repeating: 0, count: start + (axes == nil ? 0 : 1024))
        body[0] = UInt32(bytes.count)
        bytes.withUnsafeMutableBytes { bytes in
            body.withUnsafeBytes { bytes.copyMemory(from: $0) }
            for (axis, value) in axes ?? [:] {
                bytes.storeBytes(of: value, toByteOffset: start + axis * 8, as: Double.self)
            }
            for (axis, value) in counts ?? [:] {
                bytes.storeBytes(of: value, toByteOffset: start + 512 + axis * 8, as: Double.self)
            }
        }
        var sent = 0
        while sent < bytes.count {
            let flags = Int32(MSG_NOSIGNAL)
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, flags)
            }
            guard count > 0 else { throw POSIXError(.EPIPE) }
            sent += count
        }
        if message != .version && message != .synchronize { hasSent = true }
    }

    private func receive(_ count: Int) -> Int {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
    }
}
