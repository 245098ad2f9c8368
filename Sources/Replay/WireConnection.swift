// SPDX-License-Identifier: Apache-2.0

import Wire

/// A connection to a local X server that can send a ``WireRequest`` and nothing else.
///
/// It selects no events; the few that a server sends to every client are discarded unread.
final class WireConnection {
    let display: DisplayName

    private let socket: WireSocket
    private var majors: [WireRequest.Extension: UInt8] = [:]
    private var output: [UInt8] = []
    private var sent: UInt16 = 0

    /// Connects to a display.
    ///
    /// - Parameters:
    ///   - display: of this machine.
    ///   - cookie: the MIT-MAGIC-COOKIE-1 of the display; nil for none.
    /// - Throws: ``ReplayError`` `unreachable`.
    convenience init(_ display: DisplayName, cookie: [UInt8]?) throws(ReplayError) {
        guard let socket = WireSocket(display.socket, cookie: cookie) else {
            throw ReplayError(.unreachable, display.text)
        }
        self.init(display, socket)
    }

    /// Continues with a socket on which the connection setup is done.
    init(_ display: DisplayName, _ socket: WireSocket) {
        self.display = display
        self.socket = socket
    }

    var root: UInt32 { socket.root }
    var keycodes: ClosedRange<UInt8> { socket.keycodes }

    /// Queries an extension; its requests can be sent from then on.
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

    /// Queues a request for the next ``flush()``.
    func send(_ request: WireRequest) throws(ReplayError) {
        output += request.bytes(majors)
        sent &+= 1
        if output.count > 1 << 14 { try flush() }
    }

    /// Sends the queued requests.
    ///
    /// - Throws: ``ReplayError`` `lost`.
    func flush() throws(ReplayError) {
        guard socket.send(output) else { throw ReplayError(.lost) }
        output.removeAll(keepingCapacity: true)
    }

    /// Sends a request and waits for its reply; all earlier requests are then processed.
    ///
    /// - Returns: nil when the server replies with an error.
    /// - Throws: ``ReplayError`` `lost`.
    func ask(_ request: WireRequest) throws(ReplayError) -> WireReader? {
        try send(request)
        try flush()
        while true {
            var packet = try receive(32)
            let type = packet[0]
            // Replies, and events of extensions, may be longer.
            if type == 1 || type & 0x7F == 35 {
                let words = try WireReader(packet).uint32(4)
                guard words < 1 << 20 else { throw ReplayError(.lost) }
                packet += try receive(4 * Int(words))
            }
            let reply = WireReader(packet)
            guard type <= 1, try reply.uint16(2) == Int(sent) else { continue }
            return type == 1 ? reply : nil
        }
    }

    private func receive(_ length: Int) throws(ReplayError) -> [UInt8] {
        guard let bytes = socket.receive(length) else { throw ReplayError(.lost) }
        return bytes
    }
}
