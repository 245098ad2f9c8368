// SPDX-License-Identifier: Apache-2.0

package import Events
import Gate
package import Policy

extension Loosening {
    /// Lists what is in force and records more than the defaults, loosest first, and then the
    /// allowlist.
    ///
    /// - Parameters:
    ///   - controls: the person's rules.
    ///   - settings: the person's choices.
    ///   - policy: the policy in force, which may forbid some of them; nil for none.
    ///   - now: the time at which they are in force.
    /// - Returns: an entry for each.
    package static func all(
        _ controls: Controls,
        _ settings: PersonSettings,
        _ policy: ManagedPolicy?,
        at now: WallTime
    ) -> [Loosening] {
        var all: [Loosening] = []
        func add(_ name: String, _ value: String, _ words: String, _ undo: String) {
            all.append(Loosening(name: name, value: value, words: words, undo: undo))
        }
        let detail = min(settings.keyDetail(at: now), policy?.keyDetail ?? .full)
        if detail.revealsText {
            let words =
                detail == .full
                ? "Every key is recorded: what you type can be read back."
                : "The class and time of each key are recorded: anyone who has the text can recognise it."
            add("key-detail", detail.rawValue, words, "mcictl set key-detail shortcuts")
        }
        for exclusion in DefaultExclusion.all
        where controls.removedExclusions.contains(exclusion.name) {
            let words = "Recorded although left out by default: \(exclusion.summary)."
            add("exclusion", exclusion.name, words, "mcictl exclude add \(exclusion.name)")
        }
        if settings.title == true, policy?.titles != false {
            add("title", "on", "Window titles are stored.", "mcictl set title off")
        }
        if settings.syntheticKeys == true, policy?.syntheticKeys != false {
            let words = "Keys made by programs are recorded like those of a keyboard."
            add("synthetic-keys", "on", words, "mcictl set synthetic-keys off")
        }
        if !settings.mark.isExact {
            let words = "Of the mark on the screen, only two different colours are looked for."
            add("mark-look", "off", words, "mcictl set mark-look on")
        }
        let limits = settings.within(policy?.restrictions ?? Restrictions())
        if let retention = limits.retention, retention > PersonSettings.defaultRetention {
            let (kept, usual) = (
                Quantity.duration(retention), Quantity.duration(PersonSettings.defaultRetention)
            )
            let words = "The recording is kept for \(kept) instead of \(usual)."
            add("retention", kept, words, "mcictl set retention \(usual)")
        }
        if limits.bytes > PersonSettings.defaultRingSize {
            let (taken, usual) = (
                Quantity.size(limits.bytes), Quantity.size(PersonSettings.defaultRingSize)
            )
            let words = "The recording may use \(taken) of the disk instead of \(usual)."
            add("ring-size", taken, words, "mcictl set ring-size \(usual)")
        }
        if settings.freeSpace == 0 {
            let words = "The recording continues until the disk is full."
            add("free-space", "0", words, "mcictl set free-space 500M")
        }
        if let only = controls.only {
            let value = only.joined(separator: ", ")
            let words = "Only these applications are recorded: \(value)."
            add("only", value, words, "mcictl exclude only --all")
        }
        return all
    }
}
