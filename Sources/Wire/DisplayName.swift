// SPDX-License-Identifier: Apache-2.0

/// An X display by what it is, for one display has many names.
package struct DisplayName: Equatable, Sendable {
    /// The machine's name, or nil where it is this one.
    package let host: String?
    package let number: Int

    /// Reads a name as in `DISPLAY`: host, number, and a screen that makes no difference here.
    ///
    /// - Parameters:
    ///   - text: such as `:0`, `unix:0`, `localhost:0.0`.
    ///   - ownHost: the name of this machine.
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
        // A transport may stand in front of the host.
        let name = text[..<colon].split(separator: "/").last.map { $0.lowercased() } ?? ""
        let local = ["", "unix", "local", "localhost", "127.0.0.1", "[::1]", "::1"]
        host = local.contains(name) || name == ownHost.lowercased() ? nil : name
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The name that is told.
    package var text: String { "\(host ?? ""):\(number)" }

    /// The server's socket on this machine.
    package var socket: String { "/tmp/.X11-unix/X\(number)" }
}
