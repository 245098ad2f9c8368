// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Measures that a program takes before it holds any of the person's data.
package enum Hardening {
    /// Disables core dumps, and denies other programs of the same user access to this process's
    /// memory.
    ///
    /// - Returns: False if the kernel refused.
    package static func forbidDumps() -> Bool {
        clinux_forbid_dumps() == 0
    }
}
