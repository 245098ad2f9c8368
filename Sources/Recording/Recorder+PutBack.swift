// SPDX-License-Identifier: Apache-2.0

import Logging
import Person
import System

/// Older copies of files: they never allow more than the newest state did.
extension Recorder {
    /// Reads the controls.
    ///
    /// From an older copy only what is stricter counts, combined with what is stricter in the
    /// controls in force.
    ///
    /// - Throws: ``SettingsError`` when a file is not exactly as mci wrote it; the controls in
    ///   force stay.
    func readControls() throws(SettingsError) {
        let first = try controlsFile.find()
        guard first.isPutBack || first.isOfBefore else {
            controls = first.controls
            return
        }
        guard first.hasKey || first.isOfBefore else {
            // Write nothing: the key may come back, and with it the newest controls.
            keepToStricter(first.controls)
            return forgetControls()
        }
        do throws(SettingsError) {
            let lock = try controlsFile.lock(patience: LockPatience.unasked)
            try readControlsAgain()
            _ = consume lock
        } catch {
            switch error.code {
            case .locked:
                // Use what was found, and look again later.
                if first.isPutBack {
                    keepToStricter(first.controls)
                } else {
                    controls = first.controls
                }
                forgetControls()
            case .unwritable: try readControlsAgain()
            default: throw error
            }
        }
    }

    /// Reads controls that are an older copy or of the previous version, and writes what counts of
    /// them.
    private func readControlsAgain() throws(SettingsError) {
        // Another process may have written the newest controls meanwhile.
        let found = try controlsFile.find()
        if found.isPutBack {
            keepToStricter(found.controls)
        } else {
            controls = found.controls
        }
        guard found.isPutBack || found.isOfBefore else { return }
        do {
            controls = try controlsFile.write(controls)
            if found.isPutBack { unwritten = nil }
            noteControls()
        } catch {
            if found.isPutBack { unwritten = controls }
            return
        }
        if found.isOfBefore {
            environment.log.notice("Controls of the previous version were adopted")
        }
    }

    /// Ends the consent, and combines the found controls with the ones in force to the stricter of
    /// both.
    private func keepToStricter(_ found: Controls) {
        let known = controls.putBack
        controls = controls.stricter(found)
        controls.consent = nil
        controls.putBack = found.putBack
        guard let putBack = found.putBack, putBack != known else { return }
        environment.log.warning(
            "Controls were put back",
            metadata: [
                "kind": "\(putBack.kind.rawValue)",
                "number": "\(putBack.number)",
                "last-seen": "\(putBack.lastSeen)",
            ]
        )
    }

    /// Reads the counters of earlier runs.
    ///
    /// A damaged file is set aside, and one that counted keys is erased.
    func readAccounts() {
        (accounts, accountsFault) = accountsFile.find()
        defer { accountsSeen = Disk.fingerprint(environment.paths.accounts) }
        guard let accountsFault else { return }
        var metadata: Logger.Metadata = [:]
        switch accountsFault {
        case .damaged:
            accountsFile.setAside()
            metadata["cause"] = "damaged"
        case .missing: metadata["cause"] = "missing"
        case .countsKeys:
            accountsFile.erase()
            environment.log.notice(
                "The accounts of an earlier version counted keys and were dropped"
            )
            return
        case .older(let number, let lastSeen):
            metadata = [
                "cause": "older", "number": "\(number)", "last-seen": "\(lastSeen)",
            ]
        }
        environment.log.warning(
            "The accounts file is not the one last written",
            metadata: metadata
        )
    }
}
