// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Export
import Holder
import Notes
import Packing
import Person
import Policy
import Release
import Report
import Sealing
import System
import Timeline

/// The payload of a release as it was rendered, in memory only.
struct RenderedRelease: Redacted {
    let bytes: [UInt8]
    let digest: String
    let events: Int
    /// What was read and does not go, by what it is.
    let omitted: [String: Int]
}

extension Installation {
    /// The files of purposes, grants, drafts and releases.
    var releaseFiles: ReleaseFiles {
        ReleaseFiles(
            grants: paths.grants,
            purposes: paths.purposes,
            releases: paths.releases,
            outbox: paths.outbox
        )
    }

    /// Verifies that a purpose is signed, and by those whom the policy allows.
    ///
    /// - Throws: a ``ReleaseError`` or a `PolicyError`.
    func verify(_ purpose: Signed<Purpose>) throws {
        try purpose.verify()
        let policy = try self.policy()
        guard policy?.releases != false else {
            throw ReleaseError("The policy forbids releases.", next: "mcictl policy show")
        }
        guard let allowed = policy?.purposes, !allowed.isEmpty else { return }
        let content = purpose.content
        guard
            allowed.contains(where: {
                $0.authority == content.authority && $0.steward == content.steward
            })
        else {
            throw ReleaseError(
                "The policy does not allow purposes of these signers.",
                next: "mcictl policy show"
            )
        }
    }

    // MARK: Grants

    /// All grants; the outbox of those that are over is emptied on the way.
    func grants() throws -> [GrantRecord] {
        let files = releaseFiles
        let (grants, damaged) = files.readGrants()
        for damaged in damaged {
            Terminal.report("warning: \(damaged.folder) is damaged, so this grant is left out.")
            Terminal.report("  \(damaged.reason) Restore it: mcictl key restore-grants FILE")
        }
        for record in grants where !record.isAlive(at: now.wall) {
            try files.empty(record, record.erasure)
        }
        return grants
    }

    /// The grant in force for a purpose.
    ///
    /// - Parameter purpose: the id of the purpose, or the beginning of the grant's id; nil for the only
    ///   grant there is.
    /// - Returns: the latest such grant.
    /// - Throws: a ``ReleaseError`` where there is none, or more than one.
    func grant(_ purpose: String?) throws -> GrantRecord {
        let alive = try grants().filter { $0.isAlive(at: now.wall) }
        let found = alive.filter { record in
            guard let purpose else { return true }
            return record.purpose.content.id == purpose
                || purpose.count >= 6 && record.id.hasPrefix(purpose)
        }
        guard let record = found.last else {
            throw ReleaseError(
                purpose == nil
                    ? "You have not granted anything." : "You have no grant for this purpose.",
                next: "mcictl release purposes"
            )
        }
        guard purpose != nil || found.count == 1 else {
            throw ReleaseError(
                "You have granted more than one purpose.",
                next: "the same command with --purpose \(record.purpose.content.id)"
            )
        }
        return record
    }

    // MARK: The holder

    /// Asks the holder, and starts it for this one request where it does not run.
    ///
    /// - Throws: a ``ReleaseError`` with its refusal, or why it cannot be asked.
    func askHolder(_ request: HolderRequest) throws -> HolderAnswer {
        let spool = Spool.ofPerson(paths.holder)
        let id = Hex.encode(Age.random(16))
        do {
            try Disk.makeFolder(paths.grants)
            try spool.make()
        } catch {
            throw ReleaseError("The folder \(paths.holder) cannot be created (\(error)).")
        }
        let answer = try spool.ask(request, id: id, patience: 15_000) {
            guard isHolderIdle else { return }
            let beside = CurrentProcess.sibling("mci-holder")
            _ = ChildProcess.start([beside ?? "mci-holder", "--once"], patience: 14_000)
        }
        guard let answer else {
            throw ReleaseError(
                "mci-holder does not answer.",
                next: "mci-holder --once (says why), or systemctl --user status mci-holder"
            )
        }
        if let refusal = answer.refusal { throw ReleaseError("The holder refuses: \(refusal)") }
        return answer
    }

    /// Whether no holder runs.
    var isHolderIdle: Bool {
        do {
            return try FileLock.take(paths.holder + "/lock", waits: false) != nil
        } catch {
            return true
        }
    }

    // MARK: Rendering

    /// Makes the payload of a draft in memory: the same bytes each time, as long as the recording is
    /// the same.
    ///
    /// - Throws: a ``Failure`` or a ``ReleaseError``.
    func render(_ recipe: Recipe, for record: GrantRecord) throws -> RenderedRelease {
        let timeline = try timeline()
        var minimiser = try Minimiser(record.grant.content.fields, recipe)
        let bar = ProgressBar("Reading")
        defer { bar.end() }
        let summary = try timeline.read(
            recipe.span.from...recipe.span.to,
            progress: bar.show,
            onBatch: { minimiser.begin($0) },
            {
                minimiser.take($0, in: timeline.app)
                return true
            }
        )
        bar.end()
        warn(about: summary)
        let made = minimiser.finish()
        guard let bytes = made.bytes else {
            throw ReleaseError(
                "The draft has more than \(ReleasePayload.maxBytes >> 20) MiB.",
                next: "mcictl release draft with a shorter period"
            )
        }
        return RenderedRelease(
            bytes: bytes,
            digest: Digest.hex(bytes),
            events: made.count,
            omitted: made.omitted
        )
    }

    /// Counts what is in a rendered release, as the report counts a recording.
    func facts(_ rendered: RenderedRelease, _ recipe: Recipe) throws -> RecordingFacts {
        var tally = Tally(recipe.span.from...recipe.span.to)
        var events = ReleasedEvents()
        try events.read(rendered.bytes, onFrame: { tally.begin($0) }) { tally.take($0) }
        return tally.facts(TimelineReader.Summary(), openUntil: nil)
    }

    // MARK: What the recording's other verbs say of releases

    /// The releases in force that hold a part of a period.
    ///
    /// - Parameter range: milliseconds since 1970.
    /// - Returns: the grants and their releases.
    func releases(holding range: ClosedRange<Int64>) -> [(GrantRecord, ReleaseRecord)] {
        let alive = releaseFiles.grants().filter { $0.isAlive(at: now.wall) }
        return alive.flatMap { record in
            releaseFiles.records(of: record.id)
                .filter {
                    $0.discarded == nil && releaseFiles.isInOutbox($0.number, of: record.id)
                        && $0.recipe.span.from <= range.upperBound
                        && $0.recipe.span.to > range.lowerBound
                }
                .map { (record, $0) }
        }
    }

    /// What the holder says of all openings; nil where there is no holder.
    var openings: Openings? { Openings.read(paths.openings) }

    /// What was released and opened, in words; nil where nothing is granted.
    var releasesInWords: String? {
        let grants = releaseFiles.grants()
        let alive = grants.filter { $0.isAlive(at: now.wall) }
        let opened = openings?.words
        guard !alive.isEmpty || opened != nil else { return nil }
        let names = alive.map(\.purpose.content.id).joined(separator: ", ")
        let count = alive.reduce(0) { sum, record in
            sum + releaseFiles.records(of: record.id).count { $0.discarded == nil }
        }
        let made =
            alive.isEmpty
            ? "no grant in force" : "\(TimeText.count(count, "release", "releases")) to \(names)"
        return [made, opened].compactMap(\.self).joined(separator: "; ")
    }

    /// The releases of all grants as rows for the report: purpose, number, period, approval, state.
    var releaseRows: [[String]] {
        releaseFiles.grants().flatMap { record in
            releaseFiles.records(of: record.id).map { release in
                let span = release.recipe.span
                let state =
                    record.erasure != nil
                    ? "withdrawn"
                    : !record.isAlive(at: now.wall)
                        ? "expired" : release.discarded != nil ? "discarded" : "in force"
                return [
                    record.purpose.content.id, "\(release.number)",
                    "\(TimeText.full(WallTime(span.from))) to \(TimeText.full(WallTime(span.to)))",
                    WallTime(release.approved).map { TimeText.full($0) } ?? release.approved, state,
                ]
            }
        }
    }

    /// The standing approvals that the person should look at, by purpose.
    var unreviewed: [String] {
        releaseFiles.grants().filter { $0.isAlive(at: now.wall) }
            .filter { record in
                releaseFiles.standing(of: record.id).map {
                    $0.holds(at: now.wall) && $0.needsReview(at: now.wall)
                } ?? false
            }
            .map(\.purpose.content.id)
    }

    /// The purpose or holder that uses a key as its own, in words; nil if none does.
    ///
    /// A key that opens the live recording would pass every grant by.
    func releaseUser(of key: String) -> String? {
        guard let bytes = Recipient(key)?.bytes else { return nil }
        func uses(_ text: String) -> Bool { NoteVerifier(text)?.key == bytes }
        for purpose in releaseFiles.purposes().map(\.content)
        where [purpose.authority, purpose.steward, purpose.readers].contains(where: uses) {
            return "the purpose \(purpose.id)"
        }
        for record in releaseFiles.grants() {
            let holders = record.grant.content.holders
            let isUsed = holders.contains {
                [$0.recipient, $0.rows].contains(key) || uses($0.key) || uses($0.clock)
            }
            if isUsed || uses(record.grant.content.key) {
                return "the holder of your grant for \(record.purpose.content.id)"
            }
        }
        return nil
    }

    /// Ends grants: destroys their secrets at the holder, and empties the outbox.
    ///
    /// The erasures are all on disk first: a holder that is down, or put back from a copy, erases before
    /// it answers anything. One that fails keeps none of the others.
    ///
    /// - Parameter records: grants that are in force, or were not ended yet.
    /// - Returns: for each grant why its end could not be confirmed; nil where it was.
    func withdraw(_ records: [GrantRecord]) -> [(record: GrantRecord, failure: String?)] {
        let signed = records.map { record -> (GrantRecord, Signed<Erasure>?, String?) in
            do throws(ReleaseError) {
                return (record, try erasure(of: record), nil)
            } catch {
                return (record, nil, error.description)
            }
        }
        return signed.map { record, erasure, failure in
            guard let erasure else { return (record, failure) }
            do {
                try confirm(erasure, of: record)
                return (record, nil)
            } catch {
                return (record, "\(error)")
            }
        }
    }

    /// The erasure of a grant, signed and on disk; its releases are out of the outbox.
    private func erasure(of record: GrantRecord) throws(ReleaseError) -> Signed<Erasure> {
        let files = releaseFiles
        if let kept = record.erasure {
            try files.empty(record, kept)
            return kept
        }
        var erasure = try Signed(
            Erasure(grant: record.id, cause: .withdrawn, time: now.wall.text)
        )
        try erasure.sign(files.key(of: record.id))
        try files.store(erasure)
        try files.empty(record, erasure)
        return erasure
    }

    /// Has the holder destroy the secret, and keeps its signature.
    private func confirm(_ kept: Signed<Erasure>, of record: GrantRecord) throws {
        var request = HolderRequest(.erase)
        request.erasure = kept.text
        let answer = try askHolder(request)
        var erasure = kept
        try erasure.add(signaturesOf: try Signed<Erasure>(text: answer.erasure))
        if let holder = record.grant.content.holders.first {
            try erasure.verify(holder.key, of: "holder")
        }
        try releaseFiles.store(erasure)
        try releaseFiles.empty(record, erasure)
    }

    /// The whole log of a grant, page by page.
    ///
    /// - Throws: a ``ReleaseError`` when the holder does not answer.
    func log(of record: GrantRecord) throws -> (leaves: [[UInt8]], checkpoint: [UInt8]) {
        var leaves: [[UInt8]] = []
        while true {
            var request = HolderRequest(.log)
            (request.id, request.from) = (record.id, leaves.count)
            let answer = try askHolder(request)
            let more = (answer.leaves ?? []).map { Array($0.utf8) }
            leaves += more
            let checkpoint = Array((answer.checkpoints?[record.id] ?? "").utf8)
            let size = (try? SignedNote(checkpoint)).flatMap { try? Checkpoint($0.text).size } ?? 0
            if more.isEmpty || leaves.count >= size { return (leaves, checkpoint) }
        }
    }
}
