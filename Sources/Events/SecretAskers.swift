// SPDX-License-Identifier: Apache-2.0

/// The name of a program that asks for secrets on a terminal while it reads keys without echo.
///
/// A final `*` matches any ending. Names are compared as the kernel keeps them, which is up to
/// ``kept`` bytes: the rest of a longer name is ignored.
package struct SecretAsker: Hashable, Sendable, Redacted {
    /// Maximum bytes of a name; the limit for a file name (NAME_MAX).
    package static let maxBytes = 255
    /// Bytes of a process name that the kernel keeps (`comm`, proc(5)).
    package static let kept = 15

    /// The pattern as it was written.
    package let pattern: String
    /// The part of the name that the kernel keeps, without the star.
    private let name: String
    private let isBeginning: Bool

    /// Creates a pattern; nil if it has a ``defect(of:)``.
    package init?(_ pattern: String) {
        guard Self.defect(of: pattern) == nil else { return nil }
        self.pattern = pattern
        let name = Self.withoutStar(pattern)
        isBeginning = name.count < pattern.utf8.count
        self.name = Self.kept(String(name) ?? "")
    }

    /// What the kernel would keep of a name.
    package static func kept(_ name: String) -> String {
        String(decoding: name.utf8.prefix(kept), as: UTF8.self)
    }

    /// Describes why a pattern is invalid, in one sentence; nil if it is valid.
    package static func defect(of pattern: String) -> String? {
        let name = withoutStar(pattern)
        let isBlank = pattern.unicodeScalars.allSatisfy {
            $0 == "*" || $0.properties.isWhitespace
        }
        if name.isEmpty || isBlank { return "The name of an asker is empty." }
        if name.contains(UInt8(ascii: "/")) {
            return
                "The name of an asker must not contain a slash: give the program's name without its folder."
        }
        if name.contains(UInt8(ascii: "*")) || name.contains(UInt8(ascii: "?")) {
            return "The name of an asker may end in *, but contain no other * and no ?."
        }
        if name.count > maxBytes {
            return "The name of an asker is longer than \(maxBytes) bytes."
        }
        let isShown = pattern.unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                $0.properties.generalCategory
            )
        }
        return isShown ? nil : "The name of an asker contains a character that cannot be shown."
    }

    private static func withoutStar(_ pattern: String) -> Substring.UTF8View.SubSequence {
        let bytes = pattern[...].utf8
        return bytes.last == UInt8(ascii: "*") ? bytes.dropLast() : bytes
    }

    /// Whether the kernel's truncation makes the pattern match programs with other endings too.
    package var isCut: Bool { Self.withoutStar(pattern).count > Self.kept }

    /// Whether a process has a matching name.
    ///
    /// - Parameter process: The process name as the kernel keeps it.
    /// - Returns: Whether the name matches.
    package func matches(_ process: String) -> Bool {
        isBeginning
            ? process.utf8.starts(with: name.utf8) : process.utf8.elementsEqual(name.utf8)
    }
}

/// The programs that are treated as asking for a secret on a terminal.
package struct SecretAskers: Hashable, Sendable {
    /// Whether the built-in rules apply; otherwise only the programs in ``own`` are treated so.
    package var includesDefaults = true
    /// The programs that the person and the policy add.
    package var own: Set<SecretAsker> = []

    /// Creates the default: the built-in rules and no further programs.
    package init() {}

    /// Programs known to ask for secrets while they read keys without echo.
    ///
    /// ssh is absent: it reads everything typed on the remote host that way, and its own prompts
    /// read lines.
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

    /// Whether a process is treated as asking for a secret.
    ///
    /// - Parameter process: The process name as the kernel keeps it.
    /// - Returns: Whether it is treated so.
    package func contains(_ process: String) -> Bool {
        own.contains { $0.matches(process) }
            || (includesDefaults && Self.known.contains { $0.matches(process) })
    }
}
