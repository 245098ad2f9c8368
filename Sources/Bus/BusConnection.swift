// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// A connection to a message bus, driven by the owner's loop.
///
/// Upstream: the bus. Downstream: the companion. Promise: after the constructor nothing waits;
/// whatever the bus sends, at most ``BusMessage/maxSize`` bytes of one message are kept, and a
/// message that cannot be read ends the connection.
package final class BusConnection {
    /// What becomes of a call.
    package typealias Answer = (BusMessage?) -> Void

    /// The descriptor to poll.
    package let descriptor: Int32
    /// The unique name that the bus gave this connection; empty until it did.
    package private(set) var name = ""
    /// Whether the connection is over.
    package private(set) var isLost = false

    private var input: [UInt8] = []
    private var output: [UInt8] = []
    /// Descriptors that came with messages not handled yet, in order.
    private var arrived: [Int32] = []
    /// Those of the message that is being handled.
    private var attached: [Int32] = []
    private var lastSerial: UInt32 = 0
    private var pending: [UInt32: Answer] = [:]

    /// Maximum bytes that wait for a bus that does not read.
    private static let maxOutput = 1 << 20
    /// Maximum calls that wait for their replies.
    private static let maxPending = 256
    /// Maximum descriptors that are kept; the companion asks for one at a time.
    private static let maxDescriptors = 8

    /// Connects to the first bus that answers, and authenticates as this user.
    ///
    /// - Parameter addresses: Where the bus may be.
    /// - Throws: ``BusError`` `unreachable` or `refused`; it waits a second at most for each
    ///   address.
    package init(_ addresses: [BusAddress]) throws(BusError) {
        var found: Int32 = -1
        for address in addresses where found < 0 { found = unsafe clinux_connect(address.path) }
        guard found >= 0 else { throw BusError(.unreachable) }
        descriptor = found
        // What was opened is closed when this object goes away.
        guard authenticate() else { throw BusError(.refused) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        call(.call(Self.bus, "/org/freedesktop/DBus", Self.bus, "Hello")) { [weak self] reply in
            self?.name = reply?.body.first?.text ?? ""
        }
    }

    deinit {
        drop()
        Glibc.close(descriptor)
    }

    /// The name of the bus itself, and of its interface.
    package static let bus = "org.freedesktop.DBus"

    // MARK: Authentication

    /// Authenticates with this user's number, as the kernel vouches for it.
    private func authenticate() -> Bool {
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        let digits = Hex.encode(Array("\(getuid())".utf8))
        guard write(Array("\0AUTH EXTERNAL \(digits)\r\n".utf8)),
            line()?.hasPrefix("OK ") == true,
            write(Array("NEGOTIATE_UNIX_FD\r\n".utf8)), line() == "AGREE_UNIX_FD"
        else { return false }
        return write(Array("BEGIN\r\n".utf8))
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        output += bytes
        flush()
        return output.isEmpty && !isLost
    }

    /// Reads a line of the authentication, byte by byte; nil if none comes.
    private func line() -> String? {
        var text: [UInt8] = []
        while text.count < 512 {
            var byte: UInt8 = 0
            guard retryingInterrupted({ unsafe recv(descriptor, &byte, 1, 0) }) == 1 else {
                return nil
            }
            if byte == UInt8(ascii: "\n") {
                return String(decoding: text.dropLast(), as: UTF8.self)
            }
            text.append(byte)
        }
        return nil
    }

    // MARK: Sending

    /// Whether the descriptor must be polled for writing too.
    package var hasOutput: Bool { !output.isEmpty }

    /// Sends a message, at once or when the bus reads.
    ///
    /// - Parameter message: Any but a call whose reply matters.
    /// - Returns: The serial that the message got.
    @discardableResult package func send(_ message: BusMessage) -> UInt32 {
        guard !isLost else { return 0 }
        lastSerial = lastSerial == .max ? 1 : lastSerial + 1
        var numbered = message
        numbered.serial = lastSerial
        output += numbered.encoded
        flush()
        if output.count > Self.maxOutput { drop() }
        return lastSerial
    }

    /// Calls a method.
    ///
    /// - Parameters:
    ///   - message: The call.
    ///   - answer: Takes the reply or the error; nil if the connection ends before.
    package func call(_ message: BusMessage, _ answer: @escaping Answer) {
        guard !isLost, pending.count < Self.maxPending else { return answer(nil) }
        let serial = send(message)
        if serial == 0 || isLost { return answer(nil) }
        pending[serial] = answer
    }

    /// Asks the bus for signals.
    ///
    /// - Parameter rule: A match rule of the specification.
    package func match(_ rule: String) {
        var message = BusMessage.call(
            Self.bus,
            "/org/freedesktop/DBus",
            Self.bus,
            "AddMatch",
            [.string(rule)]
        )
        message.wantsNoReply = true
        send(message)
    }

    private func flush() {
        guard !isLost else { return }
        let sent = sending(output, to: descriptor)
        if sent < output.count, errno != EAGAIN { return drop() }
        output.removeFirst(sent)
    }

    // MARK: Receiving

    /// Reads and writes what is possible without waiting, and passes on what has come.
    ///
    /// - Parameter take: Takes calls and signals.
    package func turn(_ take: (BusMessage) -> Void) {
        if hasOutput { flush() }
        do throws(BusError) {
            // A bus that sends without end is read again in the next turn.
            for _ in 0..<16 where !isLost && receive() {
                while let message = try next() { handle(message, take) }
            }
        } catch {
            drop()
        }
    }

    private func handle(_ message: BusMessage, _ take: (BusMessage) -> Void) {
        attached = Array(arrived.prefix(message.descriptorCount))
        arrived.removeFirst(attached.count)
        defer { Self.close(&attached) }
        switch (message.kind, message.replySerial) {
        case (.call, _), (.signal, _): take(message)
        case (_, let serial?): pending.removeValue(forKey: serial)?(message)
        default: break
        }
    }

    /// Takes over a descriptor that came with the message being handled; nil if there is none.
    ///
    /// - Parameter index: The number in the message (`h`).
    /// - Returns: The descriptor, which the caller closes. All others are closed afterwards.
    package func takeDescriptor(_ index: Int) -> Int32? {
        guard attached.indices.contains(index), attached[index] >= 0 else { return nil }
        defer { attached[index] = -1 }
        return attached[index]
    }

    private static func close(_ descriptors: inout [Int32]) {
        for descriptor in descriptors where descriptor >= 0 { Glibc.close(descriptor) }
        descriptors = []
    }

    /// Receives what is there; false if nothing is.
    private func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        var descriptors = [Int32](repeating: -1, count: Self.maxDescriptors)
        let count = retryingInterrupted {
            unsafe clinux_receive(
                descriptor,
                &chunk,
                chunk.count,
                &descriptors,
                Int32(descriptors.count)
            )
        }
        for descriptor in descriptors where descriptor >= 0 {
            if arrived.count < Self.maxDescriptors {
                arrived.append(descriptor)
            } else {
                Glibc.close(descriptor)
            }
        }
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { drop() }
            return false
        }
        input += chunk[..<count]
        return true
    }

    /// The next complete message, except those of an unknown kind; nil if there is none.
    private func next() throws(BusError) -> BusMessage? {
        while let size = try BusMessage.size(of: input), size <= input.count {
            let bytes = Array(input[..<size])
            input.removeFirst(size)
            if (1...4).contains(bytes[1]) { return try BusMessage(bytes) }
        }
        return nil
    }

    /// Ends the connection; calls that wait get no answer.
    private func drop() {
        guard !isLost else { return }
        isLost = true
        shutdown(descriptor, Int32(SHUT_RDWR))
        Self.close(&arrived)
        (input, output) = ([], [])
        let waiting = pending.values
        pending = [:]
        for answer in waiting { answer(nil) }
    }
}
