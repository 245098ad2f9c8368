// SPDX-License-Identifier: Apache-2.0

import Events
import FoundationEssentials
import Release
import System

/// What a run leaves beside its results: which releases it opened, for people and for machines.
struct RunRecord: Codable {
    struct Opened: Codable {
        var release: String
        var grant: String
        var isDerived: Bool
    }

    var schema = 1
    var run: String
    var reason: String
    var person: String
    var team: String
    var job: String
    var purpose: String
    var purposeDigest: String
    var controller: String
    var weights: Bool
    var time: String
    var opened: [Opened] = []
    var refused = 0

    /// The folder beside that of the results, into which the job cannot write.
    static func folder(of out: String) -> String { out + ".run" }

    init(run: String, reason: String, certificate: Certificate, purpose: Signed<Purpose>) {
        (self.run, self.reason) = (run, reason)
        (person, team, job) = (certificate.person, certificate.team, certificate.job)
        (self.purpose, purposeDigest) = (purpose.content.id, purpose.digest)
        (controller, weights) = (purpose.content.controller, purpose.content.weights)
        time = wallNow.text
    }

    /// Reads the records of the runs into a folder, the oldest first.
    static func all(of out: String) -> [RunRecord] {
        let folder = folder(of: out)
        return (Disk.names(in: folder) ?? []).filter { $0.hasSuffix(".openings.json") }
            .compactMap { name in
                (try? Disk.read("\(folder)/\(name)", limit: 64 << 20))
                    .flatMap { try? JSONDecoder().decode(RunRecord.self, from: Data($0)) }
            }
            .sorted { $0.time < $1.time }
    }

    /// Writes the record: before the job gets anything, and again when it has ended.
    ///
    /// - Parameter out: the folder of the results, without a slash at its end.
    /// - Throws: a ``Failure`` if the folder beside it cannot be written.
    func write(beside out: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let record = (try? encoder.encode(self)).map { Array($0) } ?? []
        let croissant = (try? encoder.encode(Croissant(self, out))).map { Array($0) } ?? []
        let folder = Self.folder(of: out)
        do {
            try Disk.write(record + [0x0A], to: "\(folder)/\(run).openings.json")
            try Disk.write(croissant + [0x0A], to: "\(folder)/\(run).croissant.json")
        } catch {
            throw Failure("\(folder) cannot be written (\(error)).")
        }
    }
}

/// A Croissant 1.1 description of the results of a run, with the releases that they come from.
private struct Croissant: Encodable {
    struct File: Encodable {
        var type = "cr:FileObject"
        var id: String
        var name: String
        var contentUrl: String
        var encodingFormat = "application/octet-stream"
        var sha256: String

        enum CodingKeys: String, CodingKey {
            case type = "@type"
            case id = "@id"
            case name, contentUrl, encodingFormat, sha256
        }
    }

    struct Entity: Encodable {
        var id: String
        enum CodingKeys: String, CodingKey { case id = "@id" }
    }

    struct Activity: Encodable {
        var type = "prov:Activity"
        var id: String
        var description: String
        enum CodingKeys: String, CodingKey {
            case type = "@type"
            case id = "@id"
            case description
        }
    }

    let context = [
        "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/",
        "prov": "http://www.w3.org/ns/prov#", "conformsTo": "dct:conformsTo",
    ]
    let type = "sc:Dataset"
    let conformsTo = "http://mlcommons.org/croissant/1.1"
    let name: String
    let description: String
    let datePublished: String
    let distribution: [File]
    let derivedFrom: [Entity]
    let generatedBy: Activity

    enum CodingKeys: String, CodingKey {
        case context = "@context"
        case type = "@type"
        case conformsTo, name, description, datePublished, distribution
        case derivedFrom = "prov:wasDerivedFrom"
        case generatedBy = "prov:wasGeneratedBy"
    }

    init(_ record: RunRecord, _ folder: String) {
        name = "\(record.purpose)-\(record.run.prefix(8))"
        description = "Results of \(record.job) for \(record.purpose): \(record.reason)"
        datePublished = record.time
        distribution = (Disk.names(in: folder) ?? []).sorted().compactMap { name in
            guard Disk.isFile("\(folder)/\(name)"),
                let bytes = try? Disk.read("\(folder)/\(name)", limit: 1 << 30)
            else { return nil }
            return File(id: name, name: name, contentUrl: name, sha256: Digest.hex(bytes))
        }
        derivedFrom = record.opened.map { Entity(id: "urn:mci:release:\($0.release)") }
        generatedBy = Activity(
            id: "urn:mci:run:\(record.run)",
            description: "\(record.person), \(record.team): \(record.reason)"
        )
    }
}
