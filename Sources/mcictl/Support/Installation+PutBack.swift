// SPDX-License-Identifier: Apache-2.0

import Person
import Signing

/// What the person should know of files that were put back.
extension Installation {
    /// Says that controls were put back, and what to do.
    ///
    /// - Parameter controls: as they count; nil where they cannot be read.
    func reportPutBack(_ controls: Controls?) {
        guard let putBack = controls?.putBack else { return }
        Terminal.report("warning: \(putBack.description)")
        Terminal.report("  What it leaves out still holds. Next: mcictl consent")
    }

    /// Makes the second copy of the high-water marks, in the folder where the daemon makes nothing.
    func makeMarks(_ key: DeviceKey) {
        do {
            try paths.highWater.make(key)
            raiseMarks()
        } catch {
            Terminal.report("warning: \(paths.highWater.inConfig) cannot be written (\(error)).")
            Terminal.report("  Of the marks that tell an older file there is one copy only.")
        }
    }

    /// Brings a copy of the marks up to date that is behind the other one or damaged: what the daemon
    /// has changed may not have reached the settings.
    func raiseMarks() {
        guard let key = DeviceKeyFile.read(paths.deviceKey) else { return }
        let found = paths.highWater.read(key.verifier)
        guard !found.behind.isEmpty || !found.damaged.isEmpty else { return }
        HighWaterKeeper(paths.highWater).raise(signedBy: key) { _ in }
    }

    /// What `status` says besides, while there is no daemon to say it.
    var notices: [String] {
        let putBack = (try? ControlsFile(paths).read())?.putBack
        return [putBack?.description, EventCountersFile(paths).find().fault?.description]
            .compactMap(\.self)
    }
}
