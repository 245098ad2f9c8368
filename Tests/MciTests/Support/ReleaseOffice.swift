// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Notes
import Packing
import Person
import Sealing
import System
import Timeline

@testable import Holder
@testable import Reader
@testable import Release

/// The organisation's side of releases: its keys, a purpose, and readers with certificates.
struct ReleaseOffice {
    let authority = NoteSigner(name: "example.org/purposes")
    let steward = NoteSigner(name: "works-council.example.org")
    let readers = NoteSigner(name: "example.org/readers")
    let reader = NoteSigner(name: "example.org/job")
    let purpose: Signed<Purpose>

    init(fields: ReleaseFields = .finest, expires: String = "2099-01-01T00:00:00Z") throws {
        var purpose = try Signed(
            Purpose(
                id: "model",
                title: "A model",
                text: "We want to know which step follows which.",
                controller: "Example Ltd",
                contact: "office@example.org",
                fields: fields,
                days: 30,
                expires: expires,
                holders: ["self"],
                readers: readers.verifier.text,
                authority: authority.verifier.text,
                steward: steward.verifier.text,
                weights: true
            )
        )
        try purpose.sign(authority)
        try purpose.sign(steward)
        self.purpose = purpose
    }

    /// A certificate of the reader, by default a valid one.
    func certificate(
        purpose digest: String? = nil,
        key: NoteSigner? = nil,
        person: String = "R. Reader",
        from: String = "2020-01-01T00:00:00Z",
        until: String = "2098-01-01T00:00:00Z",
        by authority: NoteSigner? = nil
    ) throws -> Signed<Certificate> {
        var certificate = try Signed(
            Certificate(
                purpose: digest ?? purpose.digest,
                person: person,
                team: "research",
                job: "train-v3",
                key: (key ?? reader).verifier.text,
                from: from,
                until: until
            )
        )
        try certificate.sign(authority ?? readers)
        return certificate
    }

    /// A run of the reader.
    func run(_ certificate: Signed<Certificate>? = nil) throws -> Run {
        Run(
            key: reader,
            certificate: try (certificate ?? self.certificate()).bytes,
            reason: "train the model"
        )
    }
}

extension ReleaseFields {
    /// Everything that can be asked for.
    static var finest: ReleaseFields {
        var fields = ReleaseFields()
        fields.time = .millisecond
        fields.device = .kind
        fields.typing = .seconds
        fields.keys = .named
        fields.modifiers = .names
        fields.buttons = .numbers
        fields.motion = .counts
        fields.scroll = .notches
        fields.application = .name
        fields.place = .pixel
        fields.screen = .size
        fields.gaps = .reason
        return fields
    }

    /// Any grade of each field.
    static func random(_ random: inout SplitMix) -> ReleaseFields {
        func any<G: Grade>(_ type: G.Type) -> G {
            G.allCases[Int(random.next() % UInt64(G.allCases.count))]
        }
        var fields = ReleaseFields()
        fields.time = any(Time.self)
        fields.device = any(ReleaseFields.Device.self)
        fields.typing = any(Typing.self)
        fields.keys = any(Keys.self)
        fields.modifiers = any(ReleaseFields.Modifiers.self)
        fields.buttons = any(Buttons.self)
        fields.motion = any(Motion.self)
        fields.scroll = any(Scroll.self)
        fields.application = any(Application.self)
        if fields.application == .listed { fields.applications = ["Editor", "Mail"] }
        fields.place = any(Place.self)
        fields.screen = any(Screen.self)
        fields.gaps = any(Gaps.self)
        return fields
    }
}

/// A person's side of releases without an X server: a holder in this process, and their files.
final class ReleaseDesk {
    let folder: TemporaryFolder
    let office: ReleaseOffice
    let files: ReleaseFiles
    let store: HolderStore
    let holder: Holder
    var now: WallTime
    private(set) var record: GrantRecord
    private let clock: Clock

    private final class Clock { var now = WallTime(0) }

    init(_ office: ReleaseOffice, expires: String = "2098-01-01T00:00:00Z") throws {
        folder = try TemporaryFolder(isInMemory: true)
        self.office = office
        now = WallTime(1_796_083_200_000)
        let paths = folder.paths
        files = ReleaseFiles(
            grants: paths.grants,
            purposes: paths.purposes,
            releases: paths.releases,
            outbox: paths.outbox
        )
        try Disk.makeFolder(paths.holder)
        store = try HolderStore(path: paths.holder + "/holder.db")
        let clock = Clock()
        self.clock = clock
        clock.now = now
        holder = Holder(store) { clock.now }
        guard let end = WallTime(expires) else { throw ReleaseError("\(expires) is not a time.") }
        record = try files.grant(
            office.purpose,
            office.purpose.content.fields,
            issued: now,
            end: end
        ) { [holder] in holder.answer($0, isPerson: true) }
    }

    /// Sets the wall clock of the holder and of this desk.
    func set(_ time: WallTime) { (now, clock.now) = (time, time) }

    /// Releases a payload, and returns what is remembered.
    @discardableResult
    func release(_ payload: [UInt8]) throws -> ReleaseRecord {
        try files.release(
            payload,
            events: 1,
            Recipe(grant: record.id, span: .init(from: 0, to: 1)),
            record,
            now: now
        )
    }

    /// The releases in the outbox.
    func stored() throws -> [StoredRelease] {
        try Store(files.outbox).releases(for: office.purpose).found
    }

    /// Opens releases; a refusal is thrown.
    func open(_ releases: [StoredRelease], _ run: Run? = nil) throws -> [[UInt8]] {
        let run = try run ?? office.run()
        let (request, asked) = run.request(releases)
        var opened: [[UInt8]] = []
        try run.open(asked, holder.answer(request, isPerson: false)) { release, result in
            switch result {
            // As it was approved: with zeros in place of the salt.
            case .opened(let plaintext):
                opened.append(
                    release.derived == nil ? ReleasePayload.salted(plaintext) : plaintext
                )
            case .refused(let reason): throw ReleaseError(reason)
            }
        }
        return opened
    }

    /// The erasure of the grant, signed by its key.
    func erasure() throws -> Signed<Erasure> {
        var erasure = try Signed(Erasure(grant: record.id, cause: .withdrawn, time: now.text))
        try erasure.sign(files.key(of: record.id))
        return erasure
    }

    /// The log as the person gets it, page by page.
    func log() -> (leaves: [[UInt8]], checkpoint: [UInt8]) {
        var leaves: [[UInt8]] = []
        while true {
            var request = HolderRequest(.log)
            (request.id, request.from) = (record.id, leaves.count)
            let answer = holder.answer(request, isPerson: true)
            let more = (answer.leaves ?? []).map { Array($0.utf8) }
            leaves += more
            let checkpoint = Array((answer.checkpoints?[record.id] ?? "").utf8)
            if more.count < HolderStore.pageSize { return (leaves, checkpoint) }
        }
    }
}
