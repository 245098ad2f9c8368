// SPDX-License-Identifier: Apache-2.0

package import Events
package import Gate
import Policy

/// The person's choices about the recording.
package struct PersonSettings: Codable, Equatable, Sendable {
    /// The version of the file format, 1.
    package var schema = 1
    /// The raw value of a ``KeyDetail``.
    package var keyDetail = KeyDetail.shortcuts.rawValue
    /// Maximum size of all files of the ring in bytes; nil for ``defaultRingSize``.
    package var ringSize: Int?
    /// Seconds after which a batch is erased; nil for ``defaultRetention``.
    package var retention: Int?
    /// Free bytes of the disk below which nothing is recorded; nil for the default.
    ///
    /// The default is 500 MiB or 5 %, whichever is less.
    package var freeSpace: Int64?
    /// When the confirmation of `classes` or `full` ends, in RFC 3339; nil for other key details.
    package var keyDetailUntil: String?

    /// Milliseconds for which a confirmation of `classes` or `full` lasts: 8 hours.
    package static let confirmation: Int64 = 8 * 3_600_000

    /// The default size of the ring in bytes: 64 MiB, some 24 working days.
    package static let defaultRingSize = 64 << 20

    /// The default retention in seconds: seven days.
    package static let defaultRetention = 7 * 86_400

    /// Whether window titles are stored; nil for no.
    package var title: Bool?
    /// Whether keys that programs make are recorded like those of a keyboard; nil for no.
    package var syntheticKeys: Bool?

    /// The raw value of a ``MarkCorner``; nil for the default.
    package var markCorner: String?
    /// Whether the exact colours of the mark are looked for; nil for yes.
    package var markLook: Bool?

    /// Makes the defaults.
    package init() {}

    /// How the mark is shown and looked for.
    package var mark: MarkSettings {
        var mark = MarkSettings()
        if let corner = markCorner.flatMap({ MarkCorner(rawValue: $0) }) { mark.corner = corner }
        mark.isExact = markLook ?? true
        return mark
    }

    /// Limits the ring size and the retention to those of restrictions.
    ///
    /// - Parameter restrictions: of the policy.
    /// - Returns: the settings with the smaller values.
    package func within(_ restrictions: Restrictions) -> PersonSettings {
        var result = self
        if let limit = restrictions.ringSize {
            result.ringSize = max(min(bytes, limit), SettingRanges.ringSizes.lowerBound)
        }
        if let limit = restrictions.retention {
            result.retention = min(retention ?? Self.defaultRetention, limit)
        }
        return result
    }

    /// Maximum size of all files of the ring in bytes, chosen or default.
    package var bytes: Int { ringSize ?? Self.defaultRingSize }

    /// Milliseconds after which a batch is erased, chosen or default.
    package var retentionTime: Int64 { Int64(retention ?? Self.defaultRetention) * 1000 }

    /// The free space below which nothing is recorded.
    ///
    /// - Parameter whole: the size of the disk in bytes.
    /// - Returns: bytes.
    package func spaceFloor(ofWhole whole: Int64) -> Int64 {
        freeSpace ?? min(500 << 20, whole / 20)
    }

    /// Chooses a key detail; the confirmation of one that reveals text begins now.
    ///
    /// - Parameters:
    ///   - detail: the chosen key detail.
    ///   - now: the time of the choice.
    package mutating func choose(_ detail: KeyDetail, at now: WallTime) {
        keyDetail = detail.rawValue
        let end = WallTime(now.milliseconds + Self.confirmation)
        keyDetailUntil = detail.revealsText ? end.text : nil
    }

    /// The key detail in force.
    ///
    /// One that reveals text falls back to `shortcuts` when its confirmation has ended.
    ///
    /// - Parameter now: the time at which it is in force.
    /// - Returns: the key detail; `off` when the stored one is unknown.
    package func keyDetail(at now: WallTime) -> KeyDetail {
        guard let chosen = KeyDetail(stored: keyDetail) else { return .off }
        guard chosen.revealsText else { return chosen }
        // An end beyond the length of a confirmation means that the clock was set back.
        guard let until = keyDetailUntil.flatMap({ WallTime($0) }), now < until,
            until.milliseconds - now.milliseconds <= Self.confirmation
        else { return .shortcuts }
        return chosen
    }
}

/// The settings file, which `mcictl` writes and the daemon reads.
package struct SettingsFile: Sendable {
    /// Path of the file.
    package let path: String

    /// Uses the file at a path; it need not exist.
    ///
    /// - Parameter path: of the file.
    package init(_ path: String) {
        self.path = path
    }

    /// Reads the settings; without a file, they are the defaults.
    ///
    /// - Returns: the settings.
    /// - Throws: ``SettingsError`` when a file does not parse or has invalid values.
    package func read() throws(SettingsError) -> PersonSettings {
        let settings =
            try readJSON(path, named: "settings", \PersonSettings.schema) ?? PersonSettings()
        guard KeyDetail(stored: settings.keyDetail) != nil,
            settings.ringSize.map(SettingRanges.ringSizes.contains) ?? true,
            settings.retention.map(SettingRanges.retentions.contains) ?? true,
            settings.freeSpace.map({ $0 >= 0 }) ?? true,
            settings.markCorner.map({ MarkCorner(rawValue: $0) != nil }) ?? true
        else {
            throw SettingsError(.damaged, "settings")
        }
        return settings
    }

    /// Replaces the settings, on disk when this returns.
    ///
    /// - Parameter settings: the new settings.
    /// - Throws: ``SettingsError`` `unwritable`.
    package func write(_ settings: PersonSettings) throws(SettingsError) {
        try writeJSON(settings, path, named: "settings")
    }
}
