// SPDX-License-Identifier: Apache-2.0

package import Events
import Notes
package import Release
import Sealing
import System

extension ReleaseFiles {
    /// Grants a purpose: a new key signs the grant, and a holder makes its lock and signs it too.
    ///
    /// - Parameters:
    ///   - purpose: verified.
    ///   - fields: what is allowed, no more than the purpose asks for.
    ///   - issued: the present.
    ///   - end: when the grant ends.
    ///   - ask: passes a request on to the person's holder, and returns its answer.
    /// - Returns: the grant, which is stored.
    /// - Throws: ``ReleaseError`` for a refusal and for an answer that does not verify, and what `ask`
    ///   throws; no grant is stored then.
    package func grant(
        _ purpose: Signed<Purpose>,
        _ fields: ReleaseFields,
        issued: WallTime,
        end: WallTime,
        _ ask: (HolderRequest) throws -> HolderAnswer
    ) throws -> GrantRecord {
        let id = Hex.encode(Age.random(16))
        var request = HolderRequest(.offer)
        request.id = id
        let offer = try ask(request)
        guard let holder = offer.holder else {
            throw ReleaseError(offer.refusal ?? "The holder made no recipient.")
        }
        let key = NoteSigner(name: Grant.keyName(id))
        var grant = try Signed(
            Grant(
                id: id,
                purpose: purpose.digest,
                purposeID: purpose.content.id,
                controller: purpose.content.controller,
                fields: fields,
                key: key.verifier.text,
                holders: [holder],
                issued: issued.text,
                expires: end.text
            )
        )
        try grant.sign(key)
        request = HolderRequest(.grant)
        request.grant = grant.text
        request.purpose = purpose.text
        let answer = try ask(request)
        if let refusal = answer.refusal { throw ReleaseError(refusal) }
        try grant.add(signaturesOf: try Signed<Grant>(text: answer.grant))
        try grant.verify(for: purpose)
        try store(grant, purpose, key)
        return GrantRecord(grant: grant, purpose: purpose)
    }
}
