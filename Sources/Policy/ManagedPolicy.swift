// SPDX-License-Identifier: Apache-2.0

package import Gate

/// What whoever deploys mci says about it and allows at the most; the person may always ask for less.
///
/// Upstream: the policy file. Downstream: the gate, by ``restrictions``, and the notice of consent, by
/// ``noticeSection``. Promise: it can only take away; a consent is bound to its ``hash``.
package struct ManagedPolicy: Equatable, Sendable {
    /// The legal ground the controller names.
    ///
    /// Whichever it is, nothing is recorded without the person's own act of consent.
    package enum LawfulBasis: String, CaseIterable, Sendable {
        case consent
        case contract
        case legitimateInterest = "legitimate-interest"
    }

    /// What the recordings are for.
    package var purpose: String
    /// Who is responsible for them.
    package var controller: String
    /// Whom to ask.
    package var contact: String
    package var lawfulBasis: LawfulBasis?
    /// More that the person is told before consenting.
    package var notice: String?

    /// The most that is told of a key.
    package var keyDetail: KeyDetail?
    /// Seconds after which what was recorded is erased at the latest.
    package var retention: Int?
    /// The most bytes that all files of the ring take.
    package var ringSize: Int?
    /// Whether the titles of windows may be stored.
    package var titles: Bool?
    /// Whether keys that programs make may be recorded as those of a keyboard.
    package var syntheticKeys: Bool?
    /// The most seconds of one pause.
    package var pauseCap: Int?

    /// What is not recorded.
    package var exclude: [Rule] = []
    /// When there are any, the only applications in which anything is recorded.
    package var only: [Glob] = []
    /// When there are any, who decides about exemptions.
    package var stewards: [Steward] = []

    /// SHA-256 of the file, in hexadecimal.
    package var hash: String

    /// No cap of one pause is shorter than 30 minutes.
    package static let pauseCaps = 30 * 60...366 * 86_400

    package init(purpose: String, controller: String, contact: String, hash: String) {
        self.purpose = purpose
        self.controller = controller
        self.contact = contact
        self.hash = hash
    }

    /// Milliseconds of a pause as far as the cap allows; the rest is left out, for a pause must not fail.
    ///
    /// - Parameter length: milliseconds; nil for no end.
    /// - Returns: the same, or the cap where that is less.
    package func capped(pause length: Int64?) -> Int64? {
        guard let pauseCap else { return length }
        return min(length ?? .max, Int64(pauseCap) * 1000)
    }

    /// The part that the gate and the ring enforce.
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

/// Why a policy cannot be used; capture is then closed.
package struct PolicyError: Error, Equatable, CustomStringConvertible {
    /// The file, as it was named.
    package let path: String
    /// What is wrong in the file, in the order of its lines; never empty, and a single one without a
    /// line where the file itself is wrong.
    package let defects: [Defect]

    package struct Defect: Equatable, Sendable {
        /// nil for what is wrong with the file as a whole.
        package let line: Int?
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

    /// Every defect as a sentence with its place.
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
