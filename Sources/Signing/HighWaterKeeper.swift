// SPDX-License-Identifier: Apache-2.0

/// The high-water marks as one process knows them, shared by everything in it that raises them.
///
/// It remembers what this process has seen, so that a running recorder notices an older file even
/// where both copies of the marks were put back with it. No number is ever lowered: what another
/// process has raised meanwhile is read before each writing. A file that is ahead of its mark, as
/// after two processes wrote the marks at once, raises the mark when it is read.
package final class HighWaterKeeper {
    /// The two copies on disk.
    package let files: HighWaterFiles
    /// The highest numbers known, of the files and of this process.
    package private(set) var marks = HighWaterMarks()

    /// Knows nothing until ``look(_:)``.
    package init(_ files: HighWaterFiles) {
        self.files = files
    }

    /// Takes over what the copies on disk know.
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
    ///   - key: the recorder's.
    ///   - readsFirst: whether what another process has raised meanwhile is taken over before, which costs
    ///     two checks of a signature.
    ///   - change: sets the new numbers; lower ones change nothing. A new ring's id counts together
    ///     with a higher count of writings.
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
