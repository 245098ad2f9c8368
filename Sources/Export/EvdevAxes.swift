// SPDX-License-Identifier: Apache-2.0

import Events

/// The kernel's codes of a device's axes, and its way to report fingers (multi-touch protocol B).
///
/// Each finger has a slot. The codes are those of `linux/input-event-codes.h`.
struct EvdevAxes {
    typealias Value = (type: UInt16, code: UInt16, value: Int32)

    static let (pen, touch): (UInt16, UInt16) = (320, 330)
    /// The buttons of a pen: its tip (BTN_TOUCH) and those at its side (BTN_STYLUS, BTN_STYLUS2).
    static let penButtons: [UInt16] = [touch, 331, 332]
    private static let (slot, position, contact): (UInt16, UInt16, UInt16) = (47, 53, 57)
    private static let pressure = (pen: UInt16(24), finger: UInt16(58))

    private let isTouched: Bool
    private let axes: [(number: Int, code: UInt16, range: ClosedRange<Int32>, resolution: Int32)]
    /// The slots of the fingers that are down.
    private var fingers: Set<UInt8> = []
    /// The slot that was last selected.
    private var current: UInt8?
    /// The next tracking id of a finger.
    private var contacts: Int32 = 0

    /// Maps the axes of a device; nil when it has no two axes of a position.
    ///
    /// - Parameters:
    ///   - device: the description; nil when there is none.
    ///   - isTouched: whether it reports fingers rather than a pen.
    init?(_ device: Device?, isTouched: Bool) {
        guard let device, device.position != nil else { return nil }
        self.isTouched = isTouched
        axes = device.axes.filter(\.isAbsolute).compactMap { axis in
            Self.code(axis, isTouched).map {
                // The kernel counts resolution per millimetre, X per metre.
                (Int(axis.number), $0, axis.range, axis.resolution / 1000)
            }
        }
    }

    private static func code(_ axis: Device.Axis, _ isTouched: Bool) -> UInt16? {
        if axis.number < 2 { return UInt16(axis.number) + (isTouched ? position : 0) }
        switch axis.label {
        case "Abs Pressure", "Abs MT Pressure": return isTouched ? pressure.finger : pressure.pen
        case "Abs Z": return 2
        case "Abs Rotary Z": return 5
        case "Abs Wheel": return 8
        case "Abs Distance": return 25
        case "Abs Tilt X": return 26
        case "Abs Tilt Y": return 27
        default: return nil
        }
    }

    /// The axes with their ranges and their resolutions in counts per millimetre.
    var infos: [(code: UInt16, range: ClosedRange<Int32>, resolution: Int32)] {
        let own = axes.map { ($0.code, $0.range, $0.resolution) }
        guard isTouched else { return own }
        return [(Self.slot, 0...255, 0)] + own + [(Self.contact, 0...Int32(UInt16.max), 0)]
    }

    /// Converts the values of a pen, and counts those without a code in the kernel.
    func values(_ reported: AxisValues) -> (values: [Value], omitted: Int) {
        let values = reported.reported.compactMap { axis, value -> Value? in
            let code = axes.first { $0.number == axis }?.code
            return code.map { (EvdevType.absolute, $0, value) }
        }
        return (values, reported.reported.count - values.count)
    }

    /// Converts the values of a finger, and counts those without a code in the kernel.
    mutating func values(_ touch: Touch) -> (values: [Value], omitted: Int) {
        var frame: [Value] = []
        if current != touch.finger {
            current = touch.finger
            frame.append((EvdevType.absolute, Self.slot, Int32(touch.finger)))
        }
        // A finger whose first event was omitted begins with the first one that was recorded.
        if fingers.insert(touch.finger).inserted {
            frame.append((EvdevType.absolute, Self.contact, contacts))
            contacts = (contacts + 1) % Int32(UInt16.max)
            if fingers.count == 1 { frame.append((EvdevType.key, Self.touch, 1)) }
        }
        let (values, omitted) = values(touch.values)
        frame += values
        if touch.phase == .up {
            fingers.remove(touch.finger)
            frame.append((EvdevType.absolute, Self.contact, -1))
            if fingers.isEmpty { frame.append((EvdevType.key, Self.touch, 0)) }
        }
        return (frame, omitted)
    }
}
