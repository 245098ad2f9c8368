// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The single block of memory that holds recorded plaintext.
///
/// It is kept out of swap and core dumps, and is wiped before it is released.
@safe package final class LockedMemory {
    /// The block.
    package let bytes: UnsafeMutableRawBufferPointer
    /// False if the kernel refused to lock it (RLIMIT_MEMLOCK) or to exclude it from dumps.
    package let isLocked: Bool

    /// Maps `size` zero bytes.
    package init(size: Int) {
        let address = unsafe mmap(
            nil,
            size,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            preconditionFailure("The kernel refused memory for the open batch.")
        }
        isLocked = unsafe clinux_guard(address, size) == 0
        unsafe bytes = UnsafeMutableRawBufferPointer(start: address, count: size)
    }

    /// A part of the memory.
    func region(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[range])
    }

    /// Overwrites a part of the memory with zeros.
    func wipe(_ range: Range<Int>) {
        unsafe clinux_wipe(region(range).baseAddress, range.count)
    }

    deinit {
        unsafe clinux_wipe(bytes.baseAddress, bytes.count)
        unsafe munmap(bytes.baseAddress, bytes.count)
    }
}
