// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// A little-endian X11 connection after the set-up exchange.
///
/// Upstream: the server's socket on this machine. Downstream: a replay, and the daemon's pointer
/// events. Promise: bytes are transferred unchanged and whole; the socket knows no request and no
/// event.
package final class WireSocket {
    /// The connection's file descriptor, to be polled.
    package let descriptor: Int32
    /// The root window of the first screen.
    package let root: UInt32
    /// The default colormap of that screen.
    package let colormap: UInt32
    /// Bits of a pixel of that root window, such as 24.
    package let depth: UInt8
    /// The first id of the resources that this client may create.
    package let resourceBase: UInt32
    /// The bits of an id that this client chooses.
    package let resourceMask: UInt32
    /// The range of keycodes from the connection set-up, 8 to 255 at most.
    package let keycodes: ClosedRange<UInt8>

    /// Connects to a path; nil if no server answers or it refuses the client.
    ///
    /// - Parameters:
    ///   - path: The path of the server's socket.
    ///   - cookie: The authorisation cookie; nil if the server needs none.
    package convenience init?(_ path: String, cookie: [UInt8]?) {
        self.init(connected: unsafe clinux_connect(path), cookie)
    }

    /// Connects to the server of another connection; nil if no server answers or it refuses the
    /// client.
    ///
    /// - Parameters:
    ///   - other: The other connection's descriptor.
    ///   - cookie: The authorisation cookie; nil if the server needs none.
    package convenience init?(beside other: Int32, cookie: [UInt8]?) {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout.size(ofValue: address))
        let connected = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                guard unsafe getpeername(other, address, &size) == 0 else { return -1 }
                let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
                let new = unsafe socket(Int32(address.pointee.sa_family), kind, 0)
                guard new >= 0, unsafe connect(new, address, size) != 0 else { return new }
                close(new)
                return -1
            }
        }
        self.init(connected: connected, cookie)
    }

    /// Performs the connection set-up on a connected socket and takes ownership of it.
    ///
    /// - Parameters:
    ///   - descriptor: The socket; negative if there is none, which fails.
    ///   - cookie: The authorisation cookie; nil if the server needs none.
    init?(connected descriptor: Int32, _ cookie: [UInt8]?) {
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        let name = cookie == nil ? [] : Array(XAuthority.method.utf8)
        let key = cookie ?? []
        var greeting: [UInt8] = [0x6C, 0, 11, 0, 0, 0]
        greeting += [UInt8(name.count), 0, UInt8(truncatingIfNeeded: key.count), 0, 0, 0]
        for field in [name, key] { greeting.append(padded: field) }
        guard key.count < 256, Self.send(greeting, descriptor),
            let head = Self.receive(8, descriptor).map({ WireReader($0) }),
            let words = head.uint16(at: 6),
            let rest = Self.receive(4 * Int(words), descriptor).map({ WireReader($0) }),
            head.byte(at: 0) == 1, let keycodes = Self.keycodes(rest),
            let screen = Self.screen(rest), let root = rest.uint32(at: screen),
            let colormap = rest.uint32(at: screen + 4), let depth = rest.byte(at: screen + 38),
            let base = rest.uint32(at: 4), let mask = rest.uint32(at: 8)
        else {
            close(descriptor)
            return nil
        }
        self.keycodes = keycodes
        (self.root, self.colormap, self.depth) = (root, colormap, depth)
        (resourceBase, resourceMask) = (base, mask)
    }

    private static func keycodes(_ setup: WireReader) -> ClosedRange<UInt8>? {
        // The protocol allows no keycode below 8.
        guard let first = setup.byte(at: 26), let last = setup.byte(at: 27), first >= 8,
            first <= last
        else { return nil }
        return first...last
    }

    /// The offset of the first screen.
    private static func screen(_ setup: WireReader) -> Int? {
        guard let vendor = setup.uint16(at: 16).map({ Int($0) }), let formats = setup.byte(at: 21)
        else { return nil }
        return 32 + vendor + (-vendor & 3) + 8 * Int(formats)
    }

    deinit { close(descriptor) }

    /// Sends all bytes and blocks while the server is busy.
    ///
    /// - Returns: False if the connection is closed.
    package func send(_ bytes: [UInt8]) -> Bool { Self.send(bytes, descriptor) }

    /// Reads exactly `length` bytes and blocks until they arrive; nil if the connection is closed.
    package func receive(_ length: Int) -> [UInt8]? { Self.receive(length, descriptor) }

    /// Reads the bytes that have arrived, up to the size of a buffer.
    ///
    /// - Parameters:
    ///   - room: The destination; not empty.
    ///   - mayWait: Whether to block until something arrives.
    /// - Returns: The number of bytes, 0 if nothing has arrived; nil if the connection is closed.
    package func receive(into room: UnsafeMutableRawBufferPointer, mayWait: Bool) -> Int? {
        let flags = mayWait ? 0 : Int32(MSG_DONTWAIT)
        let count = retryingInterrupted {
            unsafe recv(descriptor, room.baseAddress, room.count, flags)
        }
        if count > 0 { return count }
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : nil
    }

    private static func send(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        sending(bytes, to: descriptor) == bytes.count
    }

    private static func receive(_ length: Int, _ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        let done = transferring(length) { done in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(descriptor, buffer.baseAddress?.advanced(by: done), length - done, 0)
            }
        }
        return done == length ? bytes : nil
    }
}
