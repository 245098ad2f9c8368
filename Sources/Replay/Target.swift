// SPDX-License-Identifier: Apache-2.0

import System
import Wire

/// The display to play into, after everything that speaks against it was checked.
///
/// Promise: nothing is played where a person may sit, and nothing that is played is recorded. An
/// unknown answer counts as a reason against playing.
package final class Target {
    let connection: WireConnection
    private let ownDaemon: Int32?
    private let mayBeRecorded: Bool

    /// Connects to a display and checks it.
    ///
    /// - Parameters:
    ///   - name: the display as the person gave it, such as `:7`.
    ///   - host: the name of this machine.
    ///   - environment: the process environment; `DISPLAY` is refused as a target.
    ///   - ownDaemon: the process id of this home's mcid; nil when there is none.
    ///   - mayBeRecorded: whether the mcid of another home may record what is played.
    /// - Throws: ``ReplayError``.
    package convenience init(
        _ name: String,
        host: String,
        environment: [String: String],
        ownDaemon: Int32?,
        mayBeRecorded: Bool
    ) throws(ReplayError) {
        guard let display = DisplayName(name, ownHost: host), display.host == nil,
            name.hasPrefix(":") || name.hasPrefix("unix:")
        else { throw ReplayError(.badDisplay, name) }
        if let own = environment["DISPLAY"], !own.isEmpty {
            // A name that does not parse may denote any display.
            guard let other = DisplayName(own, ownHost: host), other != display else {
                throw ReplayError(.ownDisplay, display.text)
            }
        }
        let cookie = XAuthority.cookie(
            for: display.number,
            host: host,
            environment: environment
        )
        try self.init(
            WireConnection(display, cookie: cookie),
            ownDaemon: ownDaemon,
            mayBeRecorded: mayBeRecorded
        )
    }

    /// Checks the display at the other end of a connection.
    init(
        _ connection: WireConnection,
        ownDaemon: Int32?,
        mayBeRecorded: Bool
    ) throws(ReplayError) {
        self.connection = connection
        self.ownDaemon = ownDaemon
        self.mayBeRecorded = mayBeRecorded
        for name in [WireRequest.Extension.input, .resource, .test, .keyboard] {
            guard try connection.find(name) else {
                throw ReplayError(.unsuitable, name.rawValue)
            }
        }
        try checkDevices()
        _ = try connection.ask(WireRequest(.resourceVersion, 0x0201))
        try checkRecorders()
    }

    /// Refuses a display to which an mcid is connected; call it repeatedly while playing.
    ///
    /// The server itself names the processes of its clients (X-Resource 1.2).
    ///
    /// - Throws: ``ReplayError``.
    func checkRecorders() throws(ReplayError) {
        // The local process ids of all clients.
        guard let reply = try connection.ask(WireRequest(.queryClients, 1, 0, 2)) else {
            throw ReplayError(.unsuitable, "X-Resource 1.2")
        }
        var at = 32
        for _ in 0..<(try reply.uint32(8)) {
            let length = Int(try reply.uint32(at + 8))
            let process = length == 4 ? Int32(truncatingIfNeeded: try reply.uint32(at + 12)) : 0
            at += 12 + length
            guard process > 0 else { continue }
            if process == ownDaemon {
                throw ReplayError(.recordedHere, connection.display.text)
            }
            let name = (try? Disk.read("/proc/\(process)/comm")) ?? []
            if !mayBeRecorded, name.elementsEqual("mcid\n".utf8) {
                throw ReplayError(.recorded, connection.display.text)
            }
        }
    }

    /// Refuses a display with real input devices, unless all its screens are dummies.
    private func checkDevices() throws(ReplayError) {
        // XInput 2.2, and then all devices.
        guard try connection.ask(WireRequest(.inputVersion, 2 | 2 << 16)) != nil,
            let reply = try connection.ask(WireRequest(.queryDevices, 0))
        else { throw ReplayError(.unsuitable, "XInput 2") }
        var at = 32
        for _ in 0..<(try reply.uint16(8)) {
            let use = try reply.uint16(at + 2)
            let length = try reply.uint16(at + 8)
            let name = try reply.text(at + 12, length: length)
            let classes = try reply.uint16(at + 6)
            at += 12 + length + (-length & 3)
            for _ in 0..<classes { at += 4 * max(1, try reply.uint16(at + 2)) }
            // 1 and 2 are the master devices, which no hand moves.
            guard use > 2, !Self.isVirtual(name) else { continue }
            guard try hasOnlyDummyScreens() else { throw ReplayError(.inhabited, name) }
            return
        }
    }

    /// Whether the server creates the device itself, for XTEST or in Xvfb.
    static func isVirtual(_ name: String) -> Bool {
        name.hasSuffix(" XTEST pointer") || name.hasSuffix(" XTEST keyboard")
            || name == "Xvfb mouse" || name == "Xvfb keyboard"
    }

    /// Whether every output belongs to Xorg's dummy driver, which nobody can see.
    private func hasOnlyDummyScreens() throws(ReplayError) -> Bool {
        guard try connection.find(.outputs),
            try connection.ask(WireRequest(.outputsVersion, 1, 3)) != nil,
            let all = try connection.ask(WireRequest(.outputs, connection.root))
        else { return false }
        let count = try all.uint16(18)
        guard count > 0 else { return false }
        for index in 0..<count {
            let id = try all.uint32(32 + 4 * (all.uint16(16) + index))
            guard let one = try connection.ask(WireRequest(.output, id, try all.uint32(12))) else {
                return false
            }
            let start = 36 + 4 * (try one.uint16(26) + one.uint16(28) + one.uint16(32))
            let name = try one.text(start, length: try one.uint16(34))
            guard name.hasPrefix("DUMMY") else { return false }
        }
        return true
    }
}
