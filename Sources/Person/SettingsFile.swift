// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate
import Policy

/// What the person chose about the recording.
package struct PersonSettings: Codable, Equatable, Sendable {
    package var schema = 1
    /// The name of a ``KeyDetail``.
    package var keyDetail = KeyDetail.shortcuts.rawValue
    /// Bytes that all files of the ring may take; nil for ``defaultRingSize``.
    package var ringSize: Int?
    /// Seconds after which what was recorded is erased; nil for ``defaultRetention``.
    package var retention: Int?
    /// Free bytes of the disk below which nothing is recorded; nil for 500 MiB or 5 %, whichever is
    /// less.
    package var freeSpace: Int64?
    /// RFC 3339: when the confirmation of `classes` or `full` ends.
    package var keyDetailUntil: String?

    /// How long a confirmation of `classes` or `full` holds, in milliseconds.
    package static let confirmation: Int64 = 8 * 3_600_000

    /// 64 MiB: some 24 working days.
    package static let defaultRingSize = 64 << 20

    /// Seven days, in seconds.
    package static let defaultRetention = 7 * 86_400

    /// Whether the titles of windows are stored; nil for no.
    package var title: Bool?
    /// Whether keys that programs make are recorded as those of a keyboard; nil for no.
    package var syntheticKeys: Bool?

    package init() {}

    /// The settings as far as restrictions leave them.
    package func within(_ restrictions: Restrictions) -> PersonSettings {
        var result = self
        if let most = restrictions.ringSize {
            result.ringSize = max(min(bytes, most), SettingRanges.ringSizes.lowerBound)
        }
        if let longest = restrictions.retention {
            result.retention = min(retention ?? Self.defaultRetention, longest)
        }
        return result
    }

    /// Bytes that all files of the ring may take.
    package var bytes: Int { ringSize ?? Self.defaultRingSize }

    /// Milliseconds after which what was recorded is erased.
    package var retentionTime: Int64 { Int64(retention ?? Self.defaultRetention) * 1000 }

    /// Free bytes below which nothing is recorded, on a disk of so many bytes.
    package func spaceFloor(ofWhole whole: Int64) -> Int64 {
        freeSpace ?? min(500 << 20, whole / 20)
    }

    /// Chooses a key detail; the confirmation of one that tells of text begins now.
    package mutating func choose(_ detail: KeyDetail, at now: WallTime) {
        keyDetail = detail.rawValue
        let end = WallTime(now.milliseconds + Self.confirmation)
        keyDetailUntil = detail.revealsText ? end.text : nil
    }

    /// The key detail in force; what tells of text falls back to `shortcuts` when its confirmation has
    /// ended.
    package func keyDetail(at now: WallTime) -> KeyDetail {
        guard let chosen = KeyDetail(stored: keyDetail) else { return .off }
        guard chosen.revealsText else { return chosen }
        // An end further away than any confirmation lasts comes from a clock that was set back.
        guard let until = keyDetailUntil.flatMap({ WallTime($0) }), now < until,
            until.milliseconds - now.milliseconds <= Self.confirmation
        else { return .shortcuts }
        return chosen
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
        guard KeyDetail(stored: settings.keyDetail) != nil,
            settings.ringSize.map(SettingRanges.ringSizes.contains) ?? true,
            settings.retention.map(SettingRanges.retentions.contains) ?? true,
            settings.freeSpace.map({ $0 >= 0 }) ?? true
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
