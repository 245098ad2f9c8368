// SPDX-License-Identifier: Apache-2.0

/// What an input device is, as far as the X server tells it.
///
/// It has no serial number: two devices of one make are alike.
package struct Device: Equatable, Sendable, Redacted {
    /// What a device is used as.
    ///
    /// The raw values are stored in batches: they are never reused (`Documentation/Format.md`).
    package enum Kind: UInt8, CaseIterable, Sendable {
        case other = 0
        case keyboard
        case mouse
        case touchpad
        case touchscreen
        case tablet

        /// The word in exports and logs.
        package var name: String { "\(self)" }
    }

    /// One valuator of a device.
    package struct Axis: Equatable, Sendable {
        /// The server's number of it.
        package var number: UInt8
        /// The server's word for it: `Rel X`, `Abs Pressure`; empty where it has none.
        package var label: String
        /// Whether its values are positions instead of movements.
        package var isAbsolute: Bool
        /// The least and the greatest value; the same where the axis has no bounds.
        package var range: ClosedRange<Int32>
        /// Counts per metre; 0 where nobody knows.
        package var resolution: Int32

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

    package var name: String
    package var kind: Kind
    /// The USB or Bluetooth numbers of maker and model; 0 where the driver does not tell them.
    package var vendor: UInt16
    package var product: UInt16
    package var buttons: UInt8
    /// The XInput2 id of the master it moves or types for; 0 while it floats.
    package var master: UInt8
    package var axes: [Axis]
    /// Whether it is the server's XTEST device: what it sends was made by programs, not by hands.
    package var isInjected = false
    /// What programs are told of each of its buttons, from button 1 on (0: nothing); empty where
    /// each has its own number.
    package var buttonMap: [UInt8] = []

    /// Whether a name is one that the X server gives to its XTEST devices.
    ///
    /// It decides only where nothing better is known: anybody can name a device so.
    package static func isInjected(byName name: String) -> Bool {
        name.hasSuffix(" XTEST keyboard") || name.hasSuffix(" XTEST pointer")
    }

    /// The axes of its position; nil for what tells movements.
    package var position: (x: Axis, y: Axis)? {
        let positions = axes.filter { $0.isAbsolute && $0.number < 2 }
        return positions.count == 2 ? (positions[0], positions[1]) : nil
    }

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
