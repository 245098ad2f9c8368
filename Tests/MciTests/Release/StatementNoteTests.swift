// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Notes
import System
import Testing

@testable import Reader
@testable import Release

/// The notes of releases: what is forged, foreign, edited or unknown is refused with a sentence.
@Suite struct StatementNoteTests {
    private let office: ReleaseOffice
    private let desk: ReleaseDesk

    init() throws {
        office = try ReleaseOffice()
        desk = try ReleaseDesk(office)
    }

    /// Every bit of a note, changed: it is refused, or its signature does not fit.
    private func flip<Content: Statement>(
        _ note: Signed<Content>,
        _ verify: (Signed<Content>) throws -> Void
    ) throws {
        let bytes = note.bytes
        let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil
        for index in bytes.indices where isProof || index % 4 == 0 {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: (any Error).self, "\(Content.name), byte \(index), bit \(bit)") {
                    try verify(try Signed<Content>(changed))
                }
            }
        }
        for count in bytes.indices where isProof || count % 4 == 0 {
            #expect(throws: (any Error).self) {
                try verify(try Signed<Content>(Array(bytes.prefix(count))))
            }
        }
    }

    @Test func `every changed bit of a purpose, a grant, a release and an erasure is found`() throws
    {
        try flip(office.purpose) { try $0.verify() }
        let record = desk.record
        try flip(record.grant) { try $0.verify(for: office.purpose) }
        try desk.release([UInt8](repeating: 0, count: 65536))
        let stored = try #require(try desk.stored().first)
        try flip(stored.release) { try $0.verify(record.grant.content.key, of: "grant key") }
        try flip(try desk.erasure()) { try $0.verify(record.grant.content.key, of: "grant key") }
        try flip(try office.certificate()) {
            try $0.verify(office.purpose.content.readers, of: "reader authority")
        }
    }

    @Test func `a purpose that asks for what is unknown is refused, with the name of it`() throws {
        let text = office.purpose.text
        func refusal(_ old: String, _ new: String) -> String {
            let changed = text.replacingOccurrences(of: old, with: new)
            #expect(changed != text)
            do {
                try Signed<Purpose>(text: changed).verify()
                return "nothing"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            refusal("\"gaps\":", "\"titles\":\"full\",\"gaps\":").contains("“titles” is unknown")
        )
        #expect(refusal("\"place\":\"pixel\"", "\"place\":\"atom\"").contains("other values"))
        #expect(
            refusal("{\"authority\":", "{\"authority\":1,\"authority\":").contains("other values")
        )
        #expect(refusal("\"days\":30", "\"days\":3000").contains("days must be 1 to 366"))
        #expect(refusal("[\"self\"]", "[\"keeper\"]").contains("keeper alone"))
        #expect(refusal("[\"self\"]", "[\"keeper\",\"steward\"]").contains("only the holder"))
        #expect(refusal("\"id\":\"model\"", "\"id\":\"../x\"").contains("id must"))
        #expect(refusal("2099-01-01T00:00:00Z", "2099-02-30T00:00:00Z").contains("expiry"))
        #expect(refusal("Example Ltd", "Another Ltd").contains("was changed"))
        #expect(refusal("purpose/1", "purpose/2").contains("not a purpose"))
        #expect(refusal("purpose/1", "grant/1").contains("not a purpose"))
    }

    @Test func `a purpose needs both signatures, of the keys that it names`() throws {
        var alone = try Signed(office.purpose.content)
        #expect(throws: ReleaseError.self) { try alone.verify() }
        try alone.sign(office.authority)
        #expect(throws: ReleaseError.self) { try alone.verify() }
        try alone.sign(NoteSigner(name: office.steward.verifier.name))
        #expect(throws: ReleaseError.self) { try alone.verify() }
        try alone.sign(office.steward)
        try alone.verify()
    }

    @Test func `a grant beyond its purpose is refused`() throws {
        var coarse = ReleaseFields.finest
        coarse.place = .cell
        let office = try ReleaseOffice(fields: coarse, expires: "2030-01-01T00:00:00Z")
        let offer = desk.record.grant.content
        func error(_ change: (inout Grant) -> Void) throws -> String {
            var content = offer
            content.purpose = office.purpose.digest
            content.fields = coarse
            content.expires = "2029-01-01T00:00:00Z"
            change(&content)
            let key = NoteSigner(name: "grant")
            content.key = key.verifier.text
            let holder = NoteSigner(name: "holder")
            content.holders[0].key = holder.verifier.text
            var grant = try Signed(content)
            try grant.sign(key)
            try grant.sign(holder)
            do {
                try grant.verify(for: office.purpose)
                return ""
            } catch {
                return error.reason
            }
        }
        #expect(try error { _ in } == "")
        #expect(try error { $0.fields.place = .pixel }.contains("reveals more"))
        #expect(try error { $0.expires = "2031-01-01T00:00:00Z" }.contains("longer"))
        #expect(try error { $0.purpose = Digest.hex([]) }.contains("changed after it was granted"))
        #expect(try error { $0.holders.append($0.holders[0]) }.contains("holder"))
    }

    @Test func `notes of one kind do not pass for another`() throws {
        let grant = desk.record.grant.bytes
        #expect(throws: ReleaseError.self) { try Signed<Purpose>(grant) }
        #expect(throws: ReleaseError.self) { try Signed<Release>(grant) }
        #expect(throws: ReleaseError.self) { try Signed<Erasure>(grant) }
        #expect(throws: ReleaseError.self) { try Signed<Opening>(grant) }
    }
}
