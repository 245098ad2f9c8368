// SPDX-License-Identifier: Apache-2.0

import Signing
package import System

extension Paths {
    /// The folders that must be this user's own, and the files in them that the recorder trusts; none
    /// has to exist.
    private var trusted: [(path: String, kind: OwnPath.Kind)] {
        let folders = [state, runtime, config, config + "/public"]
        let rings = ["", "-wal", "-shm", ".head"].map { ring + $0 }
        let files = [controls, accounts, deviceKey, recipients, settings]
        let marks = [highWater.inState, highWater.inConfig]
        return folders.map { ($0, .folder) } + (rings + files + marks).map { ($0, .file) }
    }

    /// The files of the settings that the recorder writes; it makes nothing there.
    package var writtenInPlace: [String] { [highWater.inConfig] }

    /// The first of the folders and files that somebody else could change; nil where all is well.
    ///
    /// What this process may not look at is passed over: the recorder does not see everything that
    /// `mcictl` sees.
    package var fault: OwnPath.Fault? {
        trusted.lazy.compactMap { OwnPath.fault($0.path, $0.kind) }.first
    }

    /// The first of them that others may read; nil where there is none.
    package var readableByOthers: String? {
        trusted.map(\.path).first { OwnPath.isReadableByOthers($0) }
    }
}
