// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Packing
import Person
import Query
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// A ring of batches whose content and times a test chooses, with the person's identity beside it.
final class SyntheticRing {
    /// The moment that all batches count their minutes from: 2027-01-15T08:00:00Z.
    static let origin: Int64 = 1_800_000_000_000

    let folder: TemporaryFolder
    let identity = Identity()
    private let key: DeviceKey
    private let ring: Ring
    private var builder = BatchBuilder()

    init(cap: Int = RingFormat.smallestCap) throws {
        folder = try TemporaryFolder()
        try Disk.makeFolder(folder.paths.state)
        key = try DeviceKeyFile.readOrMake(folder.paths.deviceKey)
        ring = try Ring.open(folder.paths.ring, cap: cap, key: key, now: Self.origin)
        let file = identity.file(createdAt: WallTime(0))
        try Disk.write(Array(file.utf8), to: folder.paths.identity)
    }

    var path: String { folder.paths.ring }

    /// The tables over the ring, opened with its identity or another.
    func source(_ identities: [Identity]? = nil) -> BatchSource {
        BatchSource(path: path, identities: identities ?? [identity])
    }

    /// The rows of a query, in the ring's own session unless another is given.
    func rows(_ sql: String, _ session: QuerySession? = nil) throws -> [[Cell]] {
        try (session ?? QuerySession(source())).rows(sql)
    }

    /// Stores a batch that begins at a minute: motions in an application, at given milliseconds.
    ///
    /// - Parameters:
    ///   - minute: since ``origin``.
    ///   - app: in front; it comes to the front with the batch unless the header tells it.
    ///   - header: the application that the header tells.
    ///   - times: of the motions, after the beginning; the batch ends with the last.
    ///   - recipient: the key it is sealed to, instead of the identity's.
    /// - Throws: what any stage of the path throws.
    func put(
        minute: Int64,
        app: String = "Editor",
        header: String = "",
        times: [Int64] = [0, 1000, 50_000],
        recipient: Identity? = nil
    ) throws {
        let base = minute * 60_000
        try put(base: base, header: header, recipient: recipient) { gate, sink in
            if header.isEmpty {
                _ = gate.take(
                    .context(.app(app), stream: .keyboard, at: EventTime(base)),
                    into: sink
                )
            }
            for time in times {
                let motion = RawEvent(
                    time: EventTime(base + time),
                    device: 9,
                    payload: .motion(dx: Int32(minute), dy: Int32(time % 1000))
                )
                _ = gate.take(.input(motion, stream: .pointer), into: sink)
            }
        }
    }

    /// Stores a batch of a gap.
    func putGap(from: Int64, to: Int64) throws {
        try put(base: to, header: "", recipient: nil) { gate, sink in
            var paused = gate.conditions
            paused.isPaused = true
            gate.set(paused, at: EventTime(from), into: sink)
            paused.isPaused = false
            gate.set(paused, at: EventTime(to), into: sink)
        }
    }

    private func put(
        base: Int64,
        header: String,
        recipient: Identity?,
        _ body: (inout Gate, (GateOutput) -> Void) -> Void
    ) throws {
        var gate = Gate(stopped: EventTime(base))
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound, conditions.isConnected) = (true, true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
        conditions.hasSpace = true
        gate.set(conditions, at: EventTime(base)) { _ in }
        _ = gate.take(.context(.app("x"), stream: .pointer, at: EventTime(base))) { _ in }
        builder.begin(
            BatchHeader(
                sequence: ring.nextSequence,
                bootID: [],
                wallOffset: Self.origin,
                keyDetail: 2,
                base: EventTime(base),
                app: header
            )
        )
        var outputs: [GateOutput] = []
        body(&gate) { outputs.append($0) }
        for output in outputs { builder.append(output) }
        guard let packed = builder.pack() else { throw PackingError(.badFrame) }
        let reader = try #require(Recipient((recipient ?? identity).recipient))
        let sealer = Sealer([reader], signedBy: key)
        try ring.put(try sealer.seal(packed, after: ring.head.digest))
        builder.discard(
            BatchHeader(sequence: 0, bootID: [], wallOffset: 0, keyDetail: 0, base: EventTime(0))
        )
    }

    /// Runs statements on the ring's file as a stranger would.
    func damage(_ sql: String) throws {
        let result = try Program.run("sqlite3", [path, sql])
        #expect(result.code == 0, "\(result.errors)")
    }
}

extension QuerySession {
    /// All rows of a query.
    func rows(_ sql: String) throws -> [[Cell]] {
        var rows: [[Cell]] = []
        try prepare(sql).run { rows.append($0) }
        return rows
    }

    /// The first value of the first row, as a number.
    func number(_ sql: String) throws -> Int64? {
        guard case .integer(let number) = try rows(sql).first?.first else { return nil }
        return number
    }
}
