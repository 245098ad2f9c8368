// SPDX-License-Identifier: Apache-2.0

import CLinux

/// What a program does to itself before it holds anything of the person's.
package enum Hardening {
    /// No core dumps, and no reading of this process by other programs of the same user.
    ///
    /// - Returns: false when the kernel refused.
    package static func forbidDumps() -> Bool {
        clinux_forbid_dumps() == 0
    }
}
