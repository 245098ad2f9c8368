// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A connection to an X server of this machine that can send a ``WireRequest`` and nothing else.
///
/// It selects no events; the few that a server sends to everybody are thrown away unread.
final class WireConnection {
    let display: DisplayName
    private(set) var root: UInt32 = 0
    private(set) var keycodes: ClosedRange<UInt8> = 8...255

    private let socket: Int32
    private var majors: [WireRequest.Extension: UInt8] = [:]
    private var output: [UInt8] = []
    private var sent: UInt16 = 0

    /// Connects.
    ///
    /// - Parameters:
    ///   - display: of this machine.
    ///   - cookie: what the display wants to be shown.
    /// - Throws: ``ReplayError`` `unreachable`.
    init(_ display: DisplayName, cookie: [UInt8]?) throws(ReplayError) {
        self.display = display
        socket = unsafe clinux_connect(display.socket)
        guard socket >= 0 else { throw ReplayError(.unreachable, display.text) }
        try setUp(cookie)
    }

    deinit { close(socket) }

    private func setUp(_ cookie: [UInt8]?) throws(ReplayError) {
        let name = cookie == nil ? [] : Array(Authority.method.utf8)
        let key = cookie ?? []
        output = [0x6C, 0, 11, 0, 0, 0, UInt8(name.count), 0, UInt8(key.count), 0, 0, 0]
        for field in [name, key] {
            output += field + [UInt8](repeating: 0, count: -field.count & 3)
        }
        try flush()
        let head = WireReply(bytes: try receive(8))
        let setup = WireReply(bytes: head.bytes + (try receive(4 * head.half(6))))
        guard head.bytes[0] == 1 else { throw ReplayError(.unreachable, display.text) }
        keycodes = try setup.byte(34)...max(setup.byte(34), setup.byte(35))
        let vendor = try setup.half(24)
        root = try setup.word(40 + vendor + (-vendor & 3) + 8 * Int(setup.byte(29)))
    }

    /// Finds an extension, whose requests can be sent from then on.
    ///
    /// - Returns: whether the server has it.
    /// - Throws: ``ReplayError`` `lost`.
    func find(_ name: WireRequest.Extension) throws(ReplayError) -> Bool {
        guard let reply = try ask(.queryExtension(name)), try reply.byte(8) != 0 else {
            return false
        }
        majors[name] = try reply.byte(9)
        return true
    }

    /// Sends a request with the next ``flush()``.
    func send(_ request: WireRequest) throws(ReplayError) {
        output += request.bytes(majors)
        sent &+= 1
        if output.count > 1 << 14 { try flush() }
    }

    /// Sends what waits.
    ///
    /// - Throws: ``ReplayError`` `lost`.
    func flush() throws(ReplayError) {
        var done = 0
        while done < output.count {
            let count = unsafe output.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    socket,
                    buffer.baseAddress?.advanced(by: done),
                    buffer.count - done,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 || errno == EINTR else { throw ReplayError(.lost) }
            done += max(count, 0)
        }
        output.removeAll(keepingCapacity: true)
    }

    /// Sends a request and waits for its answer, so that all before it is done.
    ///
    /// - Returns: nil where the server refuses the request.
    /// - Throws: ``ReplayError`` `lost`.
    func ask(_ request: WireRequest) throws(ReplayError) -> WireReply? {
        try send(request)
        try flush()
        while true {
            var packet = try receive(32)
            let type = packet[0]
            // Answers, and events of extensions, may be longer.
            if type == 1 || type & 0x7F == 35 {
                let words = try WireReply(bytes: packet).word(4)
                guard words < 1 << 20 else { throw ReplayError(.lost) }
                packet += try receive(4 * Int(words))
            }
            let reply = WireReply(bytes: packet)
            guard type <= 1, try reply.half(2) == Int(sent) else { continue }
            return type == 1 ? reply : nil
        }
    }

    private func receive(_ length: Int) throws(ReplayError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        var done = 0
        while done < length {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(socket, buffer.baseAddress?.advanced(by: done), length - done, 0)
            }
            guard count > 0 || (count < 0 && errno == EINTR) else { throw ReplayError(.lost) }
            done += max(count, 0)
        }
        return bytes
    }
}
