// SPDX-License-Identifier: Apache-2.0

/// The values of some of a device's first eight axes, in the device's own units.
package struct AxisValues: Equatable, Sendable, BitwiseCopyable, Redacted {
    /// The axes that can be told.
    package static let axes = 0..<8

    /// Bit n: axis n has a value.
    package private(set) var present: UInt8 = 0
    private var values = InlineArray<8, Int32>(repeating: 0)

    /// No value.
    package init() {}

    /// The value of an axis; nil where it has none.
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

    package static func == (left: AxisValues, right: AxisValues) -> Bool {
        left.present == right.present && axes.allSatisfy { left.values[$0] == right.values[$0] }
    }

    /// The axes that have values, in their order.
    package var reported: [(axis: Int, value: Int32)] {
        Self.axes.compactMap { axis in self[axis].map { (axis, $0) } }
    }

    /// What tables of one column hold: `0=512 2=40`.
    package var words: String { reported.map { "\($0.axis)=\($0.value)" }.joined(separator: " ") }
}
