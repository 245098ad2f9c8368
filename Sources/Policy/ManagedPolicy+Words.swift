// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

extension ManagedPolicy {
    /// The part of the consent notice that describes the policy; the notice ends with it.
    package var noticeSection: String {
        var rows = [
            ("Who asks", "\(controller). Contact: \(contact)"),
            ("What for", purpose),
        ]
        if let lawfulBasis {
            let live = " Nothing is recorded without your consent."
            let ground =
                switch lawfulBasis {
                case .consent: "Your consent."
                case .contract: "A contract with you." + live
                case .legitimateInterest: "A legitimate interest of theirs." + live
                }
            rows.append(("Legal basis", ground))
        }
        rows.append(("At most", limits))
        rows.append(("Never recorded", exclude.isEmpty ? "" : exclude.map(\.words).list))
        rows.append(
            (
                "Recorded only in",
                only.isEmpty ? "" : "Only the applications \(only.map(\.pattern).list)."
            )
        )
        if let pauseCap {
            let words = "One pause lasts at most \(Quantity.duration(pauseCap))."
            rows.append(("Pauses", "\(words) You can pause as often as you like."))
        }
        if !stewards.isEmpty {
            let names = stewards.map { "\($0.name) (key \($0.key.text.prefix(16))…)" }.list
            rows.append(
                (
                    "Exemptions",
                    "Yours hold from the moment you ask. They may be approved or refused by \(names)."
                )
            )
        }
        rows.append(("Releases", releaseWords))
        rows.append(("Note from them", notice ?? ""))
        let lines = rows.filter { !$0.1.isEmpty }.map { Self.row($0, $1) }
        return "The policy of this computer says:\n\n" + lines.joined(separator: "\n") + "\n"
    }

    /// What may be released, in words; nothing leaves without the person's own grant in any case.
    private var releaseWords: String {
        if releases == false { return "Nothing recorded may be released to anybody." }
        guard !purposes.isEmpty else { return "" }
        let names = purposes.map { "\($0.authority.prefix { $0 != "+" })" }.list
        return "Only for purposes signed by \(names), and only if you grant them."
    }

    /// The limits of the policy in words.
    private var limits: String {
        var parts: [String] = []
        if let keyDetail { parts.append("keys as in “\(keyDetail.rawValue)” (\(keyDetail.words))") }
        if let retention { parts.append("kept for \(Quantity.duration(retention))") }
        if let ringSize { parts.append("\(Quantity.size(ringSize)) of the disk") }
        if titles == false { parts.append("no window titles") }
        if syntheticKeys == false {
            parts.append("for keys made by programs, only that there were some")
        }
        if companion == true {
            parts.append("nothing is recorded unless the companion runs, which knows of locks")
        }
        if parts.isEmpty { return "" }
        return parts.joined(separator: "; ") + ". You can choose less (mcictl set)."
    }

    /// A label and its text, wrapped like the notice.
    private static func row(_ label: String, _ text: String) -> String {
        let margin = String(repeating: " ", count: 19)
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                if !line.isEmpty, line.count + 1 + word.count > 77 {
                    lines.append(line)
                    line = ""
                }
                line += line.isEmpty ? word : " " + word
            }
            lines.append(line)
        }
        let text = lines.map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
        return label + text.dropFirst(label.count)
    }
}

extension Rule {
    /// The conditions of the rule in words, such as `application org.keepassxc.*, title *Bank*,
    /// Mon-Fri`.
    package var words: String {
        var parts: [String] = []
        if let app { parts.append("application \(app.pattern)") }
        if let title { parts.append("title \(title.pattern)") }
        if let device { parts.append("device \(device.pattern)") }
        if let asker { parts.append("prompts of the program \(asker.pattern)") }
        if atSecretPrompts { parts.append("prompts for secrets") }
        if parts.isEmpty { parts.append("everything") }
        if let during { parts.append(during.text) }
        return parts.joined(separator: ", ")
    }
}

extension KeyDetail {
    /// What the level records, in a few words.
    fileprivate var words: String {
        switch self {
        case .off: "none"
        case .activity: "when there were keys, but not which"
        case .shortcuts: "shortcuts; for text only when it was typed"
        case .classes: "the class and time of each key"
        case .full: "what you write can be read back"
        }
    }
}

extension [String] {
    fileprivate var list: String { joined(separator: "; ") }
}
