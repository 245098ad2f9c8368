// SPDX-License-Identifier: Apache-2.0

import CLinux
import CZlib

/// Compression into locked memory; zlib's working memory is locked too.
@safe struct Deflate {
    // Columns are short and dissimilar. A window of 4 KiB and a Huffman code per 4,096 symbols
    // compress them as well as zlib's defaults, with a fifth of the memory to wipe. Level 4
    // compresses them as well as level 6, with four fifths of the instructions.
    private static let windowBits: Int32 = 12
    private static let memoryLevel: Int32 = 6
    private static let level: Int32 = 4
    /// Bytes that suffice for zlib's state.
    static let workspaceSize = 64 * 1024

    private let memory: LockedMemory
    private let workspace: Range<Int>

    init(_ memory: LockedMemory, workspace: Range<Int>) {
        self.memory = memory
        self.workspace = workspace
    }

    /// Compresses the concatenation of `pieces` into `output` and wipes the working memory.
    ///
    /// - Returns: The number of bytes written; nil if they do not fit.
    func compress(
        _ pieces: [UnsafeRawBufferPointer],
        into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // The first two words of the arena belong to the allocator: bytes used and size.
        let arena = unsafe memory.region(workspace)
        unsafe arena.storeBytes(of: 64, as: Int.self)
        unsafe arena.storeBytes(of: arena.count, toByteOffset: 8, as: Int.self)
        var stream = unsafe z_stream()
        unsafe stream.opaque = arena.baseAddress
        unsafe stream.zalloc = allocate
        unsafe stream.zfree = { _, _ in }
        defer { memory.wipe(workspace) }
        let started = unsafe deflateInit2_(
            &stream,
            Self.level,
            Z_DEFLATED,
            Self.windowBits,
            Self.memoryLevel,
            Z_DEFAULT_STRATEGY,
            zlibVersion(),
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else { return nil }
        unsafe stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.avail_out = UInt32(output.count)
        for index in unsafe pieces.indices {
            let piece = unsafe pieces[index]
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: piece.bindMemory(to: UInt8.self).baseAddress
            )
            unsafe stream.avail_in = UInt32(piece.count)
            guard unsafe piece.isEmpty || deflate(&stream, Z_NO_FLUSH) == Z_OK,
                unsafe stream.avail_in == 0
            else { return nil }
        }
        guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return unsafe output.count - Int(stream.avail_out)
    }

    /// Decompresses a complete zlib stream.
    ///
    /// - Returns: The bytes; nil if the stream is damaged, truncated or longer than `limit`.
    static func decompress(_ bytes: UnsafeRawBufferPointer, limit: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard
            unsafe inflateInit_(&stream, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { unsafe inflateEnd(&stream) }
        unsafe stream.next_in = UnsafeMutablePointer(
            mutating: bytes.bindMemory(to: UInt8.self).baseAddress
        )
        unsafe stream.avail_in = UInt32(bytes.count)
        var result = [UInt8](repeating: 0, count: 64 * 1024)
        var filled = 0
        while true {
            let status = unsafe result.withUnsafeMutableBufferPointer { buffer in
                unsafe stream.next_out = buffer.baseAddress?.advanced(by: filled)
                unsafe stream.avail_out = UInt32(buffer.count - filled)
                return unsafe inflate(&stream, Z_NO_FLUSH)
            }
            filled = unsafe result.count - Int(stream.avail_out)
            if status == Z_STREAM_END { break }
            guard status == Z_OK, filled == result.count, result.count < limit else { return nil }
            result.append(
                contentsOf: repeatElement(0, count: min(result.count, limit - result.count))
            )
        }
        result.removeLast(result.count - filled)
        return result
    }
}

/// Allocates memory from front to back; zlib frees nothing before it ends.
private func allocate(
    _ arena: UnsafeMutableRawPointer?,
    _ items: UInt32,
    _ size: UInt32
) -> UnsafeMutableRawPointer? {
    guard let arena = unsafe arena else { return nil }
    let used = unsafe arena.load(as: Int.self)
    let next = (used + Int(items) * Int(size) + 63) & ~63
    guard unsafe next <= arena.load(fromByteOffset: 8, as: Int.self) else { return nil }
    unsafe arena.storeBytes(of: next, as: Int.self)
    return unsafe arena + used
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros; no compiler optimises this away.
    func wipe() {
        unsafe clinux_wipe(baseAddress, count)
    }
}
