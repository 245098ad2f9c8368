// SPDX-License-Identifier: Apache-2.0

@testable import Bus

extension Target {
    /// What a message bus sends: messages one after the other, cut anywhere.
    static let bus = Target(name: "bus", run: BusTarget.run, seeds: BusTarget.seeds)
}

private enum BusTarget {
    /// Reads messages as a connection does, and writes each again.
    static func run(_ input: ArraySlice<UInt8>) {
        var rest = Array(input)
        do throws(BusError) {
            while let size = try BusMessage.size(of: rest) {
                check(size <= BusMessage.maxSize, "No message is longer than what is kept.")
                guard size <= rest.count else { return }
                let message = try BusMessage(Array(rest[..<size]))
                rest.removeFirst(size)
                if message.body.map(\.type).joined().utf8.count > 255 { continue }
                let again = try BusMessage(message.encoded)
                check(
                    again.body == message.body && again.path == message.path
                        && again.sender == nil,
                    "What is written is what was read."
                )
            }
        } catch {
            return
        }
    }

    static func seeds() -> [[UInt8]] {
        let values: [BusValue] = [
            .byte(1), .boolean(true), .int32(-1), .number("t", 2), .number("d", 5), .string("text"),
            .path("/a"), .strings(["a", "b"]), .dictionary([("LockedHint", .boolean(true))]),
            .record([.number("n", 1), .variant(.number("q", 2))]), .array(of: "(ii)", []),
            .number("h", 0),
        ]
        var call = BusMessage.call("org.example.A", "/a/b", "org.example.A", "Do", values)
        var signal = BusMessage.signal("/a", "org.example.A", "Changed", [.boolean(false)])
        (call.serial, signal.serial) = (1, 2)
        var reply = call.reply([.variant(.strings([]))])
        var refusal = call.refusal("org.example.Error")
        (reply.serial, refusal.serial) = (3, 4)
        let all = [call, signal, reply, refusal].map(\.encoded)
        return all + [all.flatMap(\.self)]
    }
}
