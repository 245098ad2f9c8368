// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// The applications that were in front last, as the recording tells.
enum RecentApps {
    /// How many are offered, and for how long back they are looked for.
    private static let most = 3
    private static let day: Int64 = 24 * 3_600_000

    /// The applications in front before the one that is now, which is the terminal of the question.
    ///
    /// - Parameter installation: where the recording is.
    /// - Returns: the latest first, each with the time at which it came to the front last.
    /// - Throws: a ``Failure`` where there is no recording, or it cannot be read.
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
