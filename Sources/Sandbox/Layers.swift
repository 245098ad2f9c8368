// SPDX-License-Identifier: Apache-2.0

import System

/// The layers of the sandbox around this process, as the kernel reports them.
package enum Layers {
    /// Names the layers, such as `landlock-7` (ABI version), `filter-2` (number of seccomp
    /// filters), `user-namespace`.
    ///
    /// - Parameter sandbox: the sandbox that the process entered; nil for none.
    /// - Returns: a word for each layer.
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

    /// The fields of `/proc/self/status` (proc_pid_status(5)).
    private static func processFacts() -> [String: String] {
        var facts: [String: String] = [:]
        for line in text("/proc/self/status").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            facts[String(parts[0])] = String(parts[1].drop(while: \.isWhitespace))
        }
        return facts
    }

    /// Whether user ids are mapped differently from one to one, as with the unit's drop-in.
    private static var isInUserNamespace: Bool {
        let numbers = text("/proc/self/uid_map").split(whereSeparator: \.isWhitespace)
        return numbers.count >= 3 && Array(numbers.prefix(3)) != ["0", "0", "4294967295"]
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? Disk.read(path)) ?? [], as: UTF8.self)
    }
}
