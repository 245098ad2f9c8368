// SPDX-License-Identifier: Apache-2.0

/// A picture as SVG in the page.
struct Picture {
    private let width: Int
    private let height: Int
    private let label: String
    private var parts = ""

    /// The width of the names in front of bars and strips.
    static let nameWidth = 170

    /// Begins a picture.
    ///
    /// - Parameters:
    ///   - width: In units that are about a pixel.
    ///   - height: The same.
    ///   - label: What it shows, in plain text, for readers who cannot see it.
    init(_ width: Int, _ height: Int, _ label: String) {
        (self.width, self.height) = (width, height)
        self.label = label
    }

    /// The element.
    var html: String {
        """
        <svg role="img" viewBox="0 0 \(width) \(height)" aria-label="\(HTMLText.escaped(label))">
        \(parts)</svg>

        """
    }

    /// Adds an element.
    mutating func add(_ element: String) { parts += element + "\n" }

    /// Adds a text that ends, or begins, at a point.
    ///
    /// - Parameters:
    ///   - text: HTML.
    ///   - x: Where.
    ///   - y: The baseline.
    ///   - anchor: `start`, `middle` or `end`.
    mutating func add(text: String, _ x: Int, _ y: Int, anchor: String = "start") {
        let at = anchor == "start" ? "" : " text-anchor=\"\(anchor)\""
        add("<text x=\"\(x)\" y=\"\(y)\"\(at)>\(text)</text>")
    }

    /// Adds bars of one look in a row, as one path.
    ///
    /// - Parameters:
    ///   - bars: From and to, in half units.
    ///   - x: Where 0 is.
    ///   - y: The upper edge.
    ///   - height: Of the bars.
    ///   - look: How they are filled.
    mutating func add(_ bars: [Range<Int>], x: Int, y: Int, height: Int, _ look: Look) {
        guard !bars.isEmpty else { return }
        let path = bars.map { bar in
            let (from, length) = (Self.half(bar.lowerBound + 2 * x), Self.half(bar.count))
            return "M\(from) \(y)h\(length)v\(height)h-\(length)z"
        }
        .joined()
        add("<path \(look.fill) d=\"\(path)\"/>")
    }

    private static func half(_ value: Int) -> String {
        value % 2 == 0 ? "\(value / 2)" : "\(value / 2).5"
    }
}
