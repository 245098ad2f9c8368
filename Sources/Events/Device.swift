// SPDX-License-Identifier: Apache-2.0

/// An input device as the X server describes it.
///
/// X reports no serial number: two devices of the same model are indistinguishable.
package struct Device: Equatable, Sendable, Redacted {
    /// The purpose of a device.
    ///
    /// The raw values are stored in batches, so they are never reused
    /// (`Documentation/Format.md`).
    package enum Kind: UInt8, CaseIterable, Sendable {
        case other = 0
        case keyboard
        case mouse
        case touchpad
        case touchscreen
        case tablet

        /// The word for it in exports and logs.
        package var name: String { "\(self)" }
    }

    /// One valuator of a device (XInput2).
    package struct Axis: Equatable, Sendable {
        /// The valuator's number on its device.
        package var number: UInt8
        /// The server's label, such as `Rel X` or `Abs Pressure`; empty if there is none.
        package var label: String
        /// Whether the values are positions; otherwise they are motions.
        package var isAbsolute: Bool
        /// The minimum and maximum value; equal if the axis has no bounds.
        package var range: ClosedRange<Int32>
        /// Resolution in units per metre; 0 if unknown.
        package var resolution: Int32

        /// Creates a valuator description; by default a relative one without bounds.
        package init(
            number: UInt8,
            label: String = "",
            isAbsolute: Bool = false,
            range: ClosedRange<Int32> = 0...0,
            resolution: Int32 = 0
        ) {
            self.number = number
            self.label = label
            self.isAbsolute = isAbsolute
            self.range = range
            self.resolution = resolution
        }
    }

    /// The name that the driver gives the device.
    package var name: String
    /// What the device is used as.
    package var kind: Kind
    /// The USB or Bluetooth vendor id; 0 if the driver does not report it.
    package var vendor: UInt16
    /// The USB or Bluetooth product id; 0 if the driver does not report it.
    package var product: UInt16
    /// The number of buttons, at most 255.
    package var buttons: UInt8
    /// The XInput2 id of its master device; 0 while it floats.
    package var master: UInt8
    /// Its valuators.
    package var axes: [Axis]
    /// Whether it is the server's XTEST device, whose events come from programs and not from hands.
    package var isInjected = false
    /// The logical number of each physical button, from button 1 on; 0 means that the button is
    /// disabled.
    ///
    /// Empty if each button keeps its own number.
    package var buttonMap: [UInt8] = []

    /// Whether a name is one that the X server gives its XTEST devices.
    ///
    /// Use it only if nothing better is known: any device may carry such a name.
    package static func isInjected(byName name: String) -> Bool {
        name.hasSuffix(" XTEST keyboard") || name.hasSuffix(" XTEST pointer")
    }

    /// The two axes of its position; nil for a device that reports motions.
    package var position: (x: Axis, y: Axis)? {
        let positions = axes.filter { $0.isAbsolute && $0.number < 2 }
        return positions.count == 2 ? (positions[0], positions[1]) : nil
    }

    /// Creates a device that is not injected and has no button map.
    package init(
        name: String,
        kind: Kind = .other,
        vendor: UInt16 = 0,
        product: UInt16 = 0,
        buttons: UInt8 = 0,
        master: UInt8 = 0,
        axes: [Axis] = []
    ) {
        self.name = name
        self.kind = kind
        self.vendor = vendor
        self.product = product
        self.buttons = buttons
        self.master = master
        self.axes = axes
    }
}
