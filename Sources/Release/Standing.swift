// SPDX-License-Identifier: Apache-2.0

package import Events
import FoundationEssentials
import Policy
import System

/// A person's wish that whole days are released without a review of each: off unless asked for.
package struct Standing: Codable, Equatable, Sendable {
    /// Maximum days that it lasts.
    package static let maxDays = 30
    /// Days without a review after which the person is reminded.
    package static let reminder = 7
    /// Milliseconds between the end of a day and its release, in which the day can be struck out.
    package static let delay: Int64 = 86_400_000

    /// The version of this file.
    package var schema = 1
    /// Until when, in UTC.
    package var until: String
    /// The end of the last day that was released or struck out, in milliseconds since 1970.
    package var doneUntil: Int64
    /// When the person last reviewed what goes, in UTC.
    package var reviewed: String
    /// Applications that are cut out of each day.
    package var apps: [String]
    /// How many days were released by it.
    package var released = 0

    /// Begins one.
    package init(until: String, doneUntil: Int64, reviewed: String, apps: [String]) {
        (self.until, self.doneUntil) = (until, doneUntil)
        (self.reviewed, self.apps) = (reviewed, apps)
    }

    /// Whether it holds at a moment.
    package func holds(at now: WallTime) -> Bool { WallTime(until).map { now < $0 } ?? false }

    /// Whether the person should be reminded to review.
    package func needsReview(at now: WallTime) -> Bool {
        guard let last = WallTime(reviewed) else { return true }
        return now.milliseconds - last.milliseconds > Int64(Self.reminder) * 86_400_000
    }

    /// One sentence about it.
    package var words: String {
        "Whole days are released a day after they ended, until \(until); you last reviewed \(reviewed)."
    }
}

extension ReleaseFiles {
    /// The standing approval of a grant; nil if there is none.
    package func standing(of id: String) -> Standing? {
        (try? Disk.readOwn(standingPath(id)))
            .flatMap { try? JSONDecoder().decode(Standing.self, from: Data($0)) }
    }

    /// Stores a standing approval, or ends it.
    ///
    /// - Throws: ``ReleaseError`` when it cannot be written.
    package func store(_ standing: Standing?, of id: String) throws(ReleaseError) {
        guard let standing else { return Disk.remove(standingPath(id)) }
        try write(JSONText.file(standing) ?? [], standingPath(id))
    }
}
