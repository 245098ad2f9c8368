// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Notes
import Release
import Sealing
import System
import Timeline

/// The grants with their keys, sealed to the person's own identity.
///
/// Who has lost the keys can only wait for the grants to end. A holder's secret is never in it.
struct GrantBackup: Codable {
    struct Entry: Codable {
        var key: String
        var grant: String
        var purpose: String
        var erasure: String?
    }

    var schema = 1
    var grants: [Entry]

    /// The name of the file beside a copy of the identity.
    static func name(beside file: String) -> String { file + ".grants" }

    /// The grants of an installation; nil if there are none.
    init?(_ files: ReleaseFiles) {
        grants = files.grants().compactMap { record in
            guard let key = try? files.key(of: record.id) else { return nil }
            return Entry(
                key: key.file,
                grant: record.grant.text,
                purpose: record.purpose.text,
                erasure: record.erasure?.text
            )
        }
        if grants.isEmpty { return nil }
    }

    /// Reads an opened backup; nil for anything else.
    static func read(_ plaintext: [UInt8]) -> GrantBackup? {
        try? JSONDecoder().decode(Self.self, from: Data(plaintext))
    }

    /// The sealed file.
    ///
    /// - Throws: an `AgeError`.
    func sealed(to recipients: [Recipient]) throws -> [UInt8] {
        try AgeFile.seal(Array(try JSONEncoder().encode(self)), to: recipients)
    }

    /// Puts back the grants that are missing.
    ///
    /// - Returns: how many.
    /// - Throws: a ``ReleaseError``; a grant that does not verify is not put back.
    func restore(_ files: ReleaseFiles) throws -> Int {
        let known = Set(files.grants().map(\.id))
        var count = 0
        for entry in grants {
            let grant = try Signed<Grant>(text: entry.grant)
            let purpose = try Signed<Purpose>(text: entry.purpose)
            try grant.verify(for: purpose)
            guard let key = NoteSigner(entry.key), key.verifier.text == grant.content.key else {
                throw ReleaseError("A key in the backup does not belong to its grant.")
            }
            if let text = entry.erasure {
                let erasure = try Signed<Erasure>(text: text)
                try erasure.verify(grant.content.key, of: "grant key")
                try files.store(erasure)
            }
            guard !known.contains(grant.content.id) else { continue }
            try files.store(grant, purpose, key)
            count += 1
        }
        return count
    }
}
