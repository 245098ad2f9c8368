// SPDX-License-Identifier: Apache-2.0

/// The values that settings can have, whoever chooses them: the person or a policy.
package enum SettingRanges {
    /// Bytes of all files of the ring together: 3 MiB to 64 GiB.
    package static let ringSizes = 3 << 20...64 << 30
    /// Seconds until what was recorded is erased: a minute to ten years.
    package static let retentions = 60...3653 * 86_400
    /// Free bytes of the disk below which nothing is recorded: up to 1 PiB.
    package static let freeSpaces: ClosedRange<Int64> = 0...1 << 50
}
