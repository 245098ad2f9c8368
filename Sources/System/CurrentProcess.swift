// SPDX-License-Identifier: Apache-2.0

import Glibc

/// This process: what it was started with, and on which machine.
package enum CurrentProcess {
    /// Whether every argument of this program is UTF-8; of one that is not, Swift shows something else
    /// than was written.
    package static var areArgumentsLegible: Bool {
        (0..<Int(CommandLine.argc)).allSatisfy { index in
            let argument = unsafe CommandLine.unsafeArgv[index]
            return unsafe argument.map { unsafe String(validatingCString: $0) != nil } ?? true
        }
    }

    /// The version of mci, in daemon and command alike.
    package static let version = "0.1.0"

    /// The environment variables.
    package static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let line = unsafe String(cString: entry)
            if let sign = line.firstIndex(of: "=") {
                result[String(line[..<sign])] = String(line[line.index(after: sign)...])
            }
            unsafe next += 1
        }
        return result
    }

    /// Waits.
    package static func sleep(milliseconds: Int64) {
        usleep(UInt32(clamping: milliseconds * 1000))
    }

    /// The number of the user of this process.
    package static var userID: Int { Int(getuid()) }

    /// The name of this machine, empty where it has none.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// The process id.
    package static var id: Int32 { getpid() }
}
