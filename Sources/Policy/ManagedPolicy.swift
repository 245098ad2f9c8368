// SPDX-License-Identifier: Apache-2.0

package import Gate
import System

/// What an administrator says about the recording, and the limits they set; a person may record
/// less.
///
/// Upstream: the policy file. Downstream: the gate, through ``restrictions``, and the consent
/// notice, through ``noticeSection``. Promise: a policy can only reduce what is recorded; a consent
/// is bound to its ``hash``.
package struct ManagedPolicy: Equatable, Sendable {
    /// The legal basis that the controller names (GDPR, Article 6).
    ///
    /// Whichever it is, nothing is recorded without the person's own consent.
    package enum LawfulBasis: String, CaseIterable, Sendable {
        case consent
        case contract
        case legitimateInterest = "legitimate-interest"
    }

    /// The purpose of the recordings; at most 1000 characters.
    package var purpose: String
    /// Who is responsible for them (the controller); at most 200 characters.
    package var controller: String
    /// Where to ask; at most 200 characters.
    package var contact: String
    /// The legal basis; nil when the policy names none.
    package var lawfulBasis: LawfulBasis?
    /// Further information for the person before consent, at most 4000 characters; nil for none.
    package var notice: String?

    /// The maximum key detail; nil for no limit.
    package var keyDetail: KeyDetail?
    /// Maximum retention in seconds, within ``SettingRanges/retentions``; nil for no limit.
    package var retention: Int?
    /// Maximum size of all files of the ring in bytes, within ``SettingRanges/ringSizes``; nil for
    /// no limit.
    package var ringSize: Int?
    /// Whether window titles may be stored; nil means yes.
    package var titles: Bool?
    /// Whether keys that programs make may be recorded like those of a keyboard; nil means yes.
    package var syntheticKeys: Bool?
    /// Maximum length of one pause in seconds, within ``pauseCaps``; nil for no limit.
    package var pauseCap: Int?

    /// Whether nothing is recorded without the companion, which knows of locks; nil means no.
    package var companion: Bool?

    /// Rules for input that is not recorded.
    package var exclude: [Rule] = []
    /// The allowlist: patterns of the only applications that are recorded; empty for all.
    package var only: [Glob] = []
    /// Who may decide about exemptions; empty for nobody.
    package var stewards: [Steward] = []

    /// Whether anything recorded may be released; nil means yes.
    package var releases: Bool?
    /// The only pairs of keys whose purposes may be granted; empty for all.
    package var purposes: [PurposeSigners] = []

    /// Who signs a purpose, by the texts of their public keys (C2SP `signed-note.md`).
    package struct PurposeSigners: Hashable, Sendable {
        /// The organisation's key.
        package var authority: String
        /// The steward's key.
        package var steward: String

        /// Whether a text has the form of a public key: `NAME+ID+KEY`.
        static func isKey(_ text: String) -> Bool {
            let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
            return parts.count == 3 && !parts[0].isEmpty && parts[1].utf8.count == 8
                && parts[1].allSatisfy { $0.isHexDigit && !$0.isUppercase }
                && Base64.decodePadded(Array(parts[2].utf8))?.count == 33
                && !text.contains(where: \.isWhitespace)
        }
    }

    /// SHA-256 of the file, as 64 hexadecimal digits.
    package var hash: String

    /// The values of ``pauseCap`` in seconds: 30 minutes, which every person may pause, to 366
    /// days.
    package static let pauseCaps = 30 * 60...366 * 86_400

    package init(purpose: String, controller: String, contact: String, hash: String) {
        self.purpose = purpose
        self.controller = controller
        self.contact = contact
        self.hash = hash
    }

    /// Limits the length of a pause to the cap instead of refusing it, because a pause must not
    /// fail.
    ///
    /// - Parameter length: in milliseconds; nil for a pause without end.
    /// - Returns: the shorter of the length and the cap, in milliseconds; nil for a pause without
    ///   end.
    package func capped(pause length: Int64?) -> Int64? {
        guard let pauseCap else { return length }
        return min(length ?? .max, Int64(pauseCap) * 1000)
    }

    /// The part of the policy that the gate and the ring enforce.
    package var restrictions: Restrictions {
        var result = Restrictions()
        result.keyDetail = keyDetail ?? .full
        result.exclusions = Set(exclude)
        result.allowlists = only.isEmpty ? [] : [Set(only)]
        result.storesTitles = titles ?? true
        result.recordsSyntheticKeys = syntheticKeys ?? true
        result.retention = retention
        result.ringSize = ringSize
        return result
    }
}

/// Why a policy is unusable; while it is, nothing is captured.
package struct PolicyError: Error, Equatable, CustomStringConvertible {
    /// The path of the file, as it was named.
    package let path: String
    /// The defects in the order of the lines, at least one.
    ///
    /// A defect of the file as a whole is the only one, and has no line.
    package let defects: [Defect]

    /// A defect of a policy.
    package struct Defect: Equatable, Sendable {
        /// The line, from 1; nil for a defect of the file as a whole.
        package let line: Int?
        /// What is wrong, in one or two English sentences.
        package let sentence: String
    }

    init(_ path: String, _ sentence: String) {
        self.path = path
        defects = [Defect(line: nil, sentence: sentence)]
    }

    init(_ path: String, _ defects: [JSONDefect]) {
        self.path = path
        self.defects = defects.map { Defect(line: $0.line, sentence: $0.sentence) }
    }

    /// Each defect as a sentence with the path and the line.
    package var sentences: [String] {
        defects.map { defect in
            "\(path)\(defect.line.map { ", line \($0)" } ?? ""): \(defect.sentence)"
        }
    }

    /// The first defect, and how many more there are.
    package var description: String {
        let more = defects.count - 1
        return (sentences.first ?? path)
            + (more > 0 ? " (And \(more) more: mcictl policy check)" : "")
    }
}
