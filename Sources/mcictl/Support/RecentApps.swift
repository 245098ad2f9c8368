// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// The applications that were last in front, according to the recording.
enum RecentApps {
    /// How many are offered, and how far back to look.
    private static let most = 3
    private static let day: Int64 = 24 * 3_600_000

    /// The applications that were in front before the current one, which is this terminal.
    ///
    /// - Parameter installation: the one whose recording is read.
    /// - Returns: the latest first, each with the time at which it last came to the front.
    /// - Throws: a ``Failure`` if there is no recording, or it cannot be read.
    static func find(_ installation: Installation) throws -> [(app: String, time: WallTime)] {
        let now = installation.now.wall.milliseconds
        var last: [String: WallTime] = [:]
        var current = ""
        let timeline = try installation.timeline()
        let found = try timeline.read(now - day...now) { event in
            if case .focus(let app, _) = event.item.payload {
                current = app
                if !app.isEmpty { last[app] = event.time }
            }
            return true
        }
        warn(about: found)
        last[current] = nil
        return last.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(most)
            .map { ($0.key, $0.value) }
    }
}
