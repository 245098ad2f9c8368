// SPDX-License-Identifier: Apache-2.0

import Signing
package import System

extension Paths {
    /// The folders and files that the recorder trusts, and which nobody else may be able to change.
    ///
    /// None of them has to exist.
    private var trusted: [(path: String, kind: OwnPath.Kind)] {
        let folders = [state, runtime, config, config + "/public"]
        let rings = ["", "-wal", "-shm", ".head"].map { ring + $0 }
        let files = [controls, accounts, deviceKey, recipients, settings]
        let marks = [highWater.inState, highWater.inConfig]
        return folders.map { ($0, .folder) } + (rings + files + marks).map { ($0, .file) }
    }

    /// Files among the person's settings that the recorder overwrites; it creates none there.
    package var writtenInPlace: [String] { [highWater.inConfig] }

    /// The first of these folders and files that somebody else could change; nil when there is
    /// none.
    ///
    /// A path that this process may not examine is skipped, because the recorder does not see
    /// everything that `mcictl` sees.
    package var fault: OwnPath.Fault? {
        trusted.lazy.compactMap { OwnPath.fault($0.path, $0.kind) }.first
    }

    /// The first of these folders and files that others can read; nil when there is none.
    package var readableByOthers: String? {
        trusted.map(\.path).first { OwnPath.isReadableByOthers($0) }
    }
}
