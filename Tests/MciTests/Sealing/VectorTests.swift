// SPDX-License-Identifier: Apache-2.0

import CZlib
import Crypto
import Foundation
import Testing
import Timeline

/// The C2SP/CCTV vectors of the age format, which lie beside the project and not in it.
@Suite struct VectorTests {
    @Test(
        .enabled(if: vectorsExist, "the CCTV vectors are not beside the project"),
        arguments: vectorNames
    )
    func `each age test vector is judged as the standard says`(name: String) throws {
        let vector = try Vector(named: name)
        // Post-quantum identities, and what is sealed to them, are not mci's yet.
        if vector.isHybrid { return #expect(name.contains("hybrid")) }
        #expect(try vector.verdict() == vector.expect)
    }

    @Test(.enabled(if: vectorsExist, "the CCTV vectors are not beside the project"))
    func `of 143 vectors, the 19 for hybrid identities are left out`() throws {
        let vectors = try vectorNames.map { try Vector(named: $0) }
        #expect(vectors.count == 143)
        #expect(vectors.count(where: \.isHybrid) == 19)
    }
}

private let vectorFolder = Program.root + "/../shared/cctv-age"
private let vectorsExist = FileManager.default.fileExists(atPath: vectorFolder + "/x25519")
private let vectorNames: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: vectorFolder)) ?? [])
    .filter { $0 != "ABOUT.md" }.sorted()

/// A vector: an age file, what opens it, and what the standard says of it.
private struct Vector {
    private(set) var expect = ""
    private(set) var isHybrid = false
    private var payload = ""
    private var identities: [Identity] = []
    private var passphrases: [Passphrase] = []
    private var isArmored = false
    private var file: [UInt8] = []

    /// Reads a vector; a line in its head that is not known is an error.
    init(named name: String) throws {
        let bytes = Array(
            try #require(FileManager.default.contents(atPath: "\(vectorFolder)/\(name)"))
        )
        var isCompressed = false
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
            switch parts[0] {
            case "expect": expect = value
            case "payload": payload = value
            case "identity":
                if let identity = Identity(value) {
                    identities.append(identity)
                } else {
                    isHybrid = true
                }
            case "passphrase": passphrases += [Passphrase(Array(value.utf8))].compactMap(\.self)
            case "armored": isArmored = true
            case "compressed": isCompressed = true
            case "file key", "comment": break
            default: throw CocoaError(.coderInvalidValue)
            }
        }
        file = Array(rest)
        if isCompressed {
            var size = uLongf(32 << 20)
            var whole = [UInt8](repeating: 0, count: Int(size))
            try #require(uncompress(&whole, &size, file, uLong(file.count)) == Z_OK)
            file = Array(whole.prefix(Int(size)))
        }
    }

    /// What mci says of it, in the words of the vectors.
    func verdict() throws -> String {
        do {
            let age = try AgeFile(isArmored ? Armor.decode(file) : file)
            let plaintext =
                try passphrases.first.map { try age.open($0) }
                ?? age.open(identities.isEmpty ? [Identity()] : identities)
            let digest = SHA256.hash(data: plaintext).map { String(format: "%02x", $0) }.joined()
            return digest == payload ? "success" : "another plaintext"
        } catch let error as AgeError {
            return error.code.rawValue
        }
    }
}
