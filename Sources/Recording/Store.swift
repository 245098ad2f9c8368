// SPDX-License-Identifier: Apache-2.0

import Events
import Files
import Logging
import Packing
import Sealing
import Settings
import Signing
import Storage

/// Seals batches and keeps the ring: opens it, retries what failed, and counts what is lost.
struct Store {
    /// Milliseconds after the first unsaved item at which the open batch is stored.
    static let flushInterval: Int64 = 10_000
    /// Sealed batches kept in memory while the ring cannot take them.
    static let mostWaiting = 16
    private static let retryInterval: Int64 = 1000
    /// Milliseconds between two looks at the free space.
    static let spaceInterval: Int64 = 10_000

    private let environment: Recorder.Environment
    /// How much may be kept, and for how long.
    private var limits = PersonSettings()
    private var sealer: Sealer?
    /// The recorder's signing key, where one was made.
    private var deviceKey: DeviceKey? {
        didSet { deviceKeyText = deviceKey?.verifier.text }
    }
    /// The public half of the signing key.
    private(set) var deviceKeyText: String?
    private(set) var recipients: [String] = []

    private(set) var ring: Ring?
    /// Why there is no ring to write to.
    private(set) var failure: String?
    private var waiting: [SealedBatch] = []
    private var retryDue: Int64?
    private var flushDue: Int64?
    private var sequence: UInt64 = 0
    /// The batch sealed last and the one before it: each names its predecessor.
    private var sealed: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)
    private var predecessor = SealedBatch.noDigest
    /// Whether this run has sealed a batch, so that it knows the newest better than the ring.
    private var hasSealed = false
    /// Numbers of batches that are still to be erased, when a reader was in the way.
    private var unerased: [(sequences: [UInt64], reason: Tombstone.Reason)] = []
    private var lostStretches: [ClosedRange<Int64>] = []
    /// Admitted events that could not be stored.
    private(set) var lost = 0
    /// Whether the disk has room enough to go on.
    private(set) var hasSpace = true
    private var spaceDue: Int64?

    init(_ environment: Recorder.Environment) {
        self.environment = environment
    }

    private var now: Moment { environment.clock() }

    // MARK: Keys and limits

    /// Whether there is somebody to seal to, and a key to sign with.
    var canSeal: Bool { sealer != nil }

    /// Reads the public keys and the recorder's own; without them nothing can be sealed.
    mutating func loadKeys() {
        let text = (try? Disk.readOwn(environment.paths.recipients)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let list = text.flatMap { Recipient.list($0) }
            .flatMap { $0.count <= BatchLayout.mostRecipients ? $0 : nil }
        deviceKey = DeviceKeyFile.read(environment.paths.deviceKey)
        recipients = list?.map(\.text) ?? []
        guard let list, let deviceKey else { return sealer = nil }
        sealer = Sealer(list, signedBy: deviceKey)
    }

    /// Uses other limits; a ring of another size is rebuilt.
    mutating func use(_ settings: PersonSettings) {
        let isResized = limits.bytes != settings.bytes
        limits = settings
        if isResized, ring != nil {
            ring = nil
            _ = open()
        }
        look(at: now.monotonic.milliseconds)
    }

    /// Bytes that all files of the ring may take.
    var cap: Int { ring?.contents.cap ?? limits.bytes }

    // MARK: Opening

    /// Opens or makes the ring; false when there is none to write to.
    mutating func open() -> Bool {
        if ring != nil { return true }
        let now = self.now
        if let due = retryDue, due > now.monotonic.milliseconds, failure != nil { return false }
        failure = nil
        guard let deviceKey else { return false }
        do {
            try Disk.makeFolder(environment.paths.state)
            let ring = try Ring.open(
                environment.paths.ring,
                cap: limits.bytes,
                key: deviceKey,
                now: now.wall.milliseconds
            )
            self.ring = ring
            tellLosses()
            planRetry()
            return true
        } catch {
            environment.log.error("The ring cannot be opened", metadata: ["cause": "\(error)"])
            failure = "\(error)"
            retryDue = now.monotonic.milliseconds + Self.retryInterval
            return false
        }
    }

    /// Opens the ring only where there already is one, or its remains.
    mutating func openIfThere() {
        let ring = environment.paths.ring
        if Disk.exists(ring) || Disk.exists(RingHead.path(ring)) { _ = open() }
    }

    /// The end of what is stored.
    var newest: WallTime? {
        mutating get {
            openIfThere()
            return ring?.contents.newest.map { WallTime($0) }
        }
    }

    private mutating func tellLosses() {
        for loss in ring?.takeLosses() ?? [] {
            environment.log.error(
                "Batches are missing from the ring",
                metadata: ["batches": "\(loss.batches)"]
            )
            noteLost(loss.stretch)
        }
    }

    // MARK: The open batch

    var bootID: [UInt8] { environment.bootID }

    /// The number of a batch that begins now.
    mutating func nextSequence() -> UInt64 {
        sequence = max(sequence + 1, ring?.nextSequence ?? notedSequence)
        return sequence
    }

    /// The next number as the head has it, while the ring itself cannot be opened.
    private var notedSequence: UInt64 {
        (notedHead?.newest ?? 0) + 1
    }

    private var notedHead: RingHead? {
        deviceKey.flatMap { RingHead.read(environment.paths.ring, $0.verifier).head }
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

    var due: Int64? { [flushDue, retryDue, spaceDue].compactMap(\.self).min() }

    // MARK: Storing

    /// Seals and stores a batch; what the ring does not take now waits in memory, sealed.
    mutating func put(_ batch: consuming Batch) {
        let (count, number) = (batch.eventCount, batch.sequence)
        if !hasSealed { findNewest() }
        if number != sealed.sequence { predecessor = sealed.digest }
        hasSealed = true
        guard let sealer, let new = try? sealer.seal(batch, after: predecessor) else {
            lost += count
            return
        }
        sealed = (number, new.digest)
        waiting.removeAll { $0.sequence == number }
        waiting.append(new)
        store()
        look(at: now.monotonic.milliseconds)
    }

    /// Finds out which batch the first one of this run comes after.
    private mutating func findNewest() {
        // Only a ring that is whole again knows which state of its newest batch is stored.
        finishRebuilding()
        guard let head = ring?.head ?? notedHead else { return }
        sealed = (head.newest, head.digest)
    }

    /// Does what is due besides the open batch: what failed, a rebuilding, a look at the disk.
    mutating func tend(at now: Int64) {
        if let due = spaceDue, due <= now { look(at: now) }
        guard let due = retryDue, due <= now else { return }
        // A part of a rebuilding at a time, so that the loop goes on meanwhile.
        if waiting.isEmpty, ring == nil, failure != nil { _ = open() }
        store()
        eraseRest()
        rebuild()
    }

    private mutating func rebuild() {
        guard ring?.isRebuilding == true else { return }
        if let error = attempt({ ring throws(StorageError) in try ring.rebuildStep() }) {
            return fail("The ring cannot be rebuilt yet", error)
        }
        if ring?.isRebuilding == false { environment.log.notice("The ring was rebuilt") }
        tellLosses()
        planRetry()
    }

    private mutating func store() {
        retryDue = nil
        while let next = waiting.first {
            guard open() else { break }
            guard let error = attempt({ ring throws(StorageError) in try ring.put(next) }) else {
                waiting.removeFirst()
                tellLosses()
                continue
            }
            fail("A batch could not be stored yet", error)
            // One more attempt at once, on the ring that takes its place.
            guard ring == nil, open() else { break }
        }
        while waiting.count > Self.mostWaiting { lose(waiting.removeFirst()) }
        planRetry()
    }

    /// Does something with the ring; why it failed, where it did.
    ///
    /// No reference to the ring outlives the call: one that is let go of must be closed before it is
    /// opened again, for closing moves its log into its file.
    private func attempt(_ body: (Ring) throws(StorageError) -> Void) -> StorageError? {
        guard let ring else { return nil }
        do throws(StorageError) {
            try body(ring)
            return nil
        } catch {
            return error
        }
    }

    /// Tells the log, and lets go of a ring whose files are no longer what they were.
    private mutating func fail(_ message: Logger.Message, _ error: StorageError) {
        environment.log.error(message, metadata: ["cause": "\(error)"])
        retryDue = now.monotonic.milliseconds + Self.retryInterval
        guard error.code == .moved || error.code == .damaged else { return }
        ring = nil
        if error.code == .damaged { Ring.setAside(environment.paths.ring) }
    }

    /// Gives up what is sealed and not stored, as after a withdrawal.
    mutating func dropWaiting() {
        while !waiting.isEmpty { lose(waiting.removeFirst()) }
        planRetry()
    }

    private mutating func lose(_ batch: SealedBatch) {
        lost += batch.eventCount
        noteLost(batch.end - 120_000...batch.end)
    }

    /// Stretches that touch are one.
    private mutating func noteLost(_ stretch: ClosedRange<Int64>) {
        if let last = lostStretches.last, last.overlaps(stretch) || lostStretches.count >= 16 {
            lostStretches.removeLast()
            let start = min(last.lowerBound, stretch.lowerBound)
            lostStretches.append(start...max(last.upperBound, stretch.upperBound))
        } else {
            lostStretches.append(stretch)
        }
    }

    /// Whether something was lost since ``takeLostStretches()``.
    var hasLost: Bool { !lostStretches.isEmpty }

    /// The wall time of what was lost since the last call, for gaps.
    mutating func takeLostStretches() -> [ClosedRange<Int64>] {
        defer { lostStretches = [] }
        return lostStretches
    }

    private mutating func planRetry() {
        let now = self.now.monotonic.milliseconds
        let isPending = !waiting.isEmpty || hasPendingErasure || (ring == nil && failure != nil)
        retryDue = isPending ? now + Self.retryInterval : nil
        if ring?.isRebuilding == true { retryDue = now }
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

    /// Moves everything that is left of old rings into the ring, so that all of it can be found.
    mutating func finishRebuilding() {
        if let error = attempt({ ring throws(StorageError) in try ring.rebuildToEnd() }) {
            fail("The ring cannot be rebuilt yet", error)
        }
        tellLosses()
    }

    /// Erases batches from memory and from the ring, with the unreadable pages that were set aside.
    mutating func erase(_ sequences: [UInt64]) {
        waiting.removeAll { sequences.contains($0.sequence) }
        unerased.append((sequences, .forgotten))
        _ = Ring.eraseSetAside(environment.paths.ring)
        eraseRest()
    }

    /// Erases what has reached its age.
    mutating func expire(at now: WallTime) {
        let limit = now.milliseconds - limits.retentionTime
        waiting.removeAll { $0.end <= limit }
        guard let ring else { return }
        ring.expireSetAside(writtenBy: limit)
        let old = ring.batches(endedBy: limit)
        guard !old.isEmpty else { return }
        environment.log.notice("Batches reached their age", metadata: ["batches": "\(old.count)"])
        unerased.append((old, .expired))
        eraseRest()
    }

    /// When the next batch reaches its age, on the wall clock.
    var expiryDue: WallTime? {
        guard let end = ring?.earliestEnd else { return nil }
        // What a reader keeps from being erased is tried again with everything else.
        return hasPendingErasure ? nil : WallTime(end + limits.retentionTime)
    }

    /// The wall clock was set: ends that now lie in the future count as now.
    mutating func noteClock(_ now: WallTime) { ring?.noteClock(now.milliseconds) }

    private mutating func eraseRest() {
        guard ring != nil, hasPendingErasure else { return }
        while let next = unerased.first {
            let error = attempt { ring throws(StorageError) in
                try ring.erase(next.sequences, next.reason)
            }
            if let error { return waitForReader(error) }
            unerased.removeFirst()
        }
        if ring?.hasPendingErasure == true,
            let error = attempt({ ring throws(StorageError) in try ring.finishErasure() })
        {
            return waitForReader(error)
        }
        planRetry()
    }

    private mutating func waitForReader(_ error: StorageError) {
        environment.log.warning("Erasing is not finished", metadata: ["cause": "\(error.code)"])
        if error.code == .damaged || error.code == .moved {
            fail("Erasing goes on with a new ring", error)
        } else {
            planRetry()
        }
    }

    // MARK: Space

    /// Looks whether the disk has room enough; asks to look again while it has not.
    private mutating func look(at now: Int64) {
        let space = environment.space(environment.paths.state)
        let had = hasSpace
        hasSpace = space.map { $0.free >= limits.spaceFloor(ofWhole: $0.whole) } ?? true
        spaceDue = hasSpace ? nil : now + Self.spaceInterval
        guard had != hasSpace else { return }
        if hasSpace {
            environment.log.notice("The disk has room again")
        } else {
            environment.log.error("The disk is nearly full, so nothing is recorded")
        }
    }
}
