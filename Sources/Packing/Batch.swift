// SPDX-License-Identifier: Apache-2.0

package import Events
import Gate

/// What every batch says of itself.
package struct BatchHeader: Equatable, Sendable, Redacted {
    /// The number of the batch in its ring, from 1.
    package var sequence: UInt64
    /// The boot on whose monotonic clock the times are.
    package var bootID: [UInt8]
    /// The wall clock minus the monotonic clock, in milliseconds since 1970.
    package var wallOffset: Int64
    /// The number of the key detail in force (`KeyDetail.code`).
    package var keyDetail: UInt8
    /// ``unconfined`` or 0.
    package var flags: UInt8
    /// The moment the first item's time is counted from.
    package var base: EventTime
    /// The application in front when the batch began; empty when not known.
    package var app: String

    /// The name of the key detail, as it is shown.
    package var keyDetailName: String { KeyDetail.name(ofCode: keyDetail) }

    /// The flag of a batch that was recorded without a sandbox.
    package static let unconfined: UInt8 = 1

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

/// One slot's plaintext in locked memory, of one size for all, wiped when it is consumed.
///
/// It is handed over once, to the sealer, and cannot be copied.
@safe package struct Batch: ~Copyable {
    /// The number of the batch in its ring.
    package let sequence: UInt64
    /// The latest moment in the batch, in milliseconds of the wall clock since 1970.
    package let end: Int64
    /// The admitted events in it; gaps and focus changes do not count.
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

    /// Lends the plaintext for the time of a call.
    ///
    /// - Parameter body: reads the bytes and keeps no pointer to them.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    package borrowing func withPlaintext<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(memory.region(range)))
    }

    /// Writes the proof of origin behind the content.
    ///
    /// - Parameters:
    ///   - predecessor: ``BatchLayout/digestSize`` bytes, the digest of the batch before it.
    ///   - sign: makes the signature of everything in front of it; nil where that fails.
    /// - Returns: whether there is a proof now.
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
