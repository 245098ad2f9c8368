// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What has one home stays there: a second one would be a second rule that may differ.
@Suite struct ArchitectureHomeTests {
    /// The code of a folder's Swift files without comments, by their path below Sources.
    private static func code(_ folder: String) throws -> [String: String] {
        let start = "\(Program.root)/Sources"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        var code: [String: String] = [:]
        for name in names where name.hasPrefix(folder) && name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in line.range(of: "//").map { line[..<$0.lowerBound] } ?? line }
            code[name] = lines.joined(separator: "\n")
        }
        return code
    }

    /// The files in which a pattern occurs.
    private static func homes(
        of pattern: some RegexComponent,
        in code: [String: String]
    ) -> Set<String> {
        // A point between two letters is a boundary too.
        let pattern = pattern.regex.wordBoundaryKind(.simple)
        return Set(code.filter { $0.value.firstMatch(of: pattern) != nil }.keys)
    }

    @Test func `both streams have a wire, so nothing depends on whether there is one`() throws {
        let code = try Self.code("").filter { $0.value.contains("wire") }
        #expect(code.count > 5)
        for pattern in [#/\b(?:if|guard) (?:let|var) wire\b/#, #/\bwire\?/#, #/\bEventWire\?/#] {
            #expect(Self.homes(of: pattern, in: code) == [])
        }
    }

    @Test func `the events of the protocol are decoded in one file`() throws {
        let code = try Self.code("Capture/")
        let home: Set = ["Capture/Server/EventWire.swift"]
        // A packet is its bytes, and these initialisers make an event of one.
        #expect(Self.homes(of: #/\bPacket\b/#, in: code) == home)
        #expect(Self.homes(of: #/\bX11Event\([a-z]+:/#, in: code) == home)
        // Of Xlib's events none is looked at.
        let xlib =
            #/\b(XGetEventData|XIRawEvent|XIDeviceEvent|XkbEvent|XFilterEvent)\b|\.pointee\.x[a-z]+\./#
        #expect(Self.homes(of: xlib, in: code) == [])
    }

    @Test func `serials of a stream are compared in one file`() throws {
        let code = try Self.code("Capture/")
        let home = "Capture/Server/StreamSerial.swift"
        #expect(Self.homes(of: #/\b(struct|extension) StreamSerial\b/#, in: code) == [home])
        // The compiler refuses a comparison elsewhere: there is no order and no number to compare.
        let text = try #require(code[home])
        #expect(text.contains("private var number: UInt"))
        #expect(Self.homes(of: #/\bStreamSerial\b[^{\n]*\bComparable\b/#, in: code) == [])
        // Nor does anything keep a serial as a number.
        let number =
            #/\b(\w*[sS]erial\w*|\w*Since|validFrom|nextRequest)\b(: (UInt|Int)\b| (<|>|<=|>=) )/#
        #expect(Self.homes(of: number, in: code) == [])
        // What is dated asks its own serials.
        #expect(Self.homes(of: #/\b(struct|class|enum) Dated\b/#, in: code) == [home])
        #expect(text.contains("private let asked: StreamSerial"))
    }

    @Test func `the columns of a batch are listed once`() throws {
        let code = try Self.code("Packing/")
        let home: Set = ["Packing/Columns.swift"]
        #expect(Self.homes(of: #/\bstatic (let|var) columns\b/#, in: code) == home)
        #expect(Self.homes(of: #/\ballCases\b/#, in: code) == home)
        let names = try #require(code["Packing/BatchLayout.swift"]?.sections)
        #expect(names.count == 22)
        // Two of them in a row, between commas, are a list.
        let name = "\\.(?:\(names.joined(separator: "|")))\\b"
        let list = try Regex("\\[\\s*\(name)\\s*,\\s*\(name)")
        #expect(Self.homes(of: list, in: code) == [])
    }
}

extension String {
    /// The cases of the enumeration of sections.
    fileprivate var sections: [String]? {
        guard let start = range(of: "enum Section: UInt8, CaseIterable {"),
            let end = range(of: "}", range: start.upperBound..<endIndex)
        else { return nil }
        return self[start.upperBound..<end.lowerBound].split(separator: "\n").compactMap {
            $0.firstMatch(of: #/case (\w+)/#).map { String($0.1) }
        }
    }
}
