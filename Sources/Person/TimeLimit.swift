// SPDX-License-Identifier: Apache-2.0

package import Events
import System

/// A stretch of time that the person asked for: a pause, or how long an exemption lasts.
///
/// Its end is kept twice: on the wall clock and on this boot's clock. The later one counts, so that
/// neither a clock set forward nor one set back lets it end early.
package struct TimeLimit: Codable, Equatable, Sendable {
    /// RFC 3339.
    package var since: String
    /// RFC 3339; nil for one that lasts until it is ended.
    package var until: String?
    /// The boot whose clock ``boottimeEnd`` is on, in hexadecimal.
    package var bootID: String
    /// CLOCK_BOOTTIME in milliseconds.
    package var boottimeEnd: Int64?

    /// A stretch from `now` to a moment, or without end.
    ///
    /// - Parameters:
    ///   - now: the moment of the request.
    ///   - length: milliseconds; nil for no end.
    ///   - bootID: of this boot.
    package init(from now: Moment, length: Int64?, bootID: [UInt8]) {
        since = now.wall.text
        until = length.map { WallTime(now.wall.milliseconds + $0).text }
        self.bootID = Self.name(bootID)
        boottimeEnd = length.map { now.boottime + $0 }
    }

    init(since: String, until: String?, bootID: String, boottimeEnd: Int64?) {
        (self.since, self.until) = (since, until)
        (self.bootID, self.boottimeEnd) = (bootID, boottimeEnd)
    }

    /// Whether it is over; one whose end cannot be read never is.
    package func isOver(at now: Moment, bootID: [UInt8]) -> Bool {
        guard let until else { return false }
        guard let end = WallTime(until), end <= now.wall else { return false }
        guard self.bootID == Self.name(bootID) else { return true }
        return boottimeEnd.map { $0 <= now.boottime } ?? false
    }

    /// Milliseconds until it can be over at the earliest; nil when it has no end.
    package func timeLeft(at now: Moment, bootID: [UInt8]) -> Int64? {
        guard let until, let wallEnd = WallTime(until) else { return nil }
        let wall = wallEnd.milliseconds - now.wall.milliseconds
        let isThisBoot = self.bootID == Self.name(bootID)
        let end = isThisBoot ? boottimeEnd ?? 0 : 0
        // A damaged end may be out of all reason.
        let (boot, isAbsurd) = end.subtractingReportingOverflow(now.boottime)
        return max(wall, isAbsurd ? 0 : boot, 0)
    }

    /// The one of two that ends later, on both clocks; nil where there is neither.
    static func later(_ left: TimeLimit?, _ right: TimeLimit?) -> TimeLimit? {
        guard let left, let right else { return left ?? right }
        // One whose end is missing or cannot be read never ends.
        guard let leftEnd = left.end else { return left }
        guard let rightEnd = right.end else { return right }
        var later = leftEnd < rightEnd ? right : left
        if left.bootID == right.bootID, let ends = left.boottimeEnd, let other = right.boottimeEnd {
            later.boottimeEnd = max(ends, other)
        }
        return later
    }

    private var end: WallTime? { until.flatMap { WallTime($0) } }

    private static func name(_ bootID: [UInt8]) -> String { Hex.encode(bootID) }
}
