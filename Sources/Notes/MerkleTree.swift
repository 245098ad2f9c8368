// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The tree of a log: its root names all leaves in their order (RFC 6962, section 2.1).
///
/// A leaf is any bytes; a hash is a SHA-256 of 32 bytes. Numbers of leaves begin at 0.
package struct MerkleTree: Sendable {
    /// The hashes of the leaves.
    package var leaves: [[UInt8]] { levels[0] }
    /// The hashes of complete subtrees: of one leaf, of two leaves, of four, and so on.
    private var levels: [[[UInt8]]]

    /// Creates a tree from the hashes of its leaves.
    package init(_ leaves: [[UInt8]] = []) {
        levels = [[]]
        for leaf in leaves { append(leaf) }
    }

    /// Appends a leaf, with as many hashes as it completes subtrees.
    ///
    /// - Parameter leaf: its hash.
    package mutating func append(_ leaf: [UInt8]) {
        var (hash, level) = (leaf, 0)
        while true {
            if level == levels.count { levels.append([]) }
            levels[level].append(hash)
            let count = levels[level].count
            guard count.isMultiple(of: 2) else { return }
            hash = Self.hash(levels[level][count - 2], hash)
            level += 1
        }
    }

    /// The hash of a leaf.
    package static func hash(leaf: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: [0] + leaf))
    }

    private static func hash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: [1] + left + right))
    }

    /// The root over all leaves.
    package var root: [UInt8] { root(leaves.indices) }

    /// The root over the first leaves.
    package func root(of size: Int) -> [UInt8] { root(0..<size) }

    private func root(_ range: Range<Int>) -> [UInt8] {
        let count = range.count
        if count == 0 { return Array(SHA256.hash(data: [UInt8]())) }
        // Subtrees begin at multiples of their size; only those at the right edge are incomplete.
        if count & (count - 1) == 0 {
            return levels[count.trailingZeroBitCount][range.lowerBound / count]
        }
        let middle = range.lowerBound + Self.half(count)
        return Self.hash(root(range.lowerBound..<middle), root(middle..<range.upperBound))
    }

    /// The greatest power of two below a number of at least 2.
    private static func half(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }

    // MARK: Inclusion

    /// The proof that a leaf is in the tree.
    ///
    /// - Parameter index: of the leaf.
    /// - Returns: the hashes beside the way from the leaf to the root.
    package func inclusion(of index: Int) -> [[UInt8]] {
        precondition(leaves.indices.contains(index), "A proof is of a leaf.")
        return inclusion(index, leaves.indices)
    }

    private func inclusion(_ index: Int, _ range: Range<Int>) -> [[UInt8]] {
        guard range.count > 1 else { return [] }
        let middle = range.lowerBound + Self.half(range.count)
        return index < middle
            ? inclusion(index, range.lowerBound..<middle) + [root(middle..<range.upperBound)]
            : inclusion(index, middle..<range.upperBound) + [root(range.lowerBound..<middle)]
    }

    /// Verifies that a leaf is in a tree.
    ///
    /// - Parameters:
    ///   - leaf: the hash of the leaf.
    ///   - index: of the leaf.
    ///   - proof: as ``inclusion(of:)`` made it.
    ///   - checkpoint: the size and the root of the tree.
    /// - Throws: ``NoteError`` `unproven`.
    package static func verify(
        leaf: [UInt8],
        at index: Int,
        _ proof: [[UInt8]],
        in checkpoint: Checkpoint
    ) throws(NoteError) {
        guard index >= 0, index < checkpoint.size,
            climb(leaf, index, checkpoint.size, proof[...]) == checkpoint.root
        else { throw NoteError(.unproven) }
    }

    /// The root to which a proof leads; nil for a proof of another length.
    private static func climb(
        _ leaf: [UInt8],
        _ index: Int,
        _ size: Int,
        _ proof: ArraySlice<[UInt8]>
    ) -> [UInt8]? {
        guard size > 1 else { return proof.isEmpty ? leaf : nil }
        guard let beside = proof.last, beside.count == 32 else { return nil }
        let middle = half(size)
        if index < middle {
            return climb(leaf, index, middle, proof.dropLast()).map { hash($0, beside) }
        }
        return climb(leaf, index - middle, size - middle, proof.dropLast())
            .map { hash(beside, $0) }
    }

    // MARK: Consistency

    /// The proof that the first leaves have not changed since the tree had only these.
    ///
    /// - Parameter size: from 1 to the number of leaves.
    /// - Returns: the hashes from which both roots follow.
    package func consistency(with size: Int) -> [[UInt8]] {
        precondition(1...leaves.count ~= size, "A tree extends a smaller one.")
        return consistency(size, leaves.indices, isWhole: true)
    }

    private func consistency(
        _ size: Int,
        _ range: Range<Int>,
        isWhole: Bool
    ) -> [[UInt8]] {
        if size == range.count { return isWhole ? [] : [root(range)] }
        let half = Self.half(range.count)
        let middle = range.lowerBound + half
        if size <= half {
            return consistency(size, range.lowerBound..<middle, isWhole: isWhole)
                + [root(middle..<range.upperBound)]
        }
        return consistency(size - half, middle..<range.upperBound, isWhole: false)
            + [root(range.lowerBound..<middle)]
    }

    /// Verifies that one tree extends another.
    ///
    /// - Parameters:
    ///   - old: the smaller one, of at least one leaf.
    ///   - new: the larger one.
    ///   - proof: as ``consistency(with:)`` made it.
    /// - Throws: ``NoteError`` `unproven`.
    package static func verify(
        _ old: Checkpoint,
        isIn new: Checkpoint,
        _ proof: [[UInt8]]
    ) throws(NoteError) {
        guard 1...max(1, new.size) ~= old.size, old.size <= new.size,
            let roots = roots(old.size, new.size, old.root, proof[...], isWhole: true),
            roots.old == old.root, roots.new == new.root
        else { throw NoteError(.unproven) }
    }

    /// Both roots to which a proof leads; nil for a proof of another length.
    private static func roots(
        _ old: Int,
        _ new: Int,
        _ oldRoot: [UInt8],
        _ proof: ArraySlice<[UInt8]>,
        isWhole: Bool
    ) -> (old: [UInt8], new: [UInt8])? {
        if old == new {
            if isWhole { return proof.isEmpty ? (oldRoot, oldRoot) : nil }
            guard proof.count == 1, let hash = proof.last, hash.count == 32 else { return nil }
            return (hash, hash)
        }
        guard let beside = proof.last, beside.count == 32 else { return nil }
        let half = half(new)
        if old <= half {
            return roots(old, half, oldRoot, proof.dropLast(), isWhole: isWhole)
                .map { ($0.old, hash($0.new, beside)) }
        }
        return roots(old - half, new - half, oldRoot, proof.dropLast(), isWhole: false)
            .map { (hash(beside, $0.old), hash(beside, $0.new)) }
    }
}
