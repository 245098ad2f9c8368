// SPDX-License-Identifier: Apache-2.0

/// A destination to which bytes, and so numbers, can be appended.
protocol ByteAppending {
    mutating func append(_ byte: UInt8)
}

extension ByteAppending {
    /// Appends a number as LEB128: seven bits per byte, low bits first.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension [UInt8]: ByteAppending {}

/// A column of the open batch: consecutive bytes in locked memory.
@safe struct Column: ByteAppending {
    static let capacity = 32 * 1024
    /// Maximum bytes of a stored text.
    static let maxTextBytes = 256
    /// More bytes than one item adds to all columns together.
    static let maxItemBytes = 2 * maxTextBytes + 64

    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    /// The byte of the open run, and its length.
    private var value: UInt8 = 0
    private var run: UInt64 = 0

    init(_ memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count == Self.capacity, "A column has a fixed capacity.")
        unsafe self.memory = memory
    }

    /// The bytes before `end`.
    func written(upTo end: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[..<end])
    }

    mutating func append(_ byte: UInt8) {
        unsafe memory[count] = byte
        count += 1
    }

    mutating func append(zigzag value: Int64) {
        append(varint: UInt64(zigzag: value))
    }

    mutating func append(text: String) {
        let bytes = text.utf8.prefix(Self.maxTextBytes)
        append(varint: UInt64(bytes.count))
        for byte in bytes { append(byte) }
    }

    /// Appends a byte that is frequently repeated: such columns are pairs of a byte and its run
    /// length.
    mutating func append(run byte: UInt8) {
        if byte != value { endRun() }
        value = byte
        run += 1
    }

    /// Appends the byte of the open run `count` more times.
    mutating func extend(by count: Int) { run += UInt64(count) }

    /// Whether a byte would extend the open run.
    func isExtended(by byte: UInt8) -> Bool { byte == value && run > 0 }

    /// Writes the open run, so that the column contains everything appended.
    mutating func endRun() {
        guard run > 0 else { return }
        append(value)
        append(varint: run)
        run = 0
    }

    /// Moves the bytes from `start` on to the front and overwrites the rest with zeros; no run may be
    /// open before `start`.
    mutating func keep(from start: Int) {
        endRun()
        let kept = count - start
        unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<count]))
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[kept..<count]).wipe()
        count = kept
    }
}
