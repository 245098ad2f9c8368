// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Person
import Policy

/// What the person should see first: what is recorded beyond the defaults, and who can read it.
extension Installation {
    /// What is looser than the defaults, in sentences, loosest first.
    ///
    /// - Parameter controls: the person's rules.
    /// - Returns: nothing if settings or policy cannot be read, because then nothing is recorded.
    func loosened(_ controls: Controls) -> [String] { loosenings(controls).map(Self.line) }

    /// The same, for JSON.
    func loosenings(_ controls: Controls) -> [Loosening] {
        guard let settings = try? SettingsFile(paths.settings).read(),
            let policy = try? paths.policy.read() as ManagedPolicy??
        else { return [] }
        return Loosening.all(controls, settings, policy, at: now.wall)
    }

    /// One of them with the command that undoes it.
    static func line(_ loosening: Loosening) -> String {
        Terminal.printable("\(loosening.words) Undo: \(loosening.undo)")
    }

    /// Who can read what is recorded from now on, in words.
    ///
    /// - Parameter recipients: the public keys that new batches are sealed to.
    /// - Returns: the end of a sentence; "your identity only" only if that is certain.
    func readersInWords(_ recipients: [String]) -> String {
        guard !recipients.isEmpty else { return "by nobody: there is no key yet" }
        func short(_ keys: [String]) -> String {
            keys.map { $0.count > 16 ? "\($0.prefix(12))…" : $0 }.joined(separator: ", ")
        }
        guard let own = ownKeys else {
            let keys = TimeText.count(recipients.count, "key", "keys")
            return "with \(keys) (\(short(recipients))) · whose: mcictl key show --open"
        }
        let others = recipients.filter { !own.contains($0) }
        if others.isEmpty { return "with your identity only" }
        let keys = TimeText.count(others.count, "key that is", "keys that are")
        let mine =
            others.count < recipients.count ? "with your identity and" : "NOT with yours, but"
        return "\(mine) with \(keys) not yours (\(short(others))) · mcictl key show"
    }
}
