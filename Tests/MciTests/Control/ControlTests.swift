// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Glibc
import Person
import Synchronization
import Testing

/// A control server on a thread of its own, answering every call with a fixed status.
private final class ServerRig: Sendable {
    let folder: TemporaryFolder
    let path: String
    private let stopped = Mutex(false)
    private let called = Mutex(0)

    /// The calls carried out so far.
    var calls: Int { called.withLock { $0 } }
    private let ended = DispatchSemaphore(value: 0)

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/control"
        let server = try ControlServer(path: path, version: "9.9")
        nonisolated(unsafe) let loop = server
        let thread = Thread { [self] in
            while !stopped.withLock({ $0 }) {
                var watched = loop.descriptors.map {
                    pollfd(
                        fd: $0.descriptor,
                        events: Int16(POLLIN | ($0.writes ? POLLOUT : 0)),
                        revents: 0
                    )
                }
                poll(&watched, nfds_t(watched.count), loop.hasWork ? 0 : 20)
                let now = Int64(Date().timeIntervalSince1970 * 1000)
                loop.turn(now: now) { call throws(Refusal) in
                    called.withLock { $0 += 1 }
                    if case .pause(let pause) = call, pause.seconds == 13 {
                        throw Refusal("An unlucky number.", next: "mcictl pause 14s")
                    }
                    var reply = ControlReply(
                        status: Status(
                            state: .recording,
                            since: "",
                            keyDetail: "off",
                            version: "9.9"
                        )
                    )
                    if case .listExemptions = call { reply.exemptions = Self.exemptions }
                    return reply
                }
            }
            loop.close()
            ended.signal()
        }
        thread.start()
    }

    func stop() {
        stopped.withLock { $0 = true }
        ended.wait()
    }

    /// As many as there may be, with the longest of patterns and reasons.
    static let exemptions = (1...1000).map { number in
        ExemptionRecord(
            id: number,
            request: String(repeating: "0", count: 32),
            scope: Scope(
                app: String(repeating: "\u{1F512}", count: 256),
                title: String(repeating: "\u{1F512}", count: 256),
                device: String(repeating: "\u{1F512}", count: 256)
            ),
            since: "",
            until: nil,
            bootID: "",
            boottimeEnd: nil,
            reason: String(repeating: "\u{1F512}", count: 500),
            state: "requested"
        )
    }

    /// A raw connection.
    func connect() throws -> FileHandle {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        return FileHandle(fileDescriptor: socket, closeOnDealloc: true)
    }

    /// Sends a message and reads up to the next NUL; nil when the server ends the connection.
    func exchange(_ handle: FileHandle, _ text: String) -> String? {
        send(handle, Data(text.utf8) + [0])
        var answer = Data()
        while !answer.contains(0) {
            let data = receive(handle)
            if data.isEmpty { return nil }
            answer += data
        }
        return String(decoding: answer.dropLast(), as: UTF8.self)
    }

    func send(_ handle: FileHandle, _ data: Data) {
        _ = data.withUnsafeBytes {
            Glibc.send(handle.fileDescriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }
}

/// What arrives next; empty when the connection has ended, in whatever way.
private func receive(_ handle: FileHandle) -> Data {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(handle.fileDescriptor, &chunk, chunk.count, 0)
    return Data(chunk.prefix(max(0, count)))
}

@Suite struct ControlTests {
    /// The umask of this process, in words of the kernel.
    private static func mask() throws -> Substring? {
        try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            .split(separator: "\n").first { $0.hasPrefix("Umask:") }
    }

    /// The umask belongs to all threads: two that change it at once can leave it as neither wants it.
    @Test func `listening makes a private socket and leaves the umask alone`() throws {
        let before = try Self.mask()
        try #require(before != nil)
        let folder = try TemporaryFolder()
        let unlike = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for round in 0..<500 {
                let path = "\(folder.path)/\(thread)-\(round)"
                let server = try? ControlServer(path: path, version: "9.9")
                let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[
                    .posixPermissions
                ]
                let now = try? Self.mask()
                if server == nil || mode as? Int != 0o600 || now != before {
                    unlike.withLock { $0 += 1 }
                }
                server?.close()
            }
        }
        #expect(unlike.withLock { $0 } == 0)
    }

    @Test func `our client talks to our server`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let client = try ControlClient(path: rig.path)
        #expect(try client.call(.getStatus).status?.state == .recording)
        #expect(try client.call(.pause(.init())).status?.keyDetail == "off")
        #expect(throws: Refusal("An unlucky number.", next: "mcictl pause 14s")) {
            try client.call(.pause(.init(seconds: 13)))
        }
        #expect(throws: ControlError.self) { try ControlClient(path: rig.path + "x") }
    }

    @Test func `the interface tells about itself, and what it does not have`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let handle = try rig.connect()
        let info = rig.exchange(handle, #"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(info?.contains("io.mci.Control") == true)
        let ask =
            #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.mci.Control"}}"#
        #expect(rig.exchange(handle, ask)?.contains("method Pause(") == true)
        #expect(
            rig.exchange(handle, #"{"method":"io.mci.Control.Fly"}"#)?.contains("MethodNotFound")
                == true
        )
        #expect(
            rig.exchange(handle, #"{"method":"io.other.Do"}"#)?.contains("InterfaceNotFound")
                == true
        )
        let wrong = #"{"method":"io.mci.Control.Pause","parameters":{"seconds":"many"}}"#
        #expect(rig.exchange(handle, wrong)?.contains("InvalidParameter") == true)
    }

    @Test(arguments: ["", "{", "[]", "{\"method\":7}", "\u{1}\u{2}", "deep"])
    func `garbage ends the connection and nothing else`(text: String) throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let handle = try rig.connect()
        let deep = String(repeating: "{\"a\":", count: 9000)
        #expect(rig.exchange(handle, text == "deep" ? deep : text) == nil)
        #expect(try ControlClient(path: rig.path).call(.getStatus).status != nil)
    }

    @Test func `what was asked before hanging up is still done`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        for _ in 0..<20 {
            let handle = try rig.connect()
            let calls = rig.calls
            rig.send(handle, Data(#"{"method":"io.mci.Control.Pause","oneway":true}"#.utf8) + [0])
            try handle.close()
            #expect(eventually { rig.calls == calls + 1 })
        }
        let handle = try rig.connect()
        rig.send(handle, Data(#"{"method":"io.mci.Control.GetStatus"}"#.utf8) + [0])
        shutdown(handle.fileDescriptor, Int32(SHUT_WR))
        #expect(!receive(handle).isEmpty)
    }

    @Test func `a message without an end is cut off at 64 KiB`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let handle = try rig.connect()
        for _ in 0..<20 { rig.send(handle, Data(repeating: 0x61, count: 8192)) }
        #expect(receive(handle).isEmpty)
        #expect(try ControlClient(path: rig.path).call(.getStatus).status != nil)
    }

    @Test func `many messages at once are all answered, in order`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let handle = try rig.connect()
        let message = Data(#"{"method":"io.mci.Control.GetStatus"}"#.utf8) + [0]
        rig.send(handle, (0..<50).reduce(Data()) { data, _ in data + message })
        var answers = 0
        while answers < 50 {
            let data = receive(handle)
            try #require(!data.isEmpty)
            answers += data.filter { $0 == 0 }.count
        }
        #expect(answers == 50)
    }

    @Test func `idle clients cannot keep a newcomer out`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        var handles: [FileHandle] = []
        for _ in 0..<ControlServer.maxClients {
            let handle = try rig.connect()
            #expect(rig.exchange(handle, #"{"method":"io.mci.Control.GetStatus"}"#) != nil)
            handles.append(handle)
        }
        let extra = try rig.connect()
        #expect(rig.exchange(extra, #"{"method":"io.mci.Control.GetStatus"}"#) != nil)
        #expect(receive(handles[0]).isEmpty, "the one that has been there longest had to go")
    }

    @Test func `the socket is for its owner alone`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let attributes = try FileManager.default.attributesOfItem(atPath: rig.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a thousand long exemptions are listed, by many clients at once`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let counts = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            let reply = try? ControlClient(path: rig.path, timeout: 60).call(.listExemptions)
            counts.withLock { $0.append(reply?.exemptions?.count ?? 0) }
        }
        #expect(counts.withLock { $0 } == [1000, 1000, 1000])
    }

    @Test func `no single call of many clients fails, beside others that stay`() throws {
        let rig = try ServerRig()
        defer { rig.stop() }
        let status = #"{"method":"io.mci.Control.GetStatus"}"#
        var others: [FileHandle] = []
        for _ in 0..<20 {
            let idle = try rig.connect()
            #expect(rig.exchange(idle, status) != nil)
            let monitor = try rig.connect()
            #expect(
                rig.exchange(monitor, #"{"method":"io.mci.Control.Monitor","more":true}"#) != nil
            )
            others += [idle, monitor, try rig.connect()]
        }
        // Each thread is a client that makes one call a connection, as mcictl does, and never tries twice.
        let failed = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<90 {
            let thread = Thread {
                for _ in 0..<10 {
                    do {
                        _ = try ControlClient(path: rig.path, timeout: 60).call(.getStatus)
                    } catch {
                        failed.withLock { $0.append("\(error)") }
                    }
                }
                done.signal()
            }
            thread.start()
        }
        for _ in 0..<90 { done.wait() }
        #expect(failed.withLock { $0 } == [])
    }
}
