// SPDX-License-Identifier: Apache-2.0

package import Events
import System

/// How long a pause or an exemption lasts.
///
/// Its end is stored twice: on the wall clock and on this boot's clock. The later one counts, so
/// that it does not end early whether the wall clock is set forward or back.
package struct TimeLimit: Codable, Equatable, Sendable {
    /// When it began, in RFC 3339.
    package var since: String
    /// When it ends, in RFC 3339; nil for no end.
    package var until: String?
    /// The boot to which ``boottimeEnd`` belongs: its `boot_id` in hexadecimal.
    package var bootID: String
    /// When it ends on CLOCK_BOOTTIME, in milliseconds; nil for no end.
    package var boottimeEnd: Int64?

    /// Begins now and lasts for a time, or without end.
    ///
    /// - Parameters:
    ///   - now: the moment of the request.
    ///   - length: in milliseconds; nil for no end.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
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

    /// Whether it is over; a time whose end does not parse never is.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: false also for one without end.
    package func isOver(at now: Moment, bootID: [UInt8]) -> Bool {
        guard let until else { return false }
        guard let end = WallTime(until), end <= now.wall else { return false }
        guard self.bootID == Self.name(bootID) else { return true }
        return boottimeEnd.map { $0 <= now.boottime } ?? false
    }

    /// The minimum time until it can be over.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: milliseconds; nil when it has no end.
    package func timeLeft(at now: Moment, bootID: [UInt8]) -> Int64? {
        guard let until, let wallEnd = WallTime(until) else { return nil }
        let wall = wallEnd.milliseconds - now.wall.milliseconds
        let isThisBoot = self.bootID == Self.name(bootID)
        let end = isThisBoot ? boottimeEnd ?? 0 : 0
        // The end in a damaged file may be any number.
        let (boot, isAbsurd) = end.subtractingReportingOverflow(now.boottime)
        return max(wall, isAbsurd ? 0 : boot, 0)
    }

    /// Whether it is over on either clock: for what must not last longer than was agreed.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - bootID: the kernel's `boot_id`, 16 bytes.
    /// - Returns: false for one without end.
    package func isOverOnEitherClock(at now: Moment, bootID: [UInt8]) -> Bool {
        guard let until else { return false }
        guard let end = WallTime(until), let begin = WallTime(since) else { return true }
        if now.wall >= end { return true }
        // In another boot only the wall clock is left, and one before the beginning was set back.
        guard self.bootID == Self.name(bootID) else { return now.wall < begin }
        return boottimeEnd.map { $0 <= now.boottime } ?? true
    }

    /// The one that ends later on both clocks; nil when there is neither.
    static func later(_ left: TimeLimit?, _ right: TimeLimit?) -> TimeLimit? {
        guard let left, let right else { return left ?? right }
        // A limit whose end is missing or does not parse never ends.
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
