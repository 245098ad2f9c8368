// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// A real Xvnc (TigerVNC), whose pointer and keyboard are those of a remote viewer.
final class VNCServer: Desktop {
    private let folder: TemporaryFolder

    /// Starts Xvnc; viewers connect through a socket of this test alone.
    init(width: Int = 1024, height: Int = 768) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        try super.init(
            server: "Xtigervnc",
            [
                "-SecurityTypes", "None", "-rfbport", "-1", "-rfbunixpath", "\(folder.path)/rfb",
                "-geometry", "\(width)x\(height)", "-noreset", "-nolisten", "tcp", "-ac",
            ],
            display: nil
        )
    }

    /// Connects a viewer.
    func viewer() throws -> VNCViewer { try VNCViewer(socket: "\(folder.path)/rfb") }

    /// Gives the desktop another size.
    func resize(width: Int, height: Int) throws {
        let words = ["-d", display, "-s", "\(width)x\(height)"]
        let result = try Program.run("xrandr", words)
        try #require(result.code == 0, "\(result.errors)")
    }
}

/// A viewer that points and types (RFC 6143) and looks at nothing.
final class VNCViewer {
    private let descriptor: Int32
    /// The buttons that are down: bit n is button n + 1.
    private var buttons: UInt8 = 0
    /// Where the viewer's pointer is.
    private(set) var place = (x: 0, y: 0)

    init(socket path: String) throws {
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = eventually {
            withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, size) == 0
                }
            }
        }
        try #require(connected, "No VNC server at \(path).")
        // ProtocolVersion
        _ = try receive(12)
        try send(Array("RFB 003.008\n".utf8))
        // Security: None
        let types = try receive(Int(try receive(1)[0]))
        try #require(types.contains(1))
        try send([1])
        try #require(try receive(4) == [0, 0, 0, 0])
        // ClientInit: others may stay; ServerInit: size, format, name.
        try send([1])
        let start = try receive(24)
        let length = start[20...].reduce(0) { $0 << 8 | Int($1) }
        _ = try receive(length)
        // SetEncodings: raw, and another size of the desktop, without which the server would hang up.
        try send([2, 0, 0, 2, 0, 0, 0, 0] + [0xFF, 0xFF, 0xFF, 0x21])
    }

    deinit { close(descriptor) }

    func move(toX x: Int, y: Int) throws {
        place = (x, y)
        try sendPointer()
    }

    /// Presses or releases a button; 4 to 7 are the wheels.
    func button(_ number: Int, down: Bool) throws {
        let bit = UInt8(1) << UInt8(number - 1)
        buttons = down ? buttons | bit : buttons & ~bit
        try sendPointer()
    }

    func click(_ number: Int = 1) throws {
        try button(number, down: true)
        try button(number, down: false)
    }

    func key(_ keysym: UInt32, down: Bool) throws {
        try send(
            [4, down ? 1 : 0, 0, 0]
                + (0..<4).map { UInt8(truncatingIfNeeded: keysym >> (24 - 8 * $0)) }
        )
    }

    /// Waits until the server has taken everything sent so far: it answers in the order of what it is sent.
    func synchronize() throws {
        // FramebufferUpdateRequest of a pixel
        try send([3, 0, 0, 0, 0, 0, 0, 1, 0, 1])
        var isAnswered = false
        while !isAnswered {
            switch try receive(1)[0] {
            case 0:
                let head = try receive(3)
                for _ in 0..<(Int(head[1]) << 8 | Int(head[2])) {
                    let area = try receive(12)
                    let width = Int(area[4]) << 8 | Int(area[5])
                    let height = Int(area[6]) << 8 | Int(area[7])
                    // A size has no pixels.
                    if area[11] == 0 { _ = try receive(4 * width * height) }
                }
                isAnswered = true
            case 2: break
            case 3:
                let head = try receive(7)
                _ = try receive(head[3...].reduce(0) { $0 << 8 | Int($1) })
            default: throw POSIXError(.EPROTO)
            }
        }
    }

    private func sendPointer() throws {
        let (x, y) = (UInt16(place.x), UInt16(place.y))
        try send([
            5, buttons, UInt8(x >> 8), UInt8(x & 255), UInt8(y >> 8), UInt8(y & 255),
        ])
    }

    private func send(_ bytes: [UInt8]) throws {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count == bytes.count else { throw POSIXError(.EPIPE) }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard count > 0 else { return bytes }
        guard recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count else {
            throw POSIXError(.EPIPE)
        }
        return bytes
    }
}
