// SPDX-License-Identifier: Apache-2.0

import Bus
import Testing

/// The wire format of D-Bus.
@Suite struct BusMessageTests {
    /// A message with each type, and with containers in containers.
    private static let rich: BusMessage = {
        let values: [BusValue] = [
            .byte(7), .boolean(true), .number("n", 65_534), .number("q", 65_535), .int32(-3),
            .uint32(4), .number("x", 1 << 63), .number("t", .max), .number("d", 1),
            .string("grüße"), .path("/a/b"), .signature("a{sv}"), .number("h", 0),
            .array(of: "s", []), .array(of: "t", [.number("t", 1)]), .array(of: "(ii)", []),
            .dictionary([("a", .int32(1)), ("b", .strings(["x", "y"]))]),
            .record([.byte(1), .record([.number("t", 2), .string("")])]),
            .variant(.variant(.record([.boolean(false)]))),
            .array(of: "v", [.variant(.byte(1)), .variant(.string("z"))]),
        ]
        var message = BusMessage.call(
            "org.example.A",
            "/org/example",
            "org.example.A",
            "Do",
            values
        )
        message.serial = 42
        return message
    }()

    @Test func `what was written is read`() throws {
        let read = try BusMessage(Self.rich.encoded)
        #expect(read == Self.rich)
        #expect(try BusMessage.size(of: Self.rich.encoded) == Self.rich.encoded.count)
        var signal = BusMessage.signal("/a", "org.example.A", "Changed", [.boolean(true)])
        signal.serial = 1
        #expect(try BusMessage(signal.encoded) == signal)
    }

    /// The call of the specification that every connection begins with, byte by byte.
    @Test func `Hello has the bytes of the specification`() {
        var hello = BusMessage.call(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "Hello"
        )
        hello.serial = 1
        func field(_ code: UInt8, _ type: Character, _ text: String) -> [UInt8] {
            var bytes = [code, 1, type.asciiValue ?? 0, 0]
            bytes += [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) + [0]
            return bytes
        }
        var fields: [UInt8] = []
        for (code, type, text) in [
            (1, "o", "/org/freedesktop/DBus"), (2, "s", "org.freedesktop.DBus"),
            (3, "s", "Hello"), (6, "s", "org.freedesktop.DBus"),
        ] as [(UInt8, Character, String)] {
            while fields.count % 8 != 0 { fields.append(0) }
            fields += field(code, type, text)
        }
        var bytes: [UInt8] = [0x6C, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0]
        bytes += [UInt8(fields.count), 0, 0, 0] + fields
        while bytes.count % 8 != 0 { bytes.append(0) }
        #expect(hello.encoded == bytes)
    }

    @Test func `a big-endian message is read`() throws {
        let bytes: [UInt8] =
            [0x42, 4, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 45]
            + [1, 1, 0x6F, 0, 0, 0, 0, 1, 0x2F, 0, 0, 0, 0, 0, 0, 0]
            + [2, 1, 0x73, 0, 0, 0, 0, 1, 0x49, 0, 0, 0, 0, 0, 0, 0]
            + [3, 1, 0x73, 0, 0, 0, 0, 1, 0x4D, 0, 0, 0, 0, 0, 0, 0]
        // The signature field makes the header longer.
        var whole = Array(bytes)
        whole[15] = 55
        whole += [8, 1, 0x67, 0, 1, 0x75, 0, 0] + [0, 0, 1, 2]
        let message = try BusMessage(whole)
        #expect(message.path == "/" && message.interface == "I" && message.member == "M")
        #expect(message.serial == 9 && message.body == [.uint32(258)])
    }

    @Test func `a message cut at any byte is not read, and ends nothing`() throws {
        let bytes = Self.rich.encoded
        for length in 0..<bytes.count {
            let cut = Array(bytes[..<length])
            #expect(throws: BusError.self) { try BusMessage(cut) }
        }
    }

    @Test func `any changed byte is another message or none`() throws {
        let bytes = Self.rich.encoded
        var read = 0
        for index in bytes.indices {
            for value in [0, 1, 0x20, 0x61, 0x7F, 0x80, 0xFF, bytes[index] ^ 1] as [UInt8] {
                var changed = bytes
                changed[index] = value
                if (try? BusMessage(changed)) != nil { read += 1 }
            }
        }
        #expect(read > 0 && read < bytes.count * 8)
    }

    @Test func `containers within each other end at some depth`() throws {
        var value = BusValue.byte(1)
        for _ in 0..<30 { value = .variant(value) }
        var message = BusMessage.signal("/a", "org.example.A", "Deep", [value])
        message.serial = 1
        #expect(try BusMessage(message.encoded).body == [value])
        for _ in 0..<40 { value = .variant(value) }
        message.body = [value]
        #expect(throws: BusError.self) { try BusMessage(message.encoded) }
    }

    @Test func `a message of more than 64 KiB is refused by its first bytes`() throws {
        let head: [UInt8] = [0x6C, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(throws: BusError.self) { try BusMessage.size(of: head) }
        #expect(try BusMessage.size(of: head.prefix(15)) == nil)
    }

    @Test func `addresses are those of local sockets`() {
        func paths(_ text: String?) -> [String] {
            BusAddress.all(text, fallback: "/run/bus").map(\.path)
        }
        #expect(paths(nil) == ["/run/bus"])
        #expect(paths("") == ["/run/bus"])
        #expect(paths("unix:path=/run/user/1000/bus") == ["/run/user/1000/bus"])
        #expect(paths("unix:abstract=/tmp/dbus-x,guid=00") == ["@/tmp/dbus-x"])
        #expect(paths("tcp:host=x;unix:path=/a%20b,guid=1;unix:guid=2") == ["/a b"])
        #expect(paths("unix:path=%2") == [])
        #expect(paths("unix:runtime=yes") == [])
    }
}
