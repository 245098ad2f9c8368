// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// What real devices of a real Xorg do, against what the export says of it.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct OracleTests {
    @Test
    func `nothing is lost, doubled, changed or out of order, at 125 to 8,000 events a second`()
        throws
    {
        let server = try XorgServer(Oracle.devices, isWide: true)
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.record(hand, isWide: true)
        var oracle = Oracle(server, hand, seed: 125)
        // One million in the proof, of which the slow rates have the share that fits in minutes.
        let share = isProof ? 10 : 1
        var reached: [String] = []
        for (rate, count) in [(125, 1000), (1000, 9000), (8000, 90_000)] {
            let real = try oracle.inject(count * share, rate: rate)
            reached.append("\(count * share) at \(real)/s")
            // The end of a flood and the wait at idle are part of it.
            usleep(300_000)
        }
        try oracle.release()
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let verdict = Verdict(
            oracle.truths,
            try daemon.inputs(of: server, hand),
            injected: oracle.injected
        )
        print("Oracle: \(verdict) (\(reached.joined(separator: ", ")))")
        #expect(verdict.isExact, "\(verdict)")
    }
}

extension Daemon {
    /// The exported input of an Xorg's devices, as an oracle words it.
    func inputs(
        of server: XorgServer,
        _ hand: Hand
    ) throws -> [(text: String, isKey: Bool, time: Int64)] {
        let names = RawWitness.deviceNames(hand.display)
        let result = try command("export")
        try #require(result.code == 0, "\(result.errors)")
        return try result.output.utf8.split(separator: 0x0A).compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            guard let event = object, event["type"] as? String != "device",
                let number = event["device"] as? Int,
                let name = names[number], server.devices[name] != nil,
                let time = (event["time"] as? String).flatMap({ WallTime($0)?.milliseconds })
            else { return nil }
            let type = event["type"] as? String ?? ""
            guard ["key", "button", "scroll", "motion", "axes", "touch"].contains(type) else {
                return nil
            }
            let words: [Any?] =
                switch type {
                case "key": [event["keysym"], event["state"]]
                case "button": [event["button"], event["state"]]
                case "axes": values(event["axes"])
                case "touch": [event["finger"], event["state"]] + values(event["axes"])
                case "scroll": [notches(event["dx"]), notches(event["dy"])]
                default: [event["dx"], event["dy"]]
                }
            let text = ([name, type] + words.map { "\($0 ?? "")" }).joined(separator: " ")
            return (text, type == "key", time)
        }
    }

    private func values(_ axes: Any?) -> [String] {
        (axes as? [String: Int] ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// In 1/120 notch.
    private func notches(_ value: Any?) -> Int {
        Int(((value as? Double ?? 0) * 120).rounded())
    }
}
