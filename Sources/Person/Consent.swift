// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Events
import Glibc
package import Policy
import System

/// The notice that a person reads before consenting, and the conditions of a valid consent.
package enum Consent {
    /// What a person reads before anything is recorded; another text asks for consent again.
    ///
    /// - Parameter policy: what the administrator says and allows at most, if anything.
    /// - Returns: the text.
    package static func notice(under policy: ManagedPolicy?) -> String {
        policy.map { ownNotice + "\n" + $0.noticeSection } ?? ownNotice
    }

    /// The part of the notice that does not depend on the policy.
    private static let ownNotice = """
        mci records how you work with this desktop, as training data for AI models.

        What is recorded   Keyboard, mouse, pen and touch screen as the X server reports them: when keys
                           and buttons go down and up, how the pointer and fingers move, the pixel
                           of each click and touch, how wheels turn, how hard a pen presses, and
                           which application is in front.
                           For each device used: its name, maker, model and axes, no serial number;
                           for each monitor: its size and position. No picture of the screen, no
                           sound, and no window titles unless you choose so (mcictl set title on).
        How you see it     While it reads your input, a red disc stands in a corner of each monitor; a
                           red ring if the window in front is left out. It cannot be hidden: if it
                           cannot be seen, nothing is recorded.
        Which keys         Shortcuts, navigation and editing keys by name. Of what you write, only that
                           you typed, and from when to when in steps of five seconds: not which keys,
                           not how many, and not when each was pressed. It shows how long a text took.
                           You can choose less (mcictl set key-detail activity|off) or, after a
                           separate question and for eight hours, more (classes, full).
        What is left out   Password managers, password prompts, screen lockers, on-screen keyboards,
                           private windows of browsers, browsers that do not mark them (Chromium,
                           Chrome, Edge), viewers of other screens (VNC, RDP), and whatever you exempt
                           (mcictl exempt add): nothing of it is stored, from the moment you ask, and
                           you need no reason. The list: mcictl exclude list.
        Where it goes      Into a file on this computer, sealed to a key that only you hold. Nothing
                           is sent anywhere: the recorder has no network code.
        Who can read it    Anyone who has your identity file, and readers whom you add yourself
                           (mcictl key recipients). An administrator of this computer can read it too,
                           and so can anyone who copies your identity file while no passphrase
                           protects it (mcictl key protect). If you lose the identity file, or its
                           passphrase if you set one, what was recorded is lost.
        How long           Seven days, or until the file is full (64 MiB, about 24 working days);
                           then the oldest is overwritten. You can choose other limits (mcictl set)
                           and erase any of it at any time.
        What you can do    mcictl pause, mcictl exempt, mcictl log, mcictl forget, mcictl consent
                           --withdraw: at once, without a reason, and without asking anyone.

        """

    /// The hash of the notice to which a consent is bound.
    ///
    /// - Parameter policy: the policy in force; nil for none.
    /// - Returns: SHA-256 as 64 hexadecimal digits.
    package static func noticeHash(under policy: ManagedPolicy?) -> String {
        guard let policy else { return ownNoticeHash }
        return Hex.encode(SHA256.hash(data: Array(notice(under: policy).utf8)))
    }

    private static let ownNoticeHash = Hex.encode(SHA256.hash(data: Array(ownNotice.utf8)))

    /// Makes the receipt of a consent that the user of this process gives now.
    ///
    /// - Parameters:
    ///   - now: the time of the consent.
    ///   - recipients: the age public keys to which the data is sealed.
    ///   - deviceKey: the public half of the recorder's signing key, in hexadecimal.
    ///   - method: how the consent was given, in words.
    ///   - ring: the path of the ring.
    ///   - policy: the policy in force; nil for none.
    /// - Returns: the receipt.
    package static func receipt(
        at now: WallTime,
        recipients: [String],
        deviceKey: String,
        method: String,
        ring: String,
        under policy: ManagedPolicy? = nil
    ) -> Receipt {
        var random = SystemRandomNumberGenerator()
        let id = (0..<2).map { _ in String(UInt64.random(in: 0...(.max), using: &random), radix: 16)
        }
        var receipt = Receipt(
            recordId: id.joined(),
            piiPrincipal: userName(),
            userId: Int(getuid()),
            host: host,
            controller: policy?.controller ?? userName(),
            purpose: policy?.purpose ?? "training data for AI models",
            piiCategories: [
                "keyboard events", "pointer events", "positions on the screen", "input devices",
                "monitors", "application in front",
            ],
            storageLocation: ring,
            retention: "as set, seven days where nothing is; less when the ring is full",
            recipients: recipients,
            deviceKey: deviceKey,
            noticeHash: noticeHash(under: policy),
            collectionMethod: method,
            collectedAt: now.text
        )
        receipt.policyHash = policy?.hash
        return receipt
    }

    /// Whether a consent is for this user, this host, the current notice and policy, and this
    /// recorder.
    ///
    /// - Parameters:
    ///   - receipt: of the consent; nil for none.
    ///   - deviceKey: the public half of the recorder's signing key, in hexadecimal; nil when it
    ///     has none.
    ///   - policy: the policy in force; nil for none.
    /// - Returns: false also without a receipt or a key.
    package static func isValid(
        _ receipt: Receipt?,
        deviceKey: String?,
        under policy: ManagedPolicy? = nil
    ) -> Bool {
        guard let receipt, let deviceKey, receipt.deviceKey == deviceKey else { return false }
        return receipt.userId == Int(getuid()) && receipt.host == host
            && receipt.policyHash == policy?.hash
            && receipt.noticeHash == noticeHash(under: policy)
    }

    /// The name of the user of this process; the user id when the name is unknown.
    private static func userName() -> String {
        guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name else {
            return "\(getuid())"
        }
        return unsafe String(cString: name)
    }

    /// The machine id (machine-id(5)), or the host name when there is none.
    static let host: String = {
        let id =
            (try? Disk.read("/etc/machine-id")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = id.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.isEmpty ? CurrentProcess.hostName : line
    }()
}
