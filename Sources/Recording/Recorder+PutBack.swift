// SPDX-License-Identifier: Apache-2.0

import Logging
import Person
import System

/// Files that were put back: an older state of them never allows more than the newest one did.
extension Recorder {
    /// Reads the controls; of those that were put back only what is stricter counts, together with
    /// what is stricter in those that are in force here.
    ///
    /// - Throws: ``SettingsError`` when there is a file that is not just as mci wrote it; what is in
    ///   force here stays.
    func readControls() throws(SettingsError) {
        let first = try controlsFile.find()
        guard first.isPutBack || first.isOfBefore else {
            controls = first.controls
            return
        }
        guard first.hasKey || first.isOfBefore else {
            // Nothing is written: the key may come back, and with it the newest controls.
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
                // What was found holds, and is looked at again.
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

    /// Reads the controls that were put back, or are of the version before, and writes what counts of
    /// them.
    private func readControlsAgain() throws(SettingsError) {
        // Somebody may have written the newest ones meanwhile.
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
            environment.log.notice("The controls of the version before were taken over")
        }
    }

    /// Ends the consent, and adds what was found to what is left out.
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

    /// Reads what was counted in the runs before; what cannot be trusted is kept aside.
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
            "The accounts are not as they were written last",
            metadata: metadata
        )
    }
}
