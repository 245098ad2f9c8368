// SPDX-License-Identifier: Apache-2.0

/// The content of an identity file: keys in plain text, or keys protected by a passphrase.
///
/// A protected file is what `age -p` makes of an identity file, binary or armored, so that `age -d
/// -i` accepts it, too.
package enum IdentityFile: Sendable {
    /// Keys in plain text.
    case plain([Identity])
    /// An age file whose plaintext is an identity file, sealed to a passphrase.
    case protected(AgeFile)

    /// Recognises a file; nil when it contains no key.
    ///
    /// - Parameter bytes: the whole file.
    /// - Throws: ``AgeError`` for an age file that is damaged or not sealed to a passphrase.
    package init?(_ bytes: [UInt8]) throws(AgeError) {
        let isArmored = Armor.isArmored(bytes)
        if isArmored || bytes.starts(with: Array("age-encryption.org/".utf8)) {
            let file = try AgeFile(isArmored ? Armor.decode(bytes) : bytes)
            guard file.isProtected else { throw AgeError(.noMatch) }
            self = .protected(file)
        } else {
            guard let keys = Identity.list(String(decoding: bytes, as: UTF8.self)) else {
                return nil
            }
            self = .plain(keys)
        }
    }
}
