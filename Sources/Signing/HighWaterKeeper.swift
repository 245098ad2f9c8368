// SPDX-License-Identifier: Apache-2.0

/// The high-water marks as one process knows them, shared by everything in it that raises them.
///
/// It remembers what this process has seen. So a running recorder notices an older file even when
/// both copies of the marks were restored with it. No mark is ever lowered: marks that another
/// process has raised are read before each write. A file can be ahead of its mark when two
/// processes wrote the marks at once; reading the file then raises the mark.
package final class HighWaterKeeper {
    /// The two copies on disk.
    package let files: HighWaterFiles
    /// The highest numbers known to the files and to this process.
    package private(set) var marks = HighWaterMarks()

    /// Makes a keeper that knows nothing until ``look(_:)``.
    ///
    /// - Parameter files: the two copies on disk.
    package init(_ files: HighWaterFiles) {
        self.files = files
    }

    /// Reads the copies on disk and raises the marks to theirs.
    ///
    /// - Parameter verifier: of the recorder's key; without one nothing in them counts.
    /// - Returns: what was found there.
    @discardableResult
    package func look(_ verifier: DeviceVerifier?) -> HighWaterFiles.Found {
        let found = files.read(verifier)
        marks.raise(to: found.marks)
        return found
    }

    /// Raises marks and writes both copies, without waiting for the disk.
    ///
    /// - Parameters:
    ///   - key: the recorder's signing key.
    ///   - readsFirst: whether to read first what another process has raised, which costs two
    ///     signature checks.
    ///   - change: sets the new numbers; lower ones have no effect. A new ring's id needs a higher
    ///     count of writings to take effect.
    package func raise(
        signedBy key: DeviceKey,
        readsFirst: Bool = true,
        _ change: (inout HighWaterMarks) -> Void
    ) {
        if readsFirst { look(key.verifier) }
        var raised = marks
        change(&raised)
        marks.raise(to: raised)
        files.write(marks, key)
    }
}
