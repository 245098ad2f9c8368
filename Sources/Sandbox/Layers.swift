// SPDX-License-Identifier: Apache-2.0

import System

/// The layers around this process, as the kernel tells them.
package enum Layers {
    /// Their names, such as `landlock-7`, `filter-2` (the number of call filters), `user-namespace`.
    ///
    /// - Parameter sandbox: what the process did to itself; nil when it did nothing.
    /// - Returns: a word for each.
    package static func names(_ sandbox: Sandbox?) -> [String] {
        var names: [String] = []
        if let sandbox, sandbox.landlock > 0 { names.append("landlock-\(sandbox.landlock)") }
        let facts = processFacts()
        let filters = facts["Seccomp_filters"] ?? (facts["Seccomp"] == "2" ? "1" : "0")
        if filters != "0" { names.append("filter-\(filters)") }
        if facts["NoNewPrivs"] == "1" { names.append("no-new-privileges") }
        if isInUserNamespace { names.append("user-namespace") }
        return names
    }

    /// The lines of the kernel's description of this process.
    private static func processFacts() -> [String: String] {
        var facts: [String: String] = [:]
        for line in text("/proc/self/status").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            facts[String(parts[0])] = String(parts[1].drop(while: \.isWhitespace))
        }
        return facts
    }

    /// Whether user ids are mapped otherwise than one to one, as behind the unit's drop-in.
    private static var isInUserNamespace: Bool {
        let numbers = text("/proc/self/uid_map").split(whereSeparator: \.isWhitespace)
        return numbers.count >= 3 && Array(numbers.prefix(3)) != ["0", "0", "4294967295"]
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? Disk.read(path)) ?? [], as: UTF8.self)
    }
}
