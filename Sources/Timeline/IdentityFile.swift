// SPDX-License-Identifier: Apache-2.0

/// What an identity file holds: keys in the open, or keys behind a passphrase.
///
/// A protected one is what `age -p` makes of an identity file, binary or as text, so that
/// `age -d -i` takes it too.
package enum IdentityFile: Sendable {
    case plain([Identity])
    case protected(AgeFile)

    /// Looks at a file's bytes; nil when there is no key in them.
    ///
    /// - Parameter bytes: the whole file.
    /// - Throws: ``AgeError`` for an age file that is damaged or sealed to keys.
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
