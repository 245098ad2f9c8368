// SPDX-License-Identifier: Apache-2.0

/// An X display, normalised because one display has many names.
package struct DisplayName: Equatable, Sendable {
    /// The host name in lower case; nil for this machine.
    package let host: String?
    /// The display number: n in `:n`.
    package let number: Int

    /// Parses a `DISPLAY` value; the screen number is ignored.
    ///
    /// - Parameters:
    ///   - text: A name such as `:0`, `unix:0` or `localhost:0.0`; the result is nil for anything
    ///     else.
    ///   - ownHost: The name of this machine.
    package init?(_ text: String, ownHost: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let parts = text[text.index(after: colon)...].split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        guard (1...2).contains(parts.count), parts.allSatisfy({ Self.isNumber($0) }),
            let number = Int(parts[0])
        else { return nil }
        self.number = number
        // A transport may precede the host, as in `tcp/host:0`.
        let name = text[..<colon].split(separator: "/").last.map { $0.lowercased() } ?? ""
        let local = ["", "unix", "local", "localhost", "127.0.0.1", "[::1]", "::1"]
        host = local.contains(name) || name == ownHost.lowercased() ? nil : name
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The canonical name, such as `:0`.
    package var text: String { "\(host ?? ""):\(number)" }

    /// The path of the server's Unix socket on this machine.
    package var socket: String { "/tmp/.X11-unix/X\(number)" }
}
