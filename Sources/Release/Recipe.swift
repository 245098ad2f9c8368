// SPDX-License-Identifier: Apache-2.0

import Events
import FoundationEssentials
import Policy

/// What a draft is made from: a span of the recording, less what the person cut out.
///
/// It holds no plaintext of the recording but names of applications that were cut out.
package struct Recipe: Codable, Equatable, Sendable, Redacted {
    /// A span that is cut out, in milliseconds since 1970.
    package struct Span: Codable, Equatable, Sendable {
        /// Its first millisecond.
        package var from: Int64
        /// The millisecond after its last one.
        package var to: Int64

        /// Creates a span.
        package init(from: Int64, to: Int64) {
            (self.from, self.to) = (from, to)
        }

        /// Whether a moment lies in it.
        package func contains(_ time: Int64) -> Bool { from <= time && time < to }
    }

    /// The version of this layout.
    package var schema = 1
    /// The id of the grant.
    package var grant: String
    /// The span of the recording, in milliseconds since 1970.
    package var span: Span
    /// The demonstration that it is restricted to: its name and its beginning.
    package var demonstration: String?
    /// Applications that are cut out, by the class of their windows.
    package var apps: [String] = []
    /// Spans that are cut out.
    package var spans: [Span] = []
    /// Numbers of batches that are cut out.
    package var batches: [UInt64] = []

    /// Creates a recipe that cuts out nothing.
    package init(grant: String, span: Span, demonstration: String? = nil) {
        (self.grant, self.span, self.demonstration) = (grant, span, demonstration)
    }

    /// Parses the file of a draft; nil for anything else.
    package static func read(_ bytes: [UInt8]) -> Recipe? {
        guard let recipe = try? JSONDecoder().decode(Self.self, from: Data(bytes)),
            recipe.schema == 1, recipe.span.from < recipe.span.to
        else { return nil }
        return recipe
    }

    /// The file of a draft.
    package var bytes: [UInt8] {
        JSONText.file(self) ?? []
    }
}
