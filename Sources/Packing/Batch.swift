// SPDX-License-Identifier: Apache-2.0

package import Events
import Gate

/// Facts that apply to a whole batch, stored in its first section.
package struct BatchHeader: Equatable, Sendable, Redacted {
    /// The number of the batch in its ring, from 1.
    package var sequence: UInt64
    /// The boot id, 16 bytes, of the boot whose CLOCK_MONOTONIC the times use.
    package var bootID: [UInt8]
    /// The wall clock minus CLOCK_MONOTONIC in milliseconds, as read when the batch began.
    package var wallOffset: Int64
    /// The number of the key detail in force (``KeyDetail/code``).
    package var keyDetail: UInt8
    /// A bit mask: ``unconfined`` or 0.
    package var flags: UInt8
    /// The time to which the first item's time is relative.
    package var base: EventTime
    /// The application in front when the batch began; empty if unknown.
    package var app: String

    /// The name of the key detail for display.
    package var keyDetailName: String { KeyDetail.name(ofCode: keyDetail) }

    /// The flag of a batch that was recorded without a sandbox.
    package static let unconfined: UInt8 = 1

    /// Creates a header; by default without flags and with an unknown application.
    package init(
        sequence: UInt64,
        bootID: [UInt8],
        wallOffset: Int64,
        keyDetail: UInt8,
        flags: UInt8 = 0,
        base: EventTime,
        app: String = ""
    ) {
        self.sequence = sequence
        self.bootID = bootID
        self.wallOffset = wallOffset
        self.keyDetail = keyDetail
        self.flags = flags
        self.base = base
        self.app = app
    }
}

/// The plaintext of one slot in locked memory; its size is fixed, and it is wiped when consumed.
///
/// It cannot be copied and is handed over once, to the sealer.
@safe package struct Batch: ~Copyable {
    /// The number of the batch in its ring.
    package let sequence: UInt64
    /// The latest time in the batch, in milliseconds of the wall clock since 1970.
    package let end: Int64
    /// The number of admitted events; gaps and focus changes do not count.
    package let eventCount: Int
    private let memory: LockedMemory
    private let range: Range<Int>

    init(
        _ header: BatchHeader,
        end: Int64,
        eventCount: Int,
        memory: LockedMemory,
        range: Range<Int>
    ) {
        sequence = header.sequence
        self.end = end
        self.eventCount = eventCount
        self.memory = memory
        self.range = range
    }

    /// Lends the plaintext for the duration of a call.
    ///
    /// - Parameter body: Reads the bytes; it must not keep a pointer to them.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`.
    package borrowing func withPlaintext<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(memory.region(range)))
    }

    /// Writes the proof of origin at the end of the plaintext.
    ///
    /// - Parameters:
    ///   - predecessor: The digest of the previous sealed batch, ``BatchLayout/digestSize`` bytes.
    ///   - sign: Returns an Ed25519 signature of the bytes before it; nil if signing fails.
    /// - Returns: Whether the proof was written.
    package borrowing func prove(
        after predecessor: [UInt8],
        sign: (UnsafeRawBufferPointer) -> [UInt8]?
    ) -> Bool {
        precondition(predecessor.count == BatchLayout.digestSize, "A digest has one size.")
        let bytes = unsafe memory.region(range)
        let signed = bytes.count - BatchLayout.signatureSize
        let start = signed - BatchLayout.digestSize
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start..<signed])
            .copyBytes(from: predecessor)
        guard
            let signature = unsafe sign(UnsafeRawBufferPointer(rebasing: bytes[..<signed])),
            signature.count == BatchLayout.signatureSize
        else { return false }
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[signed...])
            .copyBytes(from: signature)
        return true
    }

    deinit {
        memory.wipe(range)
    }
}
