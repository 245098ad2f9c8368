// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reports that something in some folders may have changed, without cost while nothing does
/// (inotify).
package final class FolderWatch {
    /// The inotify descriptor, which becomes readable at a change.
    package let descriptor: Int32

    /// Watches folders; for a missing one it watches the nearest existing ancestor.
    ///
    /// - Parameter folders: Absolute paths; the result is nil if inotify is unavailable.
    package init?(_ folders: [String]) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        self.folders = folders
        watch()
    }

    private let folders: [String]

    deinit { close(descriptor) }

    /// Discards the pending events and watches folders that have appeared.
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
            // Watching a folder again changes nothing.
            var parent = Disk.folder(of: path)
            while unsafe inotify_add_watch(descriptor, path, mask) < 0, parent != path {
                path = parent
                parent = Disk.folder(of: path)
            }
            // The parent reports that the folder was moved away or replaced.
            unsafe inotify_add_watch(descriptor, parent, mask)
        }
    }
}
