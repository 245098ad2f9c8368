// SPDX-License-Identifier: Apache-2.0

import System

/// The authorisation that a display requires, from a file in Xauthority's format (`man Xau`).
package struct XAuthority: Equatable {
    /// The authorisation protocol; local servers use no other.
    package static let method = "MIT-MAGIC-COOKIE-1"

    /// Finds the cookie for a display of this machine.
    ///
    /// - Parameters:
    ///   - number: The display number.
    ///   - host: The name of this machine.
    ///   - bytes: The contents of the file.
    /// - Returns: The cookie; nil if the file has none.
    package static func cookie(for number: Int, host: String, in bytes: [UInt8]) -> [UInt8]? {
        var rest = bytes[...]
        /// A field preceded by its length, 16 bits big-endian.
        func field() -> [UInt8]? {
            guard rest.count >= 2 else { return nil }
            let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            guard rest.count >= length else { return nil }
            defer { rest.removeFirst(length) }
            return Array(rest.prefix(length))
        }
        while rest.count >= 2 {
            let family = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            guard let address = field(), let display = field(), let name = field(),
                let data = field()
            else { return nil }
            let isHere = family == 256 && address.elementsEqual(host.utf8) || family == 65_535
            let isIt = display.isEmpty || display.elementsEqual(String(number).utf8)
            if isHere, isIt, name.elementsEqual(method.utf8) { return data }
        }
        return nil
    }

    /// Reads the cookie from the person's file: `XAUTHORITY` or `~/.Xauthority`, at most 1 MiB.
    ///
    /// - Parameters:
    ///   - number: The display number.
    ///   - host: The name of this machine.
    ///   - environment: The variables that locate the file.
    /// - Returns: The cookie; nil if there is none.
    package static func cookie(
        for number: Int,
        host: String,
        environment: [String: String]
    ) -> [UInt8]? {
        let home = environment["HOME"] ?? ""
        let path = environment["XAUTHORITY"] ?? "\(home)/.Xauthority"
        guard let bytes = try? Disk.read(path, limit: 1 << 20) else { return nil }
        return cookie(for: number, host: host, in: bytes)
    }
}
