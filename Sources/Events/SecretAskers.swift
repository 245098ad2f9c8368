// SPDX-License-Identifier: Apache-2.0

/// The name of a program that asks for secrets on a terminal while it reads keys without showing them.
///
/// A `*` at the end stands for any text. Names are compared as the kernel keeps them, which is up to
/// ``kept`` bytes: of a longer one the rest makes no difference.
package struct SecretAsker: Hashable, Sendable, Redacted {
    /// The most bytes of a name, as of a file's.
    package static let longest = 255
    /// The bytes of a program's name that the kernel keeps (comm, proc(5)).
    package static let kept = 15

    /// As it was written.
    package let pattern: String
    /// What the kernel keeps of it.
    private let name: String
    private let isBeginning: Bool

    /// - Parameter pattern: a name; nil comes back for one with a ``defect(of:)``.
    package init?(_ pattern: String) {
        guard Self.defect(of: pattern) == nil else { return nil }
        self.pattern = pattern
        let name = Self.withoutStar(pattern)
        isBeginning = name.count < pattern.utf8.count
        self.name = String(decoding: name.prefix(Self.kept), as: UTF8.self)
    }

    /// Why no program can be named so, in one sentence; nil where one can.
    package static func defect(of pattern: String) -> String? {
        let name = withoutStar(pattern)
        let isBlank = pattern.unicodeScalars.allSatisfy {
            $0 == "*" || $0.properties.isWhitespace
        }
        if name.isEmpty || isBlank { return "The name of an asker is empty." }
        if name.contains(UInt8(ascii: "/")) {
            return "The name of an asker has no slash: it is the program's, without its folder."
        }
        if name.contains(UInt8(ascii: "*")) || name.contains(UInt8(ascii: "?")) {
            return "In the name of an asker a * may stand at the end only, and a ? nowhere."
        }
        if name.count > longest {
            return "The name of an asker is longer than \(longest) bytes."
        }
        let isShown = pattern.unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                $0.properties.generalCategory
            )
        }
        return isShown ? nil : "The name of an asker holds a character that cannot be shown."
    }

    private static func withoutStar(_ pattern: String) -> Substring.UTF8View.SubSequence {
        let bytes = pattern[...].utf8
        return bytes.last == UInt8(ascii: "*") ? bytes.dropLast() : bytes
    }

    /// Whether programs with other endings than the pattern's are named too, for the kernel cut it.
    package var isCut: Bool { Self.withoutStar(pattern).count > Self.kept }

    /// Whether a process is called so.
    ///
    /// - Parameter process: the name that the kernel keeps.
    /// - Returns: whether it is.
    package func matches(_ process: String) -> Bool {
        isBeginning
            ? process.utf8.starts(with: name.utf8) : process.utf8.elementsEqual(name.utf8)
    }
}

/// What counts as asking for a secret on a terminal.
package struct SecretAskers: Hashable, Sendable {
    /// Whether all counts that mci itself takes for a prompt; otherwise the programs in ``own`` alone do.
    package var includesDefaults = true
    /// The programs that the person and the policy name.
    package var own: Set<SecretAsker> = []

    package init() {}

    /// The programs that mci itself knows to ask for secrets while they read keys without showing them.
    ///
    /// ssh is not among them: it reads all that is typed on another host so, and its own prompts read
    /// lines.
    package static let names = [
        "sudo*", "su", "doas", "run0", "pkexec", "pkttyagent", "polkit-agent-*", "login", "passwd",
        "chpasswd", "gpasswd", "mkpasswd", "htpasswd", "smbpasswd", "kpasswd", "kinit", "pinentry*",
        "systemd-ask-pass*", "systemd-tty-ask*", "dialog", "cdialog", "whiptail", "gpg", "gpg2",
        "gpgsm",
        "gpg-*", "ssh-keygen", "ssh-add", "ssh-askpass*", "ssh-copy-id", "cryptsetup",
        "cryptsetup-*",
        "systemd-crypten*", "veracrypt*", "zulucrypt*", "tomb", "fscrypt", "gocryptfs", "encfs*",
        "ecryptfs*", "cryfs", "openssl", "age", "age-plugin-*", "rage", "keepassxc-cli", "kpcli",
        "pass",
        "gopass", "bw", "rbw*", "op", "lpass", "vault", "secret-tool", "ykman", "yubico*", "borg",
        "restic", "duplicity", "nmcli", "nmtui*", "wpa_passphrase", "smbclient", "mount.cifs",
        "certutil",
        "pk12util", "keytool", "mcictl",
    ]

    private static let known = names.compactMap { SecretAsker($0) }

    /// Whether a process is one of those that count.
    ///
    /// - Parameter process: the name that the kernel keeps.
    /// - Returns: whether it is.
    package func contains(_ process: String) -> Bool {
        own.contains { $0.matches(process) }
            || (includesDefaults && Self.known.contains { $0.matches(process) })
    }
}
