// SPDX-License-Identifier: Apache-2.0

import CLinux
import CZlib

/// Compresses into locked memory, with zlib's own working memory locked too.
@safe struct Deflate {
    // Columns are short and unlike one another: a window of 4 KiB and a code for each 4,096 bytes
    // pack them no worse than zlib's defaults, in a fifth of the memory that is to be wiped. Level 4
    // packs them as well as level 6, in four fifths of the instructions.
    private static let windowBits: Int32 = 12
    private static let memoryLevel: Int32 = 6
    private static let level: Int32 = 4
    /// Enough for zlib's state.
    static let workspaceSize = 64 * 1024

    private let memory: LockedMemory
    private let workspace: Range<Int>

    init(_ memory: LockedMemory, workspace: Range<Int>) {
        self.memory = memory
        self.workspace = workspace
    }

    /// Compresses the concatenation of `pieces` into `output` and wipes the working memory.
    ///
    /// - Returns: the number of bytes written, or nil when they do not fit.
    func compress(
        _ pieces: [UnsafeRawBufferPointer],
        into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // The allocator's own two words stand in front of what it hands out.
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

    /// Decompresses a whole stream.
    ///
    /// - Returns: the bytes, or nil when the stream is damaged, cut or longer than `limit`.
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

/// XTestDevice out memory from the front to the back; zlib frees nothing before its end.
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
    /// Overwrites the bytes with zeros, in a way that no compiler leaves out.
    func wipe() {
        unsafe clinux_wipe(baseAddress, count)
    }
}
