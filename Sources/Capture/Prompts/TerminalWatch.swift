// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reports new terminals of this host since the last call, without waiting (inotify).
final class TerminalWatch {
    static let folder = "/dev/pts"

    private let descriptor: Int32
    private var known: Set<UInt32> = []

    init() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        if descriptor >= 0 {
            unsafe inotify_add_watch(descriptor, Self.folder, UInt32(IN_CREATE | IN_DELETE))
        }
        known = Set(Proc.numbers(in: Self.folder, as: UInt32.self) ?? [])
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The terminals created since the last call; nil if nothing changed.
    func changes() -> Set<UInt32>? {
        guard hasChanged() else { return nil }
        let now = Set(Proc.numbers(in: Self.folder, as: UInt32.self) ?? [])
        defer { known = now }
        return now.subtracting(known)
    }

    private func hasChanged() -> Bool {
        // Without inotify, each call reads the folder.
        guard descriptor >= 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var isChanged = false
        while unsafe read(descriptor, &buffer, buffer.count) > 0 { isChanged = true }
        return isChanged
    }
}
