// SPDX-License-Identifier: Apache-2.0

@testable import Control
@testable import Person

extension Target {
    /// A message to the control socket, as it stands between two NULs.
    static let control = Target(
        name: "control",
        run: { input in ControlTarget.message(Array(input.prefix { $0 != 0 })) },
        seeds: ControlTarget.seeds
    )
}

private enum ControlTarget {
    private struct Anything: Codable {}

    static func message(_ message: [UInt8]) {
        var calls: [ControlCall] = []
        let answer = VarlinkService(version: "1").answer(message) { call throws(Refusal) in
            calls.append(call)
            if message.count % 2 == 0 { throw Refusal("No.", next: "mcictl status") }
            return ControlReply()
        }
        check(calls.count <= 1, "A message is one call at most.")
        guard let answer else { return check(calls.isEmpty, "What is no call does nothing.") }
        if answer.isMonitor { check(calls == [.monitor], "Only who asks for it is told more.") }
        guard let last = answer.bytes.last else { return }
        check(last == 0, "An answer ends with a NUL.")
        check(answer.bytes.dropLast().allSatisfy { $0 != 0 }, "And has no other.")
        check(answer.bytes.count <= Varlink.maxMessageBytes * 4, "An answer is not large.")
        let reply = Varlink.decode(Varlink.Reply<Anything>.self, Array(answer.bytes.dropLast()))
        check(reply != nil, "An answer is JSON.")
        if reply?.error == nil, !calls.isEmpty {
            check(message.count % 2 == 1, "A refusal is told.")
        }
    }

    static func seeds() -> [[UInt8]] {
        let name = Varlink.interface
        let texts = [
            #"{"method":"\#(name).GetStatus"}"#,
            #"{"method":"\#(name).Monitor","more":true,"parameters":{}}"#,
            #"{"method":"\#(name).Pause","parameters":{"seconds":1800,"forgetSeconds":300}}"#,
            #"{"method":"\#(name).Pause","parameters":{"until":"2026-11-21T14:05:00Z"},"oneway":true}"#,
            #"{"method":"\#(name).Forget","parameters":{"since":null,"batches":[1,2],"dryRun":true}}"#,
            #"{"method":"\#(name).Resume"}"#, #"{"method":"\#(name).Withdraw","parameters":null}"#,
            #"{"method":"\#(name).Consent","parameters":{"receipt":{"schemaVersion":"1"}}}"#,
            #"{"method":"org.varlink.service.GetInfo","parameters":{}}"#,
            #"{"method":"org.varlink.service.GetInterfaceDescription","#
                + #""parameters":{"interface":"\#(name)"}}"#,
            #"{"method":"com.example.None"}"#, #"{"method":12}"#, "[]", "{", "",
        ]
        let deep = [UInt8](repeating: 0x5B, count: 60_000)
        let nested = Array(#"{"method":"\#(name).Pause","parameters":"#.utf8) + deep
        return texts.map { Array($0.utf8) } + [deep, nested]
    }
}
