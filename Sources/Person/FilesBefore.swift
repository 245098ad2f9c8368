// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Policy
import Signing
import System

/// The files of the previous version of mci, whose controls had no signature.
///
/// They are taken over once: after the first file that this version writes, an unsigned file is an
/// older copy. Counters are not taken over, because they counted each key.
struct FilesBefore {
    /// Returns nil after this version has written marks, or a ring with its head.
    init?(_ paths: Paths) {
        guard !paths.highWater.exist, !Self.hasNewHead(paths.ringHead) else { return nil }
    }

    /// Whether the ring's head has the version that signs controls.
    ///
    /// One of its records may still be empty.
    private static func hasNewHead(_ path: String) -> Bool {
        guard let bytes = try? Disk.read(path) else { return false }
        let intro = Array("MCIHEAD3".utf8)
        return bytes.starts(with: intro) || bytes.dropFirst(bytes.count / 2).starts(with: intro)
    }
}

/// Controls of schema 2, with the SHA-256 of their JSON.
struct ControlsBefore: Codable {
    private var schema: Int
    private var consent: Receipt?
    private var pause: TimeLimit?
    private var exemptions: [ExemptionRecord]
    private var lastExemption: Int
    private var exclusions: [Scope]
    private var removedExclusions: [String]
    private var only: [String]?

    private struct Filed: Codable {
        var controls: ControlsBefore
        var digest: String
    }

    /// Parses a file.
    ///
    /// - Returns: the controls; nil when the file has another format.
    /// - Throws: ``SettingsError`` `damaged` when it is not exactly as the previous version wrote
    ///   it.
    static func read(_ bytes: [UInt8]) throws(SettingsError) -> Controls? {
        var filed: Filed
        do {
            filed = try JSONDecoder().decode(Filed.self, from: Data(bytes))
        } catch {
            guard (try? JSONText.read(bytes))?["digest"] != nil else { return nil }
            throw SettingsError(.damaged, "controls", line: damagedLine(bytes, error))
        }
        guard let json = JSONText.file(filed.controls) else {
            throw SettingsError(.damaged, "controls")
        }
        filed.digest = Hex.encode(SHA256.hash(data: json.dropLast()))
        let controls = filed.controls.controls
        guard let sound = JSONText.file(filed), sound == bytes, filed.controls.schema == 2,
            (try? controls.restrictions()) != nil
        else {
            let line = JSONText.file(filed).flatMap { differingLine(bytes, $0) }
            throw SettingsError(.damaged, "controls", line: line)
        }
        return controls
    }

    private var controls: Controls {
        var new = Controls()
        (new.consent, new.pause) = (consent, pause)
        (new.exemptions, new.lastExemption) = (exemptions, lastExemption)
        (new.exclusions, new.removedExclusions, new.only) = (exclusions, removedExclusions, only)
        return new
    }
}

/// Counters of schema 1.
struct EventCountersBefore: Codable {
    private var schema: Int
    private var since: String
    private var events: EventCounts

    /// Whether a file contains such counters, and they add up.
    static func areIn(_ bytes: [UInt8]) -> Bool {
        guard let old = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
            return false
        }
        return old.schema == 1 && old.events.addsUp
    }
}
