// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Packing
import Person
import Recording
import Storage
import Testing
import Timeline

/// What is stored of injected keys beside those of a keyboard, byte for byte.
@Suite struct InjectedRecorderTests {
    /// What a session stores of keys, injected and not, each at a time after its beginning.
    private func plaintexts(
        _ detail: KeyDetail,
        _ keys: [(time: Int64, device: UInt8, keysym: UInt32)]
    ) throws -> [[UInt8]] {
        let session = try ScriptedSession(detail: detail, syntheticKeys: false)
        var program = Device(name: "Virtual core XTEST keyboard", kind: .keyboard)
        program.isInjected = true
        session.arrive(.devices([5: Device(name: "AT keyboard", kind: .keyboard), 6: program]))
        session.focus("Editor")
        let start = session.now.monotonic.milliseconds
        for key in keys.sorted(by: { $0.time < $1.time }) {
            session.pass(start + key.time - session.now.monotonic.milliseconds)
            session.key(key.keysym, down: true, device: key.device)
            session.key(key.keysym, down: false, device: key.device)
        }
        session.pass(start + 90_000 - session.now.monotonic.milliseconds)
        session.recorder.stop()
        let identity = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let opener = BatchOpener(Identity.list(identity) ?? [])
        let ring = try RingReader(path: session.folder.paths.ring)
        return try ring.entries().compactMap { entry in
            guard let sealed = try ring.sealed(entry), case .opened(let batch) = opener.open(sealed)
            else { return nil }
            return batch.signed.dropLast(BatchLayout.digestSize)
        }
    }

    @Test(arguments: [KeyDetail.activity, .shortcuts, .classes, .full])
    func `where injected keys lie in their steps, the bytes do not tell`(detail: KeyDetail) throws {
        var random = SplitMix(seed: 9)
        for _ in 0..<8 {
            var own: [(time: Int64, device: UInt8, keysym: UInt32)] = []
            for _ in 0..<20 {
                let keysym: UInt32 = Bool.random(using: &random) ? 0x61 : 0xFFC0
                own.append((.random(in: 1000...30_000, using: &random), 5, keysym))
            }
            // In four steps in a row, one key or many, less than two seconds apart.
            let texts = (0..<2).map { _ in
                var keys: [(time: Int64, device: UInt8, keysym: UInt32)] = []
                var time = Int64.random(in: 5100..<6500, using: &random)
                while time < 24_900 {
                    let keysym = UInt32.random(in: 0x61...0x7A, using: &random)
                    keys.append((time, 6, keysym))
                    time += .random(in: 40...1900, using: &random)
                }
                return keys
            }
            let stored = try texts.map { try plaintexts(detail, own + $0) }
            #expect(stored[0] == stored[1] && !stored[0].isEmpty)
            #expect(try stored[0] != plaintexts(detail, own))
        }
    }

    @Test func `an injected run is flagged, and status counts it`() throws {
        let session = try ScriptedSession(detail: .full, syntheticKeys: false)
        var program = Device(name: "a program", kind: .keyboard)
        program.isInjected = true
        session.arrive(.devices([5: Device(name: "AT keyboard", kind: .keyboard), 6: program]))
        session.focus("Editor")
        session.key(0x61, down: true, device: 6)
        session.key(0x62, down: true)
        session.key(0x62, down: false)
        let status = try #require(try session.recorder.handle(.getStatus).status)
        #expect(status.keys?.stored == 3 && status.keys?.syntheticRuns == 1)
        session.pass(20_000)
        let stored = try session.stored().filter(\.item.payload.isInput)
        #expect(stored.map(\.words) == ["b down", "b up", "typing 5"])
        #expect(stored.map(\.isInjected) == [false, false, true])
    }
}
