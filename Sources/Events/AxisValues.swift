// SPDX-License-Identifier: Apache-2.0

/// The values of a device's first eight valuators, in the device's own units; each may be absent.
package struct AxisValues: Equatable, Sendable, BitwiseCopyable, Redacted {
    /// The numbers of the valuators that can be stored.
    package static let axes = 0..<8

    /// A bit mask: bit n is set if axis n has a value.
    package private(set) var present: UInt8 = 0
    private var values = InlineArray<8, Int32>(repeating: 0)

    /// Creates a set without values.
    package init() {}

    /// The value of an axis in 0…7; nil if it has none.
    package subscript(axis: Int) -> Int32? {
        get { present & 1 << UInt8(axis) != 0 ? values[axis] : nil }
        set {
            values[axis] = newValue ?? 0
            if newValue == nil {
                present &= ~(1 << UInt8(axis))
            } else {
                present |= 1 << UInt8(axis)
            }
        }
    }

    /// Compares the values that are present.
    package static func == (left: AxisValues, right: AxisValues) -> Bool {
        left.present == right.present && axes.allSatisfy { left.values[$0] == right.values[$0] }
    }

    /// The axes that have values, in ascending order.
    package var reported: [(axis: Int, value: Int32)] {
        Self.axes.compactMap { axis in self[axis].map { (axis, $0) } }
    }

    /// The text for a table with one column, such as `0=512 2=40`.
    package var words: String { reported.map { "\($0.axis)=\($0.value)" }.joined(separator: " ") }
}
