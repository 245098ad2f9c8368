// SPDX-License-Identifier: Apache-2.0

import Settings

/// What the person should know of files that were put back.
extension Workplace {
    /// Says that controls were put back, and what to do.
    ///
    /// - Parameter controls: as they count; nil where they cannot be read.
    func tellPutBack(_ controls: Controls?) {
        guard let putBack = controls?.putBack else { return }
        Terminal.tell("warning: \(putBack.description)")
        Terminal.tell("  What it leaves out still holds. Next: mcictl consent")
    }

    /// What `status` says besides, while there is no daemon to say it.
    var notices: [String] {
        let putBack = (try? ControlsFile(paths).read())?.putBack
        return [putBack?.description, AccountsFile(paths).find().fault?.description]
            .compactMap(\.self)
    }
}
