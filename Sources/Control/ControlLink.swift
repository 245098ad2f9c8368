// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
package import Person
import System

/// The client's end of the control socket for a program with a loop of its own: it never waits.
package final class ControlLink {
    /// What a call returned; nil when the connection ended before.
    package typealias Answer = (Result<ControlReply, Refusal>?) -> Void

    /// The descriptor to poll.
    package let descriptor: Int32
    /// Whether the connection is over.
    package private(set) var isLost = false
    private var input = MessageBuffer()
    private var output: [UInt8] = []
    /// Who waits, in the order of the calls.
    private var waiting: [Answer] = []
    /// Takes what comes after the last answer: each status that a monitor gets.
    private var follow: ((Status) -> Void)?

    /// Connects to the daemon; nil when nobody listens, or another user does.
    ///
    /// - Parameter path: of the socket.
    package init?(path: String) {
        let socket = unsafe clinux_connect(path)
        guard socket >= 0 else { return nil }
        descriptor = socket
        guard clinux_peer_uid(socket) == Int64(getuid()), fcntl(socket, F_SETFL, O_NONBLOCK) == 0
        else { return nil }
    }

    deinit { close(descriptor) }

    /// Whether the descriptor must be polled for writing too.
    package var hasOutput: Bool { !output.isEmpty }

    /// Calls a method.
    ///
    /// - Parameters:
    ///   - call: any but `monitor`.
    ///   - answer: takes the reply.
    package func send(_ call: ControlCall, _ answer: @escaping Answer) {
        guard !isLost else { return answer(nil) }
        waiting.append(answer)
        output += call.message(more: false)
        flush()
    }

    /// Asks for the status now and after every change; no further call may follow.
    ///
    /// - Parameter take: takes each status.
    package func monitor(_ take: @escaping (Status) -> Void) {
        follow = take
        output += ControlCall.monitor.message(more: true)
        flush()
    }

    /// Reads and writes what is possible, and passes on the replies.
    package func turn() {
        flush()
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while !isLost {
            let count = retryingInterrupted { unsafe recv(descriptor, &chunk, chunk.count, 0) }
            if count < 0, errno == EAGAIN { break }
            guard count > 0, input.count <= Varlink.maxAnswerBytes else { return drop() }
            input.append(chunk[..<count])
            while input.hasMessage, !isLost { take(input.next()) }
        }
    }

    private func take(_ message: [UInt8]) {
        do {
            let reply = try Varlink.reply(message)
            if let follow {
                if let status = reply.status { follow(status) }
            } else if !waiting.isEmpty {
                waiting.removeFirst()(.success(reply))
            }
        } catch let refusal as Refusal {
            if !waiting.isEmpty { waiting.removeFirst()(.failure(refusal)) }
        } catch {
            drop()
        }
    }

    private func flush() {
        guard !isLost else { return }
        let sent = sending(output, to: descriptor)
        if sent < output.count, errno != EAGAIN { return drop() }
        output.removeFirst(sent)
    }

    /// Ends the connection; who waits gets no answer.
    private func drop() {
        guard !isLost else { return }
        isLost = true
        shutdown(descriptor, Int32(SHUT_RDWR))
        let unanswered = waiting
        (waiting, output, follow) = ([], [], nil)
        for answer in unanswered { answer(nil) }
    }
}
