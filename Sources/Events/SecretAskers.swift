// SPDX-License-Identifier: Apache-2.0

/// Programs that ask for secrets on a terminal, by the name of their process.
package enum SecretAskers {
    /// Those that ask for secrets while they read keys without showing them.
    ///
    /// A `*` at the end stands for any text. ssh is not among them: it reads all that is typed on another
    /// host so, and its own prompts read lines.
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

    /// Whether a process is one of those.
    package static func contains(_ name: String) -> Bool {
        names.contains { matches($0, name) }
    }

    /// The kernel keeps the first 15 bytes of a name.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        if pattern.hasSuffix("*") { return name.hasPrefix(pattern.dropLast().prefix(15)) }
        return name == pattern.prefix(15)
    }
}
