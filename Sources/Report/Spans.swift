// SPDX-License-Identifier: Apache-2.0

/// Spans of wall time in milliseconds since 1970, each from its beginning up to its end.
package struct Spans: Equatable, Sendable {
    /// The spans, in order and without overlaps once ``united`` has made them so.
    package private(set) var all: [Range<Int64>] = []

    /// Creates no spans.
    package init() {}

    /// Creates spans in any order; they may overlap.
    package init(_ spans: some Sequence<Range<Int64>>) { all = spans.filter { !$0.isEmpty } }

    /// Whether there are none.
    package var isEmpty: Bool { all.isEmpty }

    /// Adds a span that may overlap others; an empty one changes nothing.
    package mutating func add(_ span: Range<Int64>) {
        guard !span.isEmpty else { return }
        // Most spans follow each other.
        if let last = all.last, last.upperBound == span.lowerBound {
            all[all.count - 1] = last.lowerBound..<span.upperBound
        } else {
            all.append(span)
        }
    }

    /// The same time in order and without overlaps.
    package var united: Spans {
        var result: [Range<Int64>] = []
        for span in all.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, last.upperBound >= span.lowerBound {
                result[result.count - 1] =
                    last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                result.append(span)
            }
        }
        return Spans(result)
    }

    /// The length of all together, in milliseconds; overlaps count once.
    package var length: Int64 {
        united.all.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    }

    /// The parts within a span.
    package func within(_ span: Range<Int64>) -> Spans {
        Spans(all.lazy.filter { $0.overlaps(span) }.map { $0.clamped(to: span) })
    }

    /// What is left without the time of others.
    package func without(_ others: Spans) -> Spans {
        var result: [Range<Int64>] = []
        let cuts = others.united.all
        var next = 0
        for span in united.all {
            var start = span.lowerBound
            while next < cuts.count, cuts[next].upperBound <= start { next += 1 }
            var index = next
            while index < cuts.count, cuts[index].lowerBound < span.upperBound {
                if cuts[index].lowerBound > start { result.append(start..<cuts[index].lowerBound) }
                start = max(start, cuts[index].upperBound)
                index += 1
            }
            if start < span.upperBound { result.append(start..<span.upperBound) }
        }
        return Spans(result)
    }

    /// The time of these and of others.
    package func union(_ others: Spans) -> Spans { Spans(all + others.all).united }
}
