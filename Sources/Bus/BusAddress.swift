// SPDX-License-Identifier: Apache-2.0

/// The path of a bus's socket.
package struct BusAddress: Equatable, Sendable {
    /// A path of a file, or a name of Linux's abstract sockets after a `@`.
    package let path: String

    /// The addresses of a session's bus or the system's.
    ///
    /// - Parameters:
    ///   - text: The value of `DBUS_SESSION_BUS_ADDRESS` or `DBUS_SYSTEM_BUS_ADDRESS`; nil where it
    ///     is not set.
    ///   - fallback: The path where the bus is otherwise.
    /// - Returns: The addresses of local sockets, in the order in which they are to be tried.
    package static func all(_ text: String?, fallback: String) -> [BusAddress] {
        guard let text, !text.isEmpty else { return [BusAddress(path: fallback)] }
        return text.split(separator: ";").compactMap { Self($0) }
    }

    private init(path: String) {
        self.path = path
    }

    /// Reads one address; nil for another transport than a local socket.
    private init?(_ text: Substring) {
        guard text.hasPrefix("unix:") else { return nil }
        for pair in text.dropFirst(5).split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = Self.unescaped(parts[1]) else { continue }
            switch parts[0] {
            case "path": path = value
            case "abstract": path = "@" + value
            case "runtime", "dir", "tmpdir": return nil
            default: continue
            }
            return
        }
        return nil
    }

    /// Decodes `%2F` and the like; nil if a percent sign is not followed by two hexadecimal digits.
    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let decoded = UInt8(digits, radix: 16), decoded != 0
            else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
