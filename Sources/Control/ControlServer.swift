// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The daemon's end of the control socket, driven by the daemon's loop.
///
/// Promise: only the person's own processes are heard; no client can hold up the loop: nothing here
/// waits, and clients are at most ``mostClients``, messages at most ``Varlink/maxMessageBytes`` bytes,
/// and a message or an answer that takes longer than ``patience`` ends the connection. Nobody who asked
/// is let go unanswered for the sake of a newcomer.
package final class ControlServer {
    package static let maxClients = 64
    /// Milliseconds that half a message or an unread answer may stand.
    package static let patience: Int64 = 5000
    /// Messages, and their bytes, that are answered in one turn: the rest waits for the next one, so
    /// that between them the pause of somebody else is heard and events are read.
    private static let maxMessages = 8
    private static let maxBytes = 32 * 1024
    /// Bytes of answers that may wait to be read, of all clients together, before another long one is
    /// made.
    private static let maxUnread = 4 << 20

    /// Milliseconds within which somebody who came asks, or gives way to a newcomer.
    private static let silence: Int64 = 1000

    private struct Client {
        var socket: Int32
        var input = MessageBuffer()
        /// Messages that were answered.
        var served = 0
        var output: [UInt8] = []
        var isEnding = false
        var isMonitor = false
        /// When it came.
        let since: Int64
        /// Whether it waits for nothing.
        var isIdle: Bool { input.count == 0 && output.isEmpty && !isEnding }
        /// Since when the input or the output waits for the client.
        var waitsSince: Int64?
    }

    private let path: String
    /// The listening socket.
    package let listener: Int32
    private let service: VarlinkService
    private var clients: [Client] = []
    private var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    /// The moment of the last turn.
    private var turned: Int64 = 0

    /// Listens at a path, for this user alone; a socket left there by a dead daemon is replaced.
    ///
    /// - Parameters:
    ///   - path: of the socket; its folder must exist.
    ///   - version: told to clients.
    ///   - kept: a socket that an earlier server at this path listened on, with the calls that wait there.
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
        // Its path leads elsewhere: whoever waits there calls again. Not before, for the new one is to
        // have another number.
        if let kept { Glibc.close(kept) }
    }

    /// Takes the socket away.
    package func close() {
        for client in clients { Glibc.close(client.socket) }
        clients = []
        Glibc.close(listener)
        unsafe unlink(path)
    }

    /// The descriptors to poll: for reading, and those that also wait for writing.
    package var descriptors: [(descriptor: Int32, writes: Bool)] {
        (isFull ? [] : [(listener, false)]) + clients.map { ($0.socket, !$0.output.isEmpty) }
    }

    /// Whether messages that were read still wait for the next turn.
    package var hasWork: Bool { clients.indices.contains { mayServe($0) } }

    /// Whether a client has asked something that can be answered now: it has read what it was answered
    /// before, and a long answer has room.
    private func mayServe(_ index: Int) -> Bool {
        let client = clients[index]
        guard client.socket >= 0, client.input.hasMessage, client.output.isEmpty else {
            return false
        }
        let unread = clients.reduce(0) { $0 + $1.output.count }
        return unread < Self.maxUnread || !service.isLong(client.input.first)
    }

    /// The moment at which a waiting client must be let go; nil when none waits.
    package var deadline: Int64? {
        let waiting = clients.compactMap(\.waitsSince).min().map { $0 + Self.patience }
        let silent = isFull ? clients.filter(\.isIdle).map { $0.since + Self.silence }.min() : nil
        return [waiting, silent].compactMap(\.self).min()
    }

    /// Serves whatever is ready, without waiting.
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
        // Who had the fewest answers comes first: a newcomer before those who ask without end.
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

    /// Sends a status to everyone who monitors.
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
            // A newcomer gets a place, or idle clients could keep a pause out; one that waits for an
            // answer keeps its own, and the newcomer waits in the queue.
            guard !isFull else { return }
            let socket = clinux_accept(listener)
            guard socket >= 0 else { return }
            guard clinux_peer_uid(socket) == Int64(getuid()) else {
                Glibc.close(socket)
                continue
            }
            if clients.count == Self.maxClients, let longest = dispensable {
                Glibc.close(clients[longest].socket)
                clients.remove(at: longest)
            }
            clients.append(Client(socket: socket, since: turned))
        }
    }

    /// Whether a newcomer has to wait.
    private var isFull: Bool { clients.count >= Self.maxClients && dispensable == nil }

    /// The client that gives way to a newcomer: of those that had their answer the one that has been
    /// there longest, then one that came a while ago and never asked; where all monitor, one of them.
    private var dispensable: Int? {
        clients.firstIndex { $0.isIdle && $0.served > 0 && !$0.isMonitor }
            ?? clients.firstIndex {
                $0.isIdle && !$0.isMonitor && turned - $0.since >= Self.silence
            }
            ?? (clients.allSatisfy { $0.isIdle && $0.isMonitor } ? clients.indices.first : nil)
    }

    private func serve(
        _ index: Int,
        _ message: [UInt8],
        _ handle: ControlCall.Handler
    ) {
        clients[index].served += 1
        guard let answer = service.answer(message, handle) else { return end(index) }
        clients[index].output += answer.bytes
        if answer.isMonitor { clients[index].isMonitor = true }
    }

    /// Sends what can be sent, and ends what has nothing more to say or says too much.
    private func settle(_ index: Int, _ now: Int64) {
        let input = clients[index].input
        if !input.hasMessage, input.count > Varlink.maxMessageBytes { return end(index) }
        flush(index, now)
        // What was said before hanging up is still done.
        if clients[index].isEnding, clients[index].socket >= 0, !input.hasMessage { end(index) }
    }

    /// Reads what is there; false at the end of the connection.
    private func read(_ index: Int) -> Bool {
        // A client that fills its share is read on in the next turn.
        guard clients[index].input.count <= Varlink.maxMessageBytes else { return true }
        let count = unsafe Glibc.recv(clients[index].socket, &chunk, chunk.count, 0)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        clients[index].input.append(chunk[..<count])
        return true
    }

    private func flush(_ index: Int, _ now: Int64) {
        var sent = 0
        let output = clients[index].output
        while sent < output.count {
            let count = unsafe output.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    clients[index].socket,
                    buffer.baseAddress?.advanced(by: sent),
                    buffer.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else {
                if errno != EAGAIN && errno != EINTR { return end(index) }
                break
            }
            sent += count
        }
        clients[index].output.removeFirst(sent)
        if clients[index].output.count > Varlink.maxAnswerBytes { return end(index) }
        let waits = !clients[index].output.isEmpty || clients[index].input.count > 0
        clients[index].waitsSince = waits ? clients[index].waitsSince ?? now : nil
    }

    /// Marks a connection as ended; ``drop(_:)`` forgets it.
    private func end(_ index: Int) {
        Glibc.close(clients[index].socket)
        clients[index].socket = -1
    }

    private func drop(_ isTooSlow: (Client) -> Bool) {
        for index in clients.indices where clients[index].socket >= 0 && isTooSlow(clients[index]) {
            end(index)
        }
        clients.removeAll { $0.socket < 0 }
    }
}
