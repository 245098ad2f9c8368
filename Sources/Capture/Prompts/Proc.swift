// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import System

/// Reads the kernel's files about processes, and its clock.
enum Proc {
    /// The numeric names in a folder; nil if it cannot be read.
    static func numbers<Number: FixedWidthInteger>(in path: String, as type: Number.Type)
        -> [Number]?
    {
        Disk.names(in: path)?.compactMap { Number($0) }
    }

    /// The contents of a file, up to 256 KiB; nil if it cannot be read.
    static func contents(of path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        var filled = 0
        while filled < 1 << 18 {
            if filled == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
            let room = bytes.count - filled
            let length = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress?.advanced(by: filled), room)
            }
            if length < 0 { return nil }
            if length == 0 { break }
            filled += length
        }
        return Array(bytes.prefix(filled))
    }

    /// The clock of X timestamps (CLOCK_MONOTONIC).
    static func now() -> EventTime { EventTime(KernelClock.monotonic.milliseconds) }
}
