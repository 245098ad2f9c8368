// SPDX-License-Identifier: Apache-2.0

import Gate

extension Glob {
    /// The pattern for applications in an argument.
    ///
    /// - Parameter text: from the command line.
    /// - Returns: the pattern.
    /// - Throws: a ``Failure`` of wrong usage if it is empty or too long.
    static func ofApp(_ text: String) throws -> Glob {
        guard let glob = Glob(text) else {
            throw Failure(
                "A pattern must have 1 to \(Glob.maxLength) characters.",
                next: "mcictl log --summary (shows the applications)",
                code: Failure.usage
            )
        }
        return glob
    }
}
