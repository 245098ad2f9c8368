// SPDX-License-Identifier: Apache-2.0

import Bus

/// The icon: the mark of the screen, in the colour of the state.
enum Icon {
    /// The colours of the states, as 0xRRGGBB.
    enum Look: UInt32 {
        case recording = 0xD9_2020
        case paused = 0x80_8080
        /// Nothing is recorded, for another reason than a pause.
        case closed = 0x50_5050
    }

    /// The icon in two sizes, `a(iiay)`: ARGB32, big-endian, not premultiplied.
    static func pixmaps(_ look: Look) -> BusValue {
        .array(of: "(iiay)", [22, 48].map { pixmap(look, $0) })
    }

    /// A disc in a white and a dark ring; while nothing is recorded, the disc is open.
    private static func pixmap(_ look: Look, _ size: Int) -> BusValue {
        var bytes: [BusValue] = []
        let centre = Double(size - 1) / 2
        for y in 0..<size {
            for x in 0..<size {
                let (dx, dy) = (Double(x) - centre, Double(y) - centre)
                let part = (dx * dx + dy * dy).squareRoot() / (Double(size) / 2)
                let isHole = look != .recording && part < 0.35
                let colour: UInt32? =
                    part > 1
                    ? nil
                    : part > 0.88
                        ? 0x20_2020
                        : part > 0.72 || isHole
                            ? 0xFF_FFFF
                            : look.rawValue
                let argb = colour.map { $0 | 0xFF00_0000 } ?? 0
                for shift in [24, 16, 8, 0] as [UInt32] {
                    bytes.append(.byte(UInt8(truncatingIfNeeded: argb >> shift)))
                }
            }
        }
        return .record([.int32(Int32(size)), .int32(Int32(size)), .array(of: "y", bytes)])
    }
}
