// SPDX-License-Identifier: Apache-2.0

import Crypto
import System

extension ManagedPolicy {
    /// Parses a policy.
    ///
    /// - Parameters:
    ///   - bytes: of its file, in JSON.
    ///   - path: the file's name in errors.
    /// - Throws: ``PolicyError`` with all defects.
    package init(_ bytes: [UInt8], path: String) throws(PolicyError) {
        let root: JSONText.Node
        do throws(JSONDefect) {
            root = try JSONText.read(bytes)
        } catch {
            throw PolicyError(path, [error])
        }
        var reader = PolicyReader()
        let policy = reader.policy(root, hash: Self.hash(of: bytes))
        guard let policy, reader.defects.isEmpty else {
            throw PolicyError(path, reader.defects.sorted { $0.line < $1.line })
        }
        self = policy
    }

    /// The hash to which a consent is bound: SHA-256 of the file.
    ///
    /// - Parameter bytes: of the file.
    /// - Returns: 64 hexadecimal digits.
    package static func hash(of bytes: [UInt8]) -> String {
        Hex.encode(SHA256.hash(data: bytes))
    }

    /// The keys of a policy file, in the order of the documentation.
    package static let keys = [
        "schema", "purpose", "controller", "contact", "lawfulBasis", "notice", "keyDetail",
        "retention", "ringSize", "titles", "syntheticKeys", "pauseCap", "companion", "exclude",
        "only", "stewards", "releases", "purposes",
    ]
}
