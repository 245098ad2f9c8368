// SPDX-License-Identifier: Apache-2.0

package import Control
import FoundationEssentials

/// What was counted in all runs together.
package struct Accounts: Codable, Equatable, Sendable {
    package var schema = 1
    /// RFC 3339: when counting began; empty before that.
    package var since = ""
    package var events = Status.Events()

    package init() {}
}

/// The file of the accounts; without it counting begins anew.
package struct AccountsFile: Sendable {
    package let path: String

    /// The file at a path; it need not exist.
    package init(_ path: String) {
        self.path = path
    }

    /// Reads the accounts; empty ones where there are none or they do not add up.
    package func read() -> Accounts {
        guard let found = try? readJSON(path, named: "accounts", \Accounts.schema),
            found.events.addsUp
        else { return Accounts() }
        return found
    }

    /// Replaces the accounts; where that fails the old ones stay.
    package func write(_ accounts: Accounts) {
        try? writeJSON(accounts, path, named: "accounts")
    }
}
