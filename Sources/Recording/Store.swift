// SPDX-License-Identifier: Apache-2.0

import Events
import Files
import Logging
import Packing
import Sealing
import Settings
import Storage

/// Seals batches and keeps the ring: opens it, retries what failed, and counts what is lost.
struct Store {
    /// Milliseconds after the first unsaved item at which the open batch is stored.
    static let flushInterval: Int64 = 10_000
    /// Sealed batches kept in memory while the ring cannot take them.
    static let mostWaiting = 16
    private static let retryInterval: Int64 = 1000

    private let environment: Recorder.Environment
    private(set) var sealer: Sealer?
    private(set) var recipients: [String] = []
    private(set) var ring: Ring?
    /// Why there is no ring to write to.
    private(set) var failure: String?
    private var waiting: [SealedBatch] = []
    private var retryDue: Int64?
    private var flushDue: Int64?
    private var sequence: UInt64 = 0
    /// Numbers of batches that are still to be erased, when a reader was in the way.
    private var unerased: [UInt64] = []
    private var lostStretch: ClosedRange<Int64>?
    /// Admitted events that could not be stored.
    private(set) var lost = 0

    init(_ environment: Recorder.Environment) {
        self.environment = environment
    }

    // MARK: Opening

    /// Reads the public keys; without one nothing can be sealed.
    mutating func loadRecipients() {
        let text = (try? Disk.read(environment.paths.recipients)).map {
            String(decoding: $0, as: UTF8.self)
        }
        // More recipients would make a batch larger than its slot: they have their own issue.
        let list = text.flatMap { Recipient.list($0) }.map { Array($0.prefix(1)) }
        sealer = list.map { Sealer($0) }
        recipients = list?.map(\.text) ?? []
    }

    /// Opens or makes the ring, a damaged one set aside; false when there is none to write to.
    mutating func open() -> Bool {
        if ring != nil { return true }
        let now = environment.clock().monotonic.milliseconds
        if let due = retryDue, due > now, failure != nil { return false }
        let path = environment.paths.ring
        for _ in 0..<2 {
            do {
                try Disk.makeFolder(environment.paths.state)
                ring = try Ring(path: path, cap: environment.ringCap)
                failure = nil
                return true
            } catch let error as StorageError where error.code == .damaged {
                environment.log.error("The ring was damaged and set aside")
                setAside()
            } catch {
                environment.log.error("The ring cannot be opened", metadata: ["cause": "\(error)"])
                failure = "\(error)"
                break
            }
        }
        failure = failure ?? "The ring cannot be opened."
        retryDue = now + Self.retryInterval
        return false
    }

    /// Puts a damaged ring aside, one at most, so that a new one can be made.
    private func setAside() {
        let path = environment.paths.ring
        try? Disk.move(path, to: path + Ring.setAsideSuffix)
        for suffix in ["-wal", "-shm"] { Disk.remove(path + suffix) }
    }

    /// Opens the ring only where there already is one.
    mutating func openIfThere() {
        if Disk.exists(environment.paths.ring) { _ = open() }
    }

    /// The end of what is stored.
    var newest: WallTime? {
        mutating get {
            openIfThere()
            return ring?.contents.newest.map { WallTime($0) }
        }
    }

    // MARK: The open batch

    var bootID: [UInt8] { environment.bootID }

    /// The number of a batch that begins now.
    mutating func nextSequence() -> UInt64 {
        sequence = max(sequence + 1, ring?.nextSequence ?? 1)
        return sequence
    }

    /// Whether the open batch has something that is not stored yet.
    var isDirty: Bool { flushDue != nil }

    /// The open batch was stored, or has been thrown away.
    mutating func flushed() {
        flushDue = nil
    }

    /// Notes that the open batch has something unsaved.
    mutating func becameDirty(at now: Int64) {
        if flushDue == nil { flushDue = now + Self.flushInterval }
    }

    /// Has the open batch stored at once, after the answer to the person.
    mutating func flushSoon() {
        if isDirty { flushDue = 0 }
    }

    func isDue(_ now: Int64) -> Bool { flushDue.map { $0 <= now } ?? false }

    var due: Int64? { [flushDue, retryDue].compactMap(\.self).min() }

    // MARK: Storing

    /// Seals and stores a batch; what the ring does not take now waits in memory, sealed.
    mutating func put(_ batch: consuming Batch) {
        let count = batch.eventCount
        guard let sealer, let sealed = try? sealer.seal(batch) else {
            lost += count
            return
        }
        waiting.removeAll { $0.sequence == sealed.sequence }
        waiting.append(sealed)
        store()
    }

    /// Tries again what failed.
    mutating func retry(at now: Int64) {
        guard let due = retryDue, due <= now else { return }
        store()
        eraseRest()
    }

    private mutating func store() {
        retryDue = nil
        while let next = waiting.first {
            guard open(), let ring else { break }
            do {
                try ring.put(next)
                waiting.removeFirst()
            } catch {
                environment.log.error(
                    "A batch could not be stored yet",
                    metadata: ["cause": "\(error)"]
                )
                if error.code == .moved || error.code == .damaged {
                    reopen(damaged: error.code == .damaged)
                }
                break
            }
        }
        while waiting.count > Self.mostWaiting { lose(waiting.removeFirst()) }
        planRetry()
    }

    /// Gives up what is sealed and not stored, as after a withdrawal.
    mutating func dropWaiting() {
        while !waiting.isEmpty { lose(waiting.removeFirst()) }
        planRetry()
    }

    private mutating func lose(_ batch: SealedBatch) {
        lost += batch.eventCount
        let stretch = batch.end - 120_000...batch.end
        lostStretch =
            lostStretch.map {
                min($0.lowerBound, stretch.lowerBound)...max($0.upperBound, stretch.upperBound)
            } ?? stretch
    }

    /// The wall time of what was lost since the last call, for a gap.
    mutating func takeLostStretch() -> ClosedRange<Int64>? {
        defer { lostStretch = nil }
        return lostStretch
    }

    private mutating func reopen(damaged: Bool) {
        ring = nil
        if damaged { setAside() }
    }

    private mutating func planRetry() {
        let isPending = !waiting.isEmpty || !unerased.isEmpty || hasPendingErasure
        retryDue = isPending ? environment.clock().monotonic.milliseconds + Self.retryInterval : nil
    }

    // MARK: Erasing

    /// Whether something erased may still be found in a file.
    var hasPendingErasure: Bool { !unerased.isEmpty || ring?.hasPendingErasure == true }

    /// The stored batches that touch a stretch of wall time.
    func batches(touching range: ClosedRange<Int64>) -> [UInt64] {
        let kept = waiting.filter {
            $0.end >= range.lowerBound && $0.end - 120_000 <= range.upperBound
        }
        return Array(Set((ring?.batches(touching: range) ?? []) + kept.map(\.sequence))).sorted()
    }

    /// Erases batches from memory and from the ring.
    mutating func erase(_ sequences: [UInt64]) {
        waiting.removeAll { sequences.contains($0.sequence) }
        unerased += sequences
        _ = Ring.eraseSetAside(environment.paths.ring)
        eraseRest()
    }

    private mutating func eraseRest() {
        guard let ring, hasPendingErasure else { return }
        do {
            try ring.erase(unerased)
            unerased = []
        } catch {
            environment.log.warning(
                "Erasing waits for a reader",
                metadata: ["cause": "\(error.code)"]
            )
        }
        planRetry()
    }
}
