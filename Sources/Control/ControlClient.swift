// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Person
import System

/// The client's end of the control socket, as `mcictl` uses it.
package final class ControlClient {
    private let socket: Int32
    private var input = MessageBuffer()

    /// Connects to the daemon; a socket of another user's process is rejected.
    ///
    /// - Parameters:
    ///   - path: of the socket.
    ///   - timeout: maximum time for a reply, in seconds.
    /// - Throws: ``ControlError``; `notRunning` when nobody listens, `foreign` when another user
    ///   does.
    package init(path: String, timeout: Int = 10) throws(ControlError) {
        socket = unsafe clinux_connect(path)
        guard socket >= 0 else {
            let number = errno
            let isAbsent = number == ENOENT || number == ECONNREFUSED || number == ENOTDIR
            throw ControlError(isAbsent ? .notRunning : .socket, number: number)
        }
        guard clinux_peer_uid(socket) == Int64(getuid()) else { throw ControlError(.foreign) }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        unsafe setsockopt(
            socket,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &limit,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }

    deinit { close(socket) }

    /// Calls a method and waits for its reply.
    ///
    /// - Parameter call: any but `monitor`.
    /// - Returns: the reply's parameters.
    /// - Throws: ``ControlError``, or ``Refusal`` with the daemon's sentence.
    package func call(_ call: ControlCall) throws -> ControlReply {
        try send(call, more: false)
        return try receive()
    }

    /// Follows the daemon's status until the daemon ends or `body` returns false.
    ///
    /// - Parameter body: takes each status.
    /// - Throws: ``ControlError`` or ``Refusal``, as ``call(_:)``.
    package func monitor(_ body: (Status) -> Bool) throws {
        var forever = timeval(tv_sec: 0, tv_usec: 0)
        unsafe setsockopt(
            socket,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &forever,
            socklen_t(MemoryLayout<timeval>.size)
        )
        try send(.monitor, more: true)
        while let status = try receive().status, body(status) {}
    }

    private func send(_ call: ControlCall, more: Bool) throws(ControlError) {
        let bytes = call.message(more: more)
        guard sending(bytes, to: socket) == bytes.count else {
            throw ControlError(.badAnswer, number: ControlError.hungUp)
        }
    }

    private func receive() throws -> ControlReply {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while !input.hasMessage {
            guard input.count <= Varlink.maxAnswerBytes else { throw ControlError(.badAnswer) }
            let count = retryingInterrupted { unsafe recv(socket, &chunk, chunk.count, 0) }
            guard count > 0 else {
                throw ControlError(.badAnswer, number: count == 0 ? ControlError.hungUp : errno)
            }
            input.append(chunk[..<count])
        }
        return try Varlink.reply(input.next())
    }
}
