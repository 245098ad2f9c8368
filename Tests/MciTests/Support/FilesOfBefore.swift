// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Person
import Signing
import System

/// Writes controls and accounts as the version before wrote them, without a signature.
enum FilesOfBefore {
    private struct OldControls: Encodable {
        var schema = 2
        var consent: Receipt?
        var pause: TimeLimit?
        var exemptions: [ExemptionRecord]
        var lastExemption: Int
        var exclusions: [Scope]
        var removedExclusions: [String]
        var only: [String]?
    }

    private struct Filed: Encodable {
        var controls: OldControls
        var digest: String
    }

    private struct OldAccounts: Encodable {
        var schema = 1
        var since: String
        var events: EventCounts
    }

    /// The bytes of a controls file.
    static func bytes(_ controls: Controls) throws -> [UInt8] {
        let old = OldControls(
            consent: controls.consent,
            pause: controls.pause,
            exemptions: controls.exemptions,
            lastExemption: controls.lastExemption,
            exclusions: controls.exclusions,
            removedExclusions: controls.removedExclusions,
            only: controls.only
        )
        let digest = SHA256.hash(data: try encoder.encode(old))
            .map { String(format: "%02x", $0) }.joined()
        return Array(try encoder.encode(Filed(controls: old, digest: digest))) + [0x0A]
    }

    /// Replaces the controls, and takes away what only this version writes.
    static func write(_ controls: Controls, _ paths: Paths) throws {
        try Disk.write(bytes(controls), to: paths.controls)
        let ring = ["", "-wal", "-shm", ".head"].map { paths.ring + $0 }
        for path in [paths.highWater.inState, paths.highWater.inConfig] + ring { Disk.remove(path) }
    }

    /// Replaces the accounts.
    static func write(_ events: EventCounts, since: String = "then", _ paths: Paths) throws {
        let bytes = Array(try encoder.encode(OldAccounts(since: since, events: events)))
        try Disk.write(bytes + [0x0A], to: paths.accounts)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
