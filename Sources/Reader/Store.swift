// SPDX-License-Identifier: Apache-2.0

package import Release
import System

/// A release as a reader finds it in a folder: ciphertext and notes, nothing believed yet.
package struct StoredRelease: Sendable {
    /// The purpose of its grant.
    package let purpose: Signed<Purpose>
    /// Its grant.
    package let grant: Signed<Grant>
    /// The release, or the release from which the rows were derived.
    package let release: Signed<Release>
    /// The derived rows; nil for a release itself.
    package let derived: Signed<Derived>?
    /// The path of the sealed object.
    package let object: String

    /// The digest by which an opening names it.
    package var digest: String { derived?.digest ?? release.digest }
    /// The digest that the sealed object must have.
    package var objectDigest: String { derived?.content.object ?? release.content.object }
    /// The digest that the plaintext must have.
    package var plaintext: String { derived?.content.plaintext ?? release.content.plaintext }
}

/// A folder with releases, as the person's outbox has them; whatever carried it there holds no key.
package struct Store: Sendable {
    /// What cannot be used, and why.
    package struct Skipped: Sendable {
        /// The path of the note.
        package let path: String
        /// A sentence.
        package let reason: String
    }

    private let folder: String

    /// Names the folder.
    package init(_ folder: String) {
        self.folder = folder
    }

    /// The grants in the folder that ended: their ids with the orders to readers.
    package func erasures() -> [Signed<Erasure>] {
        grants().compactMap { id in
            let path = "\(folder)/\(id)"
            guard let bytes = try? Disk.read("\(path)/erasure.note"),
                let erasure = try? Signed<Erasure>(bytes),
                let grant = try? Signed<Grant>(Disk.read("\(path)/grant.note")),
                erasure.content.grant == grant.content.id,
                (try? erasure.verify(grant.content.key, of: "grant key")) != nil
            else { return nil }
            return erasure
        }
    }

    private func grants() -> [String] {
        (Disk.names(in: folder) ?? []).filter { Digest.isHex($0, 32) }.sorted()
    }

    /// Finds the releases for a purpose, and verifies their notes.
    ///
    /// - Parameter purpose: the purpose, verified.
    /// - Returns: the releases in the order of grants and numbers, and what cannot be used.
    /// - Throws: ``ReleaseError`` when the folder cannot be read.
    package func releases(
        for purpose: Signed<Purpose>
    ) throws(ReleaseError) -> (found: [StoredRelease], skipped: [Skipped]) {
        guard Disk.names(in: folder) != nil else {
            throw ReleaseError("The folder \(folder) cannot be read.")
        }
        var (found, skipped): ([StoredRelease], [Skipped]) = ([], [])
        for id in grants() {
            let path = "\(folder)/\(id)"
            let names = (Disk.names(in: path) ?? []).filter { $0.hasSuffix(".release") }.sorted()
            if names.isEmpty { continue }
            do throws(ReleaseError) {
                let own = try Signed<Purpose>(read("\(path)/purpose.note"))
                guard own.digest == purpose.digest else { continue }
                let grant = try Signed<Grant>(read("\(path)/grant.note"))
                try grant.verify(for: purpose)
                for name in names {
                    do throws(ReleaseError) {
                        found.append(try release("\(path)/\(name)", purpose, grant))
                    } catch {
                        skipped.append(Skipped(path: "\(path)/\(name)", reason: error.reason))
                    }
                }
            } catch {
                skipped.append(Skipped(path: path, reason: error.reason))
            }
        }
        return (found, skipped)
    }

    private func release(
        _ path: String,
        _ purpose: Signed<Purpose>,
        _ grant: Signed<Grant>
    ) throws(ReleaseError) -> StoredRelease {
        let release = try Signed<Release>(read(path))
        try release.verify(grant.content.key, of: "grant key")
        guard release.content.grant == grant.content.id else {
            throw ReleaseError("The release is of another grant.")
        }
        return StoredRelease(
            purpose: purpose,
            grant: grant,
            release: release,
            derived: nil,
            object: String(path.dropLast(".release".count)) + ".age"
        )
    }

    /// Finds derived rows in a folder that belong to releases of this store.
    ///
    /// - Parameters:
    ///   - rows: the folder, as a run wrote it.
    ///   - releases: what ``releases(for:)`` found.
    /// - Returns: the rows whose release is there.
    package static func derived(
        in rows: String,
        of releases: [StoredRelease]
    ) -> [StoredRelease] {
        let known = Dictionary(
            releases.map { ($0.release.digest, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return (Disk.names(in: rows) ?? []).sorted().compactMap { name in
            guard name.hasSuffix(".derived"), let bytes = try? Disk.read("\(rows)/\(name)"),
                let note = try? Signed<Derived>(bytes), let parent = known[note.content.parent]
            else { return nil }
            return StoredRelease(
                purpose: parent.purpose,
                grant: parent.grant,
                release: parent.release,
                derived: note,
                object: "\(rows)/\(name.dropLast(".derived".count)).age"
            )
        }
    }

    private func read(_ path: String) throws(ReleaseError) -> [UInt8] {
        do throws(FileError) {
            return try Disk.read(path)
        } catch {
            throw ReleaseError("\(path) cannot be read (\(error)).")
        }
    }
}
