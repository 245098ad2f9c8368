// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Policy
import Signing
import System

/// A small JSON file that is only valid exactly as this recorder wrote it.
///
/// A rule that lost a letter still looks like a rule, and a changed number still looks like a
/// number. So the recorder signs the content, and the file must have the one encoding of that
/// content.
struct SignedJSON<Content: Codable>: Codable {
    let content: Content
    /// The public half of the signing key, in hexadecimal.
    let key: String
    /// The Ed25519 signature over the kind and the content's JSON, in hexadecimal.
    let signature: String

    /// Signs a content.
    ///
    /// - Parameters:
    ///   - content: of the file.
    ///   - kind: `controls` or `accounts`; it keeps one kind of file from passing for another.
    ///   - key: the recorder's signing key.
    /// - Throws: ``SettingsError`` `unwritable` when the signing library fails.
    init(_ content: Content, kind: String, signedBy key: DeviceKey) throws(SettingsError) {
        guard let signature = key.sign(Self.message(content, kind)) else {
            throw SettingsError(.unwritable, kind)
        }
        self.content = content
        self.key = key.verifier.text
        self.signature = Hex.encode(signature)
    }

    /// Parses a file.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - kind: the kind for which it was signed.
    /// - Returns: the content, with a valid signature of the key that it names, whoever owns that
    ///   key.
    /// - Throws: ``SettingsError`` `damaged` with the line.
    static func read(_ bytes: [UInt8], kind: String) throws(SettingsError) -> Self {
        let file: Self
        do {
            file = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw SettingsError(.damaged, kind, line: damagedLine(bytes, error))
        }
        guard let sound = JSONText.file(file) else { throw SettingsError(.damaged, kind) }
        guard sound == bytes else {
            throw SettingsError(.damaged, kind, line: differingLine(bytes, sound))
        }
        // Hexadecimal digits have two cases; the file must have lowercase.
        guard let verifier = DeviceVerifier(file.key), verifier.text == file.key,
            let signature = Hex.decode(file.signature), Hex.encode(signature) == file.signature,
            verifier.isValid(signature, of: message(file.content, kind))
        else {
            // The signature is in the last line but one.
            throw SettingsError(.damaged, kind, line: bytes.count { $0 == 0x0A } - 1)
        }
        return file
    }

    /// Whether this recorder signed it; nil, a recorder without a key, signed nothing.
    func isSigned(by verifier: DeviceVerifier?) -> Bool { verifier?.text == key }

    private static func message(_ content: Content, _ kind: String) -> [UInt8] {
        Array("mci-\(kind)/1\n".utf8) + canonicalJSON(content)
    }
}

/// The line in which a text first differs from the expected one, from 1; nil when they are equal.
func differingLine(_ text: [UInt8], _ sound: [UInt8]) -> Int? {
    let same = zip(text, sound).prefix { $0 == $1 }.count
    guard same < max(text.count, sound.count) else { return nil }
    return 1 + text.prefix(same).count { $0 == 0x0A }
}

/// The line of a text that is not JSON, or in which a value has the wrong type.
func damagedLine(_ bytes: [UInt8], _ error: any Error) -> Int? {
    let root: JSONText.Node
    do throws(JSONDefect) {
        root = try JSONText.read(bytes)
    } catch {
        return error.line
    }
    guard let path = (error as? DecodingError)?.path else { return nil }
    return path.reduce((node: root, line: root.line)) { position, step in
        if let index = step.intValue, case .array(let items) = position.node.value {
            return items.indices.contains(index) ? (items[index], items[index].line) : position
        }
        return position.node[step.stringValue].map { ($0, $0.line) } ?? position
    }.line
}

extension DecodingError {
    /// The keys that lead to the value that did not decode.
    fileprivate var path: [any CodingKey] {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath
        @unknown default: []
        }
    }
}
