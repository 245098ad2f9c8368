// SPDX-License-Identifier: Apache-2.0

import Events
import Logging
import Packing
import Person
import Sealing
import Signing
import Storage
import System

/// Seals batches and keeps the ring: opens it, retries what failed, and counts what is lost.
struct SealedQueue {
    /// Milliseconds from the first unsaved item until the open batch is stored.
    static let flushInterval: Int64 = 10_000
    /// Maximum number of sealed batches in memory while the ring cannot take them.
    static let maxWaiting = 16
    /// Milliseconds until a failed operation is retried.
    private static let retryInterval: Int64 = 1000
    /// Milliseconds between two checks of the free space.
    static let spaceInterval: Int64 = 10_000

    private let environment: Recorder.Environment
    /// Limits for the size of the ring and for retention.
    private var limits = PersonSettings()
    private var sealer: Sealer?
    /// The recorder's signing key; nil when none was made.
    private var deviceKey: DeviceKey? {
        didSet { deviceKeyText = deviceKey?.verifier.text }
    }
    /// The public half of the signing key, as text.
    private(set) var deviceKeyText: String?
    /// The age public keys to which batches are sealed.
    private(set) var recipients: [String] = []

    private(set) var ring: Ring?
    /// Why there is no ring to write to; nil when there is one.
    private(set) var failure: String?
    private var waiting: [SealedBatch] = []
    private var retryDue: Int64?
    private var flushDue: Int64?
    private var sequence: UInt64 = 0
    /// The last sealed batch; each batch names the digest of its predecessor.
    private var sealed: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)
    private var predecessor = SealedBatch.noDigest
    /// Whether this run has sealed a batch, so that it knows the newest better than the ring does.
    private var hasSealed = false
    /// Selections still to be erased, because a reader was in the way.
    private var unerased: [Selection] = []
    /// The highest numbers ever given, in memory and in their files.
    private let marks: HighWaterKeeper
    /// Wall times of lost batches, in milliseconds since 1970.
    private var lostStretches: [ClosedRange<Int64>] = []
    /// The number of admitted events that could not be stored.
    private(set) var lost = 0
    /// Whether the disk has enough free space to continue.
    private(set) var hasSpace = true
    private var spaceDue: Int64?

    init(_ environment: Recorder.Environment, _ marks: HighWaterKeeper) {
        self.environment = environment
        self.marks = marks
    }

    private var now: Moment { environment.clock() }

    // MARK: Keys and limits

    /// Reads the recipients and the recorder's signing key; without them nothing can be sealed.
    mutating func loadKeys() {
        let text = (try? Disk.readOwn(environment.paths.recipients)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let list = text.flatMap { Recipient.list($0) }
            .flatMap { $0.count <= BatchLayout.maxRecipients ? $0 : nil }
        deviceKey = DeviceKeyFile.read(environment.paths.deviceKey)
        recipients = list?.map(\.text) ?? []
        guard let list, let deviceKey else { return sealer = nil }
        sealer = Sealer(list, signedBy: deviceKey)
    }

    /// Applies other limits; a ring of another size is rebuilt.
    mutating func use(_ settings: PersonSettings) {
        let isResized = limits.bytes != settings.bytes
        limits = settings
        if isResized, ring != nil {
            ring = nil
            _ = open()
        }
        look(at: now.monotonic.milliseconds)
    }

    /// Maximum size of all files of the ring together, in bytes.
    var cap: Int { ring?.contents.cap ?? limits.bytes }

    // MARK: Opening

    /// Opens or creates the ring; false when there is none to write to.
    mutating func open() -> Bool {
        if ring != nil { return true }
        let now = self.now
        if let due = retryDue, due > now.monotonic.milliseconds, failure != nil { return false }
        failure = nil
        guard let deviceKey else { return false }
        do {
            try Disk.makeFolder(environment.paths.state)
            var setting = Ring.Setting(
                cap: limits.bytes,
                key: deviceKey,
                clocks: environment.reading(now)
            )
            marks.look(deviceKey.verifier)
            setting.marks = marks.marks
            setting.note = { [marks] new in
                marks.raise(signedBy: deviceKey, readsFirst: false) { $0.raise(to: new) }
            }
            let ring = try Ring.open(
                environment.paths.ring,
                setting,
                retention: limits.retentionTime
            )
            self.ring = ring
            reportFindings()
            planRetry()
            return true
        } catch {
            environment.log.error("The ring cannot be opened", metadata: ["cause": "\(error)"])
            failure = "\(error)"
            retryDue = now.monotonic.milliseconds + Self.retryInterval
            return false
        }
    }

    /// Opens the ring only if it or its head exists.
    mutating func openIfThere() {
        let ring = environment.paths.ring
        if Disk.exists(ring) || Disk.exists(RingHead.path(ring)) { _ = open() }
    }

    /// Closes a ring whose files were removed or replaced, and opens what is there, before others
    /// read it.
    mutating func checkFiles() {
        openIfThere()
        guard let error = attempt({ ring throws(StorageError) in try ring.checkFiles() }) else {
            return
        }
        fail("The ring's files changed unexpectedly", error)
        _ = open()
    }

    /// The end of the newest stored batch; nil when there is none.
    var newest: WallTime? {
        mutating get {
            openIfThere()
            // The head's value is signed; a row's may not be.
            return ring.flatMap { $0.head.end > 0 ? WallTime($0.head.end) : nil }
        }
    }

    private mutating func reportFindings() {
        for finding in ring?.takeFindings() ?? [] {
            switch finding {
            case .damagedRows(let count):
                environment.log.error(
                    "Rows of the ring are damaged; their contents are kept",
                    metadata: ["rows": "\(count)"]
                )
            case .incident(.missing): continue
            case .incident(.putBack):
                environment.log.error("The ring was put back to an older state")
            case .incident(.ringGone): environment.log.error("The ring's file was removed")
            case .incident(.headGone):
                environment.log.error("The ring's head was removed or damaged")
            case .mended:
                environment.log.error("The ring is damaged and is being rebuilt from its rows")
            case .earlierVersion:
                environment.log.notice("The ring of an earlier version was set aside")
            }
        }
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

    /// The sequence number of a batch that begins now.
    mutating func nextSequence() -> UInt64 {
        sequence = max(sequence + 1, ring?.nextSequence ?? notedSequence)
        return sequence
    }

    /// The next number according to the head and the marks, while the ring itself cannot be opened.
    private var notedSequence: UInt64 {
        max(notedHead?.newest ?? 0, marks.look(deviceKey?.verifier).marks.newest) + 1
    }

    private var notedHead: RingHead? {
        deviceKey.flatMap { RingHead.read(environment.paths.ring, $0.verifier).head }
    }

    /// Whether the open batch has items that are not stored yet.
    var isDirty: Bool { flushDue != nil }

    /// Notes that the open batch was stored or discarded.
    mutating func flushed() {
        flushDue = nil
    }

    /// Notes that the open batch has unsaved items from a time on.
    ///
    /// It is stored at a whole step: the time of storing must not reveal when a key came.
    mutating func becameDirty(at time: Int64) {
        let step = TypingRun.begin(of: EventTime(time)).milliseconds
        flushDue = min(flushDue ?? .max, step + Self.flushInterval)
    }

    /// Stores the open batch in the next round, after the answer to the person.
    mutating func flushSoon() {
        if isDirty { flushDue = 0 }
    }

    func isDue(_ now: Int64) -> Bool { flushDue.map { $0 <= now } ?? false }

    var due: Int64? { [flushDue, retryDue, spaceDue].compactMap(\.self).min() }

    // MARK: Storing

    /// Seals and stores a batch; if the ring cannot take it now, it waits sealed in memory.
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

    /// Determines the predecessor of this run's first batch.
    private mutating func findNewest() {
        // Only a completely rebuilt ring knows which state of its newest batch is stored.
        finishRebuilding()
        guard let head = ring?.head ?? notedHead else { return }
        sealed = (head.newest, head.digest)
    }

    /// Does what is due apart from the open batch: retries, a rebuilding, a check of the disk.
    mutating func tend(at now: Int64) {
        if let due = spaceDue, due <= now { look(at: now) }
        guard let due = retryDue, due <= now else { return }
        // Rebuild one part at a time, so that the loop continues in between.
        if waiting.isEmpty, ring == nil, failure != nil { _ = open() }
        store()
        eraseRest()
        rebuild()
        check(at: now)
    }

    /// Checks some proofs of batches stored before this run.
    private mutating func check(at now: Int64) {
        guard ring?.isChecking == true else { return }
        if let error = attempt({ ring throws(StorageError) in try ring.checkStep() }) {
            return fail("The ring cannot be checked yet", error)
        }
        reportFindings()
        planRetry()
    }

    private mutating func rebuild() {
        guard ring?.isRebuilding == true else { return }
        if let error = attempt({ ring throws(StorageError) in try ring.rebuildStep() }) {
            return fail("The ring cannot be rebuilt yet", error)
        }
        if ring?.isRebuilding == false { environment.log.notice("The ring was rebuilt") }
        reportFindings()
        planRetry()
    }

    private mutating func store() {
        retryDue = nil
        while let next = waiting.first {
            guard open() else { break }
            guard let error = attempt({ ring throws(StorageError) in try ring.put(next) }) else {
                waiting.removeFirst()
                reportFindings()
                continue
            }
            fail("A batch could not be stored yet", error)
            // Retry once at once, on the ring that replaces it.
            guard ring == nil, open() else { break }
        }
        while waiting.count > Self.maxWaiting { lose(waiting.removeFirst()) }
        planRetry()
    }

    /// Does something with the ring, and returns why it failed; nil on success.
    ///
    /// No reference to the ring outlives the call. A discarded ring must be closed before it is
    /// opened again, because closing moves its log into its file.
    private func attempt(_ body: (Ring) throws(StorageError) -> Void) -> StorageError? {
        guard let ring else { return nil }
        do throws(StorageError) {
            try body(ring)
            return nil
        } catch {
            return error
        }
    }

    /// Logs an error, and closes a ring whose files have changed.
    private mutating func fail(_ message: Logger.Message, _ error: StorageError) {
        environment.log.error(message, metadata: ["cause": "\(error)"])
        retryDue = now.monotonic.milliseconds + Self.retryInterval
        guard error.code == .moved || error.code == .damaged else { return }
        ring = nil
        if error.code == .damaged { Ring.setAside(environment.paths.ring) }
    }

    /// Gives up sealed batches that are not stored, as after a withdrawal.
    mutating func dropWaiting() {
        while !waiting.isEmpty { lose(waiting.removeFirst()) }
        planRetry()
    }

    private mutating func lose(_ batch: SealedBatch) {
        lost += batch.eventCount
        noteLost(batch.end - SealedBatch.maxSpan...batch.end)
    }

    /// Adds a lost time range; overlapping ranges are merged, and all beyond sixteen.
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

    /// Returns the wall times of losses since the last call, in milliseconds since 1970, for gaps.
    mutating func takeLostStretches() -> [ClosedRange<Int64>] {
        defer { lostStretches = [] }
        return lostStretches
    }

    private mutating func planRetry() {
        let now = self.now.monotonic.milliseconds
        let isPending = !waiting.isEmpty || hasPendingErasure || (ring == nil && failure != nil)
        retryDue = isPending ? now + Self.retryInterval : nil
        if ring?.isChecking == true { retryDue = min(retryDue ?? .max, now + Self.checkInterval) }
        if ring?.isRebuilding == true { retryDue = now }
    }

    /// Milliseconds between two checks of proofs; a full ring of 64 MiB is checked in half a
    /// minute.
    private static let checkInterval: Int64 = 100

    /// Sentences about the stored batches that the person should see.
    var alerts: [String] {
        guard let ring, let deviceKey else { return [] }
        var known: [String: Int64]?
        return ring.notices { name in
            let all =
                known
                ?? Acknowledgements(environment.paths.acknowledgements)
                .read(deviceKey.verifier)
            known = all
            return all[name] != nil
        }
    }

    /// Says that nothing is erased by age because the clock is in doubt; nil while it is not.
    var clockNotice: String? {
        guard ring != nil, keepsDoubtful else { return nil }
        return "The wall clock is in doubt, so nothing is erased by age until it is synchronised "
            + "or has run for an hour."
    }

    // MARK: Erasing

    /// Whether erased content may still be in a file.
    var hasPendingErasure: Bool { !unerased.isEmpty || ring?.hasPendingErasure == true }

    /// What to erase: in the ring, and among the batches that still wait for it.
    struct Selection {
        fileprivate var targets: [Ring.Target] = []
        fileprivate var waiting: [UInt64] = []
        fileprivate var reason = Tombstone.Reason.forgotten

        var count: Int { targets.count + waiting.count }
    }

    /// Selects what overlaps a range of wall time in milliseconds; nil when the ring is unreadable.
    mutating func find(touching range: ClosedRange<Int64>) -> Selection? {
        find({ SealedBatch.touches(range, from: $0.end, end: $0.end) }) {
            ring throws(StorageError) in
            try ring.targets(touching: range)
        }
    }

    /// Selects the batches with the given sequence numbers; nil when the ring is unreadable.
    mutating func find(_ numbers: [UInt64]) -> Selection? {
        find({ numbers.contains($0.sequence) }) { ring throws(StorageError) in
            try ring.targets(numbers)
        }
    }

    private mutating func find(
        _ isWanted: (SealedBatch) -> Bool,
        _ targets: (Ring) throws(StorageError) -> [Ring.Target]
    ) -> Selection? {
        openIfThere()
        if ring == nil, failure != nil { return nil }
        var found = Selection(waiting: waiting.filter(isWanted).map(\.sequence))
        let error = attempt { ring throws(StorageError) in found.targets = try targets(ring) }
        reportFindings()
        if let error {
            fail("The ring cannot be checked yet", error)
            return nil
        }
        // A batch that waits to be stored again is already in the ring.
        let stored = Set(found.targets.compactMap(\.sequence))
        found.waiting.removeAll { stored.contains($0) }
        return found
    }

    /// Moves the rest of old rings into the ring, so that all of it can be found.
    mutating func finishRebuilding() {
        if let error = attempt({ ring throws(StorageError) in try ring.rebuildToEnd() }) {
            fail("The ring cannot be rebuilt yet", error)
        }
        reportFindings()
    }

    /// Erases a selection from memory and the ring, and the unreadable pages that were set aside.
    mutating func erase(_ selection: Selection) {
        let numbers = Set(selection.waiting + selection.targets.compactMap(\.sequence))
        waiting.removeAll { numbers.contains($0.sequence) }
        unerased.append(selection)
        _ = Ring.eraseSetAside(environment.paths.ring)
        eraseRest()
    }

    /// Writes the current clocks to the head, for the next run.
    mutating func close(at now: Moment) {
        looked = nil
        look(at: now, isSet: false)
        ring?.noteHead(durable: false)
    }

    // MARK: Ages

    /// When the clocks were last read for the ages, in monotonic milliseconds.
    private var looked: Int64?

    /// Reads the clocks to advance the ages, at most once per second unless the wall clock was set.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - isSet: whether the wall clock was set since the last reading.
    mutating func look(at now: Moment, isSet: Bool) {
        let monotonic = now.monotonic.milliseconds
        guard isSet || looked.map({ monotonic - $0 >= 1000 }) ?? true else { return }
        looked = monotonic
        ring?.look(
            environment.reading(now),
            next: max(sequence + 1, ring?.nextSequence ?? 1),
            retention: limits.retentionTime
        )
        // The next boot measures from this clock.
        if isSet { ring?.noteHead(durable: true) }
        reportDoubt()
    }

    private mutating func reportDoubt() {
        let isDoubted = ring?.isKeepingDoubtful(limits.retentionTime) ?? false
        guard isDoubted != keepsDoubtful else { return }
        keepsDoubtful = isDoubted
        if isDoubted {
            environment.log.notice("The wall clock is in doubt, so nothing is erased by age yet")
        }
    }

    /// Whether possibly expired batches are kept because the wall clock is doubted.
    private(set) var keepsDoubtful = false

    /// Erases what has exceeded its retention.
    mutating func expire(at now: Moment) {
        guard let ring else { return }
        looked = nil
        look(at: now, isSet: false)
        ring.expireSetAside(writtenBy: now.wall.milliseconds - limits.retentionTime)
        let retention = limits.retentionTime
        var old: [Ring.Target] = []
        if let error = attempt({ ring throws(StorageError) in
            old = try ring.targets(olderThan: retention)
        }) {
            return fail("The ring cannot be checked yet", error)
        }
        reportFindings()
        guard !old.isEmpty else { return }
        environment.log.notice("Batches expired", metadata: ["batches": "\(old.count)"])
        unerased.append(Selection(targets: old, reason: .expired))
        eraseRest()
    }

    /// When the next batch exceeds its retention, in CLOCK_BOOTTIME milliseconds; nil for never.
    var expiryDue: Int64? {
        // An erasure that a reader blocks is retried with everything else.
        hasPendingErasure ? nil : ring?.expiryDue(limits.retentionTime)
    }

    private mutating func eraseRest() {
        guard ring != nil, hasPendingErasure else { return }
        while let next = unerased.first {
            let error = attempt { ring throws(StorageError) in
                try ring.erase(next.targets, next.reason)
                try ring.noteErased(next.waiting)
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
            fail("Erasing continues with a new ring", error)
        } else {
            planRetry()
        }
    }

    // MARK: Space

    /// Checks whether the disk has enough free space; schedules another check while it does not.
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
