// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate

/// What the person chose about the recording.
package struct PersonSettings: Codable, Equatable, Sendable {
    package var schema = 1
    /// The name of a ``KeyDetail``.
    package var keyDetail = KeyDetail.shortcuts.rawValue
    /// Bytes that a new ring may take; nil for ``defaultRingSize``.
    package var ringSize: Int?
    /// RFC 3339: when the confirmation of `full` ends.
    package var keyDetailUntil: String?

    /// How long a confirmation of `full` holds, in milliseconds.
    package static let confirmation: Int64 = 8 * 3_600_000

    /// 64 MiB: some 24 working days.
    package static let defaultRingSize = 64 << 20

    package init() {}

    /// The key detail in force; `full` falls back to `shortcuts` when its confirmation has ended.
    package func keyDetail(at now: WallTime) -> KeyDetail {
        guard let chosen = KeyDetail(rawValue: keyDetail) else { return .off }
        guard chosen == .full else { return chosen }
        // An end further away than any confirmation lasts comes from a clock that was set back.
        guard let until = keyDetailUntil.flatMap({ WallTime($0) }), now < until,
            until.milliseconds - now.milliseconds <= Self.confirmation
        else { return .shortcuts }
        return .full
    }
}

/// The settings file, written by `mcictl` and read by the daemon.
package struct SettingsFile: Sendable {
    package let path: String

    /// The file at a path; it need not exist.
    package init(_ path: String) {
        self.path = path
    }

    /// Reads the settings; a file that does not exist means the defaults.
    ///
    /// - Throws: ``SettingsError`` when there is a file that cannot be understood.
    package func read() throws(SettingsError) -> PersonSettings {
        let settings =
            try readJSON(path, named: "settings", \PersonSettings.schema) ?? PersonSettings()
        let sizes = 2 << 20...64 << 30
        guard KeyDetail(rawValue: settings.keyDetail) != nil,
            settings.ringSize.map(sizes.contains) ?? true
        else {
            throw SettingsError(.damaged, "settings")
        }
        return settings
    }

    /// Replaces the settings, on disk when this returns.
    ///
    /// - Throws: ``SettingsError`` `unwritable`.
    package func write(_ settings: PersonSettings) throws(SettingsError) {
        try writeJSON(settings, path, named: "settings")
    }
}
