// SPDX-License-Identifier: Apache-2.0

/// The ranges of settings, which apply to the person and to a policy.
package enum SettingRanges {
    /// Maximum size of all files of the ring together, in bytes: 3 MiB to 64 GiB.
    package static let ringSizes = 3 << 20...64 << 30
    /// Retention in seconds: a minute to ten years.
    package static let retentions = 60...3653 * 86_400
    /// Free bytes of the disk below which nothing is recorded: 0 to 1 PiB.
    package static let freeSpaces: ClosedRange<Int64> = 0...1 << 50
}
