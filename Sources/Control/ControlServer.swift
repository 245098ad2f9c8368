// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// The daemon's end of the control socket, driven by the daemon's loop.
///
/// Promise: it accepts only the person's own processes, and no client can delay the loop. Nothing
/// here waits. There are at most ``maxClients`` clients, and calls are at most
/// ``Varlink/maxMessageBytes`` long. A call or a reply that takes longer than ``patience`` ends the
/// connection. A client that has called is never dropped unanswered to make room for a new one.
package final class ControlServer {
    /// Maximum number of connected clients.
    package static let maxClients = 64
    /// Milliseconds for which half a message or an unread reply may wait.
    package static let patience: Int64 = 5000
    /// Maximum number of messages that are answered in one turn.
    ///
    /// The rest waits for the next turn, so that another client's pause and events are processed in
    /// between.
    private static let maxMessages = 8
    /// Maximum bytes of messages that are answered in one turn.
    private static let maxBytes = 32 * 1024
    /// Maximum bytes of unread replies of all clients together at which another long one is made.
    private static let maxUnread = 4 << 20

    /// Milliseconds after which an idle client that never called gives way to a new one.
    private static let silence: Int64 = 1000

    private struct Client {
        /// Its number among all clients ever.
        let number: Int
        var socket: Int32
        var input = MessageBuffer()
        /// The number of answered messages.
        var served = 0
        var output: [UInt8] = []
        /// Whether the client has closed its end.
        var isEnding = false
        /// Whether the client gets every status.
        var isMonitor = false
        /// Whether the client vouches for the session.
        var isAttending = false
        /// Whether it gives way to no new client while there are others.
        var isKept: Bool { isMonitor || isAttending }
        /// When it connected, in monotonic milliseconds.
        let since: Int64
        /// Whether it waits for nothing.
        var isIdle: Bool { input.count == 0 && output.isEmpty && !isEnding }
        /// Since when input or output has waited for the client, in monotonic milliseconds; nil for
        /// none.
        var waitsSince: Int64?
    }

    private let path: String
    /// The descriptor of the listening socket.
    package let listener: Int32
    private let service: VarlinkService
    private var clients: [Client] = []
    private var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    /// The number of clients so far.
    private var lastNumber = 0
    /// The number of the client whose call is carried out.
    package private(set) var caller = 0
    /// The numbers of clients that attended and are gone; the owner empties it.
    package var departed: [Int] = []
    /// The time of the last turn, in monotonic milliseconds.
    private var turned: Int64 = 0

    /// Listens at a path, for this user only; a socket that a dead daemon left there is replaced.
    ///
    /// - Parameters:
    ///   - path: of the socket; its folder must exist.
    ///   - version: reported to clients.
    ///   - kept: the listening socket of an earlier server at this path, with the connections
    ///     waiting on it; nil for none.
    /// - Throws: ``ControlError`` `socket`.
    package init(path: String, version: String, kept: Int32? = nil) throws(ControlError) {
        self.path = path
        service = VarlinkService(version: version)
        if let kept, unsafe clinux_listens(kept, path) == 1 {
            listener = kept
            return
        }
        unsafe unlink(path)
        listener = unsafe clinux_listen(path, 128)
        guard listener >= 0 else { throw ControlError(.socket, number: errno) }
        // The kept socket has another path: its waiting clients must connect again. Close it only
        // now, so that the new socket gets another descriptor.
        if let kept { Glibc.close(kept) }
    }

    /// Closes all connections and the listening socket, and removes its path.
    package func close() {
        for client in clients { Glibc.close(client.socket) }
        clients = []
        Glibc.close(listener)
        unsafe unlink(path)
    }

    /// The descriptors to poll for reading, and whether to poll each for writing as well.
    package var descriptors: [(descriptor: Int32, writes: Bool)] {
        (isFull ? [] : [(listener, false)]) + clients.map { ($0.socket, !$0.output.isEmpty) }
    }

    /// Whether received messages wait for the next turn.
    package var hasWork: Bool { clients.indices.contains { mayServe($0) } }

    /// Whether a client's next message can be answered now.
    ///
    /// The client has read its earlier replies, and there is room for a long one.
    private func mayServe(_ index: Int) -> Bool {
        let client = clients[index]
        guard client.socket >= 0, client.input.hasMessage, client.output.isEmpty else {
            return false
        }
        let unread = clients.reduce(0) { $0 + $1.output.count }
        return unread < Self.maxUnread || !service.isLong(client.input.first)
    }

    /// When the next waiting client must be disconnected, in monotonic milliseconds; nil for never.
    package var deadline: Int64? {
        let waiting = clients.compactMap(\.waitsSince).min().map { $0 + Self.patience }
        let silent = isFull ? clients.filter(\.isIdle).map { $0.since + Self.silence }.min() : nil
        return [waiting, silent].compactMap(\.self).min()
    }

    /// Serves everything that is ready, without waiting.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - handle: carries out a call.
    package func turn(
        now: Int64,
        _ handle: ControlCall.Handler
    ) {
        turned = now
        accept()
        for index in clients.indices where !read(index) { clients[index].isEnding = true }
        // The client with the fewest replies is first: new clients precede those that call
        // endlessly.
        var left = (messages: Self.maxMessages, bytes: Self.maxBytes)
        for index in clients.indices.sorted(by: { clients[$0].served < clients[$1].served })
        where left.messages > 0 && left.bytes > 0 && mayServe(index) {
            let message = clients[index].input.next()
            left = (left.messages - 1, left.bytes - message.count)
            serve(index, message, handle)
        }
        for index in clients.indices where clients[index].socket >= 0 { settle(index, now) }
        drop { client in client.waitsSince.map { now - $0 >= Self.patience } ?? false }
    }

    /// Sends a status to all clients that monitor.
    ///
    /// - Parameters:
    ///   - status: the status after a change.
    ///   - now: monotonic milliseconds.
    package func publish(_ status: Status, now: Int64) {
        guard clients.contains(where: \.isMonitor) else { return }
        let message = VarlinkService.reply(ControlReply(status: status), continues: true)
        for index in clients.indices where clients[index].isMonitor {
            clients[index].output += message
            flush(index, now)
        }
        drop { _ in false }
    }

    private func accept() {
        for _ in 0..<Self.maxClients {
            // Make room for a new client, or idle clients could lock out a pause. A client that
            // waits for a reply is not dropped; then the new one waits in the queue.
            guard !isFull else { return }
            let socket = clinux_accept(listener)
            guard socket >= 0 else { return }
            guard clinux_peer_uid(socket) == Int64(getuid()) else {
                Glibc.close(socket)
                continue
            }
            if clients.count == Self.maxClients, let idle = dispensable {
                end(idle)
                clients.remove(at: idle)
            }
            lastNumber += 1
            clients.append(Client(number: lastNumber, socket: socket, since: turned))
        }
    }

    /// Whether a new client has to wait.
    private var isFull: Bool { clients.count >= Self.maxClients && dispensable == nil }

    /// The client to drop for a new one.
    ///
    /// First comes the oldest idle one that had its reply, and then one that never called for a
    /// while. If all clients monitor or attend, it is one of them, and one that monitors if possible.
    private var dispensable: Int? {
        clients.firstIndex { $0.isIdle && $0.served > 0 && !$0.isKept }
            ?? clients.firstIndex {
                $0.isIdle && !$0.isKept && turned - $0.since >= Self.silence
            }
            ?? (clients.allSatisfy { $0.isIdle && $0.isKept }
                ? clients.firstIndex { !$0.isAttending } ?? clients.indices.first : nil)
    }

    private func serve(
        _ index: Int,
        _ message: [UInt8],
        _ handle: ControlCall.Handler
    ) {
        clients[index].served += 1
        caller = clients[index].number
        guard let answer = service.answer(message, handle) else { return end(index) }
        clients[index].output += answer.bytes
        if answer.isMonitor { clients[index].isMonitor = true }
        if answer.isAttending { clients[index].isAttending = true }
    }

    /// Sends what can be sent, and disconnects clients that are done or send too much.
    private func settle(_ index: Int, _ now: Int64) {
        let input = clients[index].input
        if !input.hasMessage, input.count > Varlink.maxMessageBytes { return end(index) }
        flush(index, now)
        // Messages that were sent before the client closed its end are still processed.
        if clients[index].isEnding, clients[index].socket >= 0, !input.hasMessage { end(index) }
    }

    /// Receives what is there; false at the end of the connection.
    private func read(_ index: Int) -> Bool {
        // A client that fills its buffer is read again in the next turn.
        guard clients[index].input.count <= Varlink.maxMessageBytes else { return true }
        let count = unsafe Glibc.recv(clients[index].socket, &chunk, chunk.count, 0)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        clients[index].input.append(chunk[..<count])
        return true
    }

    private func flush(_ index: Int, _ now: Int64) {
        let output = clients[index].output
        let sent = sending(output, to: clients[index].socket)
        if sent < output.count, errno != EAGAIN { return end(index) }
        clients[index].output.removeFirst(sent)
        if clients[index].output.count > Varlink.maxAnswerBytes { return end(index) }
        let waits = !clients[index].output.isEmpty || clients[index].input.count > 0
        clients[index].waitsSince = waits ? clients[index].waitsSince ?? now : nil
    }

    /// Marks a connection as ended; ``drop(_:)`` removes it.
    private func end(_ index: Int) {
        Glibc.close(clients[index].socket)
        clients[index].socket = -1
        if clients[index].isAttending { departed.append(clients[index].number) }
    }

    private func drop(_ isTooSlow: (Client) -> Bool) {
        for index in clients.indices where clients[index].socket >= 0 && isTooSlow(clients[index]) {
            end(index)
        }
        clients.removeAll { $0.socket < 0 }
    }
}
