// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Tells when something in some folders may have changed, at no cost while nothing does.
package final class FolderWatch {
    /// Becomes readable at a change.
    package let descriptor: Int32

    /// Watches folders; one that does not exist is watched for by the nearest one above it.
    ///
    /// - Parameter folders: absolute paths; nil comes back when the kernel gives no descriptor.
    package init?(_ folders: [String]) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        self.folders = folders
        watch()
    }

    private let folders: [String]

    deinit { close(descriptor) }

    /// Reads away what made the descriptor readable, and watches folders that have appeared.
    package func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while unsafe read(descriptor, &buffer, buffer.count) > 0 {}
        watch()
    }

    private func watch() {
        let events = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE
        let mask = UInt32(events | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)
        for folder in folders {
            var path = folder
            // To watch a folder again changes nothing.
            while unsafe inotify_add_watch(descriptor, path, mask) < 0, path != "/" {
                path = Disk.folder(of: path)
            }
            // A folder that is moved away or replaced is noticed by the one above it.
            unsafe inotify_add_watch(descriptor, Disk.folder(of: path), mask)
        }
    }
}
