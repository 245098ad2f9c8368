// SPDX-License-Identifier: Apache-2.0

package import System

/// What the holder says of all openings, for the person's other programs: four lines of text.
///
/// It is in the holder's folder, so only the holder writes it; `mcictl release trace` has the log itself.
package struct Openings: Equatable, Sendable {
    /// How often releases were opened.
    package var count: Int
    /// Who opened one last, as the reader's certificate says; empty if nobody did.
    package var person = ""
    /// The team of the last opening.
    package var team = ""
    /// The job of the last opening.
    package var job = ""

    /// Creates a summary.
    package init(count: Int, person: String = "", team: String = "", job: String = "") {
        (self.count, self.person, self.team, self.job) = (count, person, team, job)
    }

    /// Reads the file; nil if there is none, or anything but the holder's four lines.
    package static func read(_ path: String) -> Openings? {
        guard let bytes = try? Disk.readOwn(path, limit: 1 << 13) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 5, let count = Int(lines[0]), count >= 0 else { return nil }
        return Openings(count: count, person: lines[1], team: lines[2], job: lines[3])
    }

    /// Replaces the file.
    ///
    /// - Throws: `FileError`.
    package func write(_ path: String) throws(FileError) {
        func line(_ text: String) -> String {
            String(decoding: text.utf8.filter { $0 >= 0x20 }.prefix(256), as: UTF8.self) + "\n"
        }
        let text = "\(count)\n" + line(person) + line(team) + line(job)
        try Disk.write(Array(text.utf8), to: path)
    }

    /// Who opened a release last, and how often that was, in words; nil if nobody did.
    package var words: String? {
        guard count > 0 else { return nil }
        return
            "\(count == 1 ? "1 opening" : "\(count) openings"), the last by \(person) (\(team), \(job))"
    }
}
