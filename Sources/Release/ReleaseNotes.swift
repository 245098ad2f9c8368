// SPDX-License-Identifier: Apache-2.0

package import Events
import Notes
import Sealing

/// One sealed object that a person released: no name, no day, no device.
package struct Release: Statement {
    /// The name in the first line of the note.
    package static let name = "release"

    /// The id of the grant.
    package var grant: String
    /// 1, 2, … within the grant.
    package var number: Int
    /// The digest of the sealed object.
    package var object: String
    /// The digest of each layer's age header, the outermost first.
    package var headers: [String]
    /// The digest of the payload.
    package var plaintext: String
    /// Bytes of the payload, which is padded.
    package var size: Int

    /// Creates a statement.
    package init(
        grant: String,
        number: Int,
        object: String,
        headers: [String],
        plaintext: String,
        size: Int
    ) {
        self.grant = grant
        self.number = number
        self.object = object
        self.headers = headers
        self.plaintext = plaintext
        self.size = size
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        guard Digest.isHex(grant, 32), number > 0, size > 0, !headers.isEmpty,
            ([object, plaintext] + headers).allSatisfy(Digest.isOne)
        else { return "A value in it is out of range." }
        return nil
    }
}

/// Rows that a job derived from releases, sealed again to the grant of one of them.
package struct Derived: Statement {
    /// The name in the first line of the note.
    package static let name = "derived"

    /// The digest of the release that it comes from.
    package var parent: String
    /// The id of the grant.
    package var grant: String
    /// The digest of the sealed object.
    package var object: String
    /// The digest of each layer's age header, the outermost first.
    package var headers: [String]
    /// The digest of the plaintext.
    package var plaintext: String
    /// Bytes of the plaintext.
    package var size: Int
    /// The run that made it.
    package var run: String
    /// The key of the reader who signed this.
    package var reader: String

    /// Creates a statement.
    package init(
        parent: String,
        grant: String,
        object: String,
        headers: [String],
        plaintext: String,
        size: Int,
        run: String,
        reader: String
    ) {
        self.parent = parent
        self.grant = grant
        self.object = object
        self.headers = headers
        self.plaintext = plaintext
        self.size = size
        self.run = run
        self.reader = reader
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        guard Digest.isHex(grant, 32), size >= 0, !headers.isEmpty, !run.isEmpty,
            ([parent, object, plaintext] + headers).allSatisfy(Digest.isOne),
            NoteVerifier(reader)?.kind == .note
        else { return "A value in it is out of range." }
        return nil
    }
}

/// Who a reader is: signed by the purpose's reader authority.
package struct Certificate: Statement {
    /// The name in the first line of the note.
    package static let name = "certificate"

    /// The digest of the purpose.
    package var purpose: String
    /// The person who reads.
    package var person: String
    /// The team that it is for.
    package var team: String
    /// The job.
    package var job: String
    /// The reader's key.
    package var key: String
    /// From when on it holds, in UTC.
    package var from: String
    /// Until when it holds, in UTC.
    package var until: String

    /// Creates a statement.
    package init(
        purpose: String,
        person: String,
        team: String,
        job: String,
        key: String,
        from: String,
        until: String
    ) {
        self.purpose = purpose
        self.person = person
        self.team = team
        self.job = job
        self.key = key
        self.from = from
        self.until = until
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        guard Digest.isOne(purpose), WallTime(from) != nil, WallTime(until) != nil,
            NoteVerifier(key)?.kind == .note,
            [person, team, job].allSatisfy({ !$0.isEmpty && $0.utf8.count <= 200 })
        else { return "A value in it is out of range." }
        return nil
    }

    /// Whether it holds at a moment.
    package func holds(at time: WallTime) -> Bool {
        guard let from = WallTime(from), let until = WallTime(until) else { return false }
        return from <= time && time < until
    }
}

/// A reader's request to open one release, which is written into the log before it is granted.
package struct Opening: Statement {
    /// The name in the first line of the note.
    package static let name = "opening"
    /// Maximum bytes of the note: with its certificate it is a leaf of a log.
    package static let maxBytes = 8192

    /// The digest of the release or of the derived rows.
    package var release: String
    /// The digest of the age header.
    package var header: String
    /// The key of the reader, who signs this.
    package var reader: String
    /// The age recipient of the run, whose secret half is in its memory alone.
    package var recipient: String
    /// The reader's certificate, as a note.
    package var certificate: String
    /// Why, in words.
    package var reason: String
    /// The id of the run.
    package var run: String
    /// Random digits, so that nobody can guess a leaf of the log.
    package var nonce: String

    /// Creates a statement.
    package init(
        release: String,
        header: String,
        reader: String,
        recipient: String,
        certificate: String,
        reason: String,
        run: String,
        nonce: String
    ) {
        self.release = release
        self.header = header
        self.reader = reader
        self.recipient = recipient
        self.certificate = certificate
        self.reason = reason
        self.run = run
        self.nonce = nonce
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        guard Digest.isOne(release), Digest.isOne(header), NoteVerifier(reader)?.kind == .note,
            Recipient(recipient) != nil, Digest.isHex(nonce, 32), Digest.isHex(run, 32)
        else { return "A value in it is out of range." }
        if reason.isEmpty || reason.count > 500 {
            return "Its reason must have 1 to 500 characters."
        }
        return nil
    }
}

/// The end of a grant: its secret is gone, and nobody can open a release of it any more.
package struct Erasure: Statement {
    /// The name in the first line of the note.
    package static let name = "erasure"

    /// Why a grant ended.
    package enum Cause: String, Codable, Sendable {
        /// The person withdrew it.
        case withdrawn
        /// Its time was over.
        case expired
    }

    /// The id of the grant.
    package var grant: String
    /// Why it ended.
    package var cause: Cause
    /// When that was decided, in UTC.
    package var time: String

    /// Creates a statement.
    package init(
        grant: String,
        cause: Cause,
        time: String
    ) {
        self.grant = grant
        self.cause = cause
        self.time = time
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        Digest.isHex(grant, 32) && WallTime(time) != nil ? nil : "A value in it is out of range."
    }
}

/// A reader's answer to an erasure.
package struct PurgeAnswer: Statement {
    /// The name in the first line of the note.
    package static let name = "purge"

    /// The id of the grant.
    package var grant: String
    /// The key of the reader, who signs this.
    package var reader: String
    /// When, in UTC.
    package var time: String
    /// What was deleted: names of files of runs.
    package var purged: [String]
    /// What still contains something of the grant and cannot be taken back, such as a model.
    package var contains: [String]

    /// Creates a statement.
    package init(
        grant: String,
        reader: String,
        time: String,
        purged: [String],
        contains: [String]
    ) {
        self.grant = grant
        self.reader = reader
        self.time = time
        self.purged = purged
        self.contains = contains
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        Digest.isHex(grant, 32) && WallTime(time) != nil && NoteVerifier(reader)?.kind == .note
            ? nil : "A value in it is out of range."
    }
}
