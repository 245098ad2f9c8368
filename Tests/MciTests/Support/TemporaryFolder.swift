// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person

/// A folder that goes away with the object.
final class TemporaryFolder: Sendable {
    let path: String

    /// - Parameter isInMemory: whether nothing in it has to reach a disk, where the system allows that.
    /// - Throws: where it cannot be made.
    init(isInMemory: Bool = false) throws {
        let memory = "/dev/shm"
        let isThere = isInMemory && FileManager.default.isWritableFile(atPath: memory)
        // Short, for socket paths have a limit.
        path = "\(isThere ? memory : "/tmp")/mci-\(UInt32.random(in: 0...(.max)))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// The XDG variables of a throw-away home in the folder.
    var environment: [String: String] {
        [
            "HOME": path, "XDG_STATE_HOME": "\(path)/state", "XDG_CONFIG_HOME": "\(path)/config",
            "XDG_RUNTIME_DIR": "\(path)/run", "PATH": "/usr/bin:/bin",
            "SWIFT_BACKTRACE": "enable=no",
            "TZ": "UTC", "LC_ALL": "C.UTF-8",
        ]
    }

    var paths: Paths { Paths(environment: environment) }

    /// The paths of all files below the folder.
    func names(below subfolder: String = "") -> [String] {
        let start = subfolder.isEmpty ? path : "\(path)/\(subfolder)"
        return FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
    }

    /// The bytes of every file below the folder, by path.
    func files(below subfolder: String = "") -> [String: Data] {
        let start = subfolder.isEmpty ? path : "\(path)/\(subfolder)"
        var result: [String: Data] = [:]
        for name in names(below: subfolder) {
            result[name] = FileManager.default.contents(atPath: "\(start)/\(name)")
        }
        return result
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
