// SPDX-License-Identifier: Apache-2.0

import Person
import Signing

/// What the person should know about files that were put back.
extension Installation {
    /// Says that controls were put back, and what to do.
    ///
    /// - Parameter controls: the ones in force; nil if they cannot be read.
    func reportPutBack(_ controls: Controls?) {
        guard let putBack = controls?.putBack else { return }
        Terminal.report("warning: \(putBack.description)")
        Terminal.report("  Whatever it leaves out is still left out. Next: mcictl consent")
    }

    /// Makes the second copy of the high-water marks, in the folder where the daemon creates no files.
    func makeMarks(_ key: DeviceKey) {
        do {
            try paths.highWater.make(key)
            raiseMarks()
        } catch {
            Terminal.report("warning: \(paths.highWater.inConfig) cannot be written (\(error)).")
            Terminal.report("  So there is only one copy of the marks that reveal an older file.")
        }
    }

    /// Updates a copy of the marks that is behind the other one or damaged: the daemon may not have been
    /// able to write the copy beside the settings.
    func raiseMarks() {
        guard let key = DeviceKeyFile.read(paths.deviceKey) else { return }
        let found = paths.highWater.read(key.verifier)
        guard !found.behind.isEmpty || !found.damaged.isEmpty else { return }
        HighWaterKeeper(paths.highWater).raise(signedBy: key) { _ in }
    }

    /// The notices of `status` when there is no daemon to report them.
    var notices: [String] {
        let putBack = (try? ControlsFile(paths).read())?.putBack
        return [putBack?.description, EventCountersFile(paths).find().fault?.description]
            .compactMap(\.self)
    }
}
