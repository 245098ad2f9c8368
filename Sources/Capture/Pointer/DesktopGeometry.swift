// SPDX-License-Identifier: Apache-2.0

import Events

/// The area of the desktop in which a pointer can be.
struct DesktopGeometry {
    let screen: ScreenLayout
    private let width: Double
    private let height: Double
    /// Whether the monitors leave a part of the desktop dark.
    private let hasDark: Bool

    init(_ screen: ScreenLayout) {
        self.screen = screen
        width = Double(screen.width)
        height = Double(screen.height)
        // Mirrored monitors count twice; then a dark part is overlooked, nothing worse.
        let lit = screen.monitors.reduce(0) { $0 + Int($1.width) * Int($1.height) }
        hasDark = lit > 0 && lit < Int(screen.width) * Int(screen.height)
    }

    /// The position for a device's values, with its fraction.
    func position(_ values: DeadReckoning.Point, _ scales: AxisScale.Desktop) -> DeadReckoning.Point
    {
        (scales.x.pixel(values.x, of: screen.width), scales.y.pixel(values.y, of: screen.height))
    }

    /// The position at which the server leaves a pointer that is moved to `point`.
    ///
    /// The server clips the pixel and keeps the fraction if the pixel does not change
    /// (miPointerSetPosition). So a pointer may be a fraction of a pixel left of the first pixel.
    @inline(__always)
    func confine(_ point: DeadReckoning.Point, from: DeadReckoning.Point) -> DeadReckoning.Point {
        if !hasDark, point.x > -1, point.x < width, point.y > -1, point.y < height { return point }
        return cut(point, from: DeadReckoning.pixel(from))
    }

    private func cut(_ point: DeadReckoning.Point, from: Pixel) -> DeadReckoning.Point {
        let whole = (x: point.x.rounded(.towardZero), y: point.y.rounded(.towardZero))
        var cut = whole
        cut.x = min(max(cut.x, 0), width - 1)
        cut.y = min(max(cut.y, 0), height - 1)
        if hasDark, !screen.monitors.contains(where: { $0.shows(cut.x, cut.y) }),
            let home = screen.monitors.first(where: { $0.shows(Double(from.x), Double(from.y)) })
        {
            cut.x = min(max(cut.x, Double(home.x)), Double(home.x) + Double(home.width) - 1)
            cut.y = min(max(cut.y, Double(home.y)), Double(home.y) + Double(home.height) - 1)
        }
        return (cut.x == whole.x ? point.x : cut.x, cut.y == whole.y ? point.y : cut.y)
    }
}

extension ScreenLayout.Monitor {
    fileprivate func shows(_ x: Double, _ y: Double) -> Bool {
        x >= Double(self.x) && x < Double(self.x) + Double(width)
            && y >= Double(self.y) && y < Double(self.y) + Double(height)
    }
}

/// The scale by which the server maps the range of an axis to the desktop.
struct AxisScale {
    /// The scales of a device that reports positions.
    typealias Desktop = (x: AxisScale, y: AxisScale)

    private let least: Double
    /// The maximum plus one; not above the minimum if the axis has no range.
    private let end: Double

    init(_ least: Double, _ most: Double) {
        self.least = least
        end = least < most ? most + 1 : least
    }

    /// The scales of a device; nil if it does not report positions.
    static func desktop(_ device: Device) -> Desktop? {
        device.position.map { desktop($0.x, $0.y) }
    }

    /// The scales of two axes, whatever their labels.
    static func desktop(_ x: Device.Axis, _ y: Device.Axis) -> Desktop {
        (AxisScale(x.range), AxisScale(y.range))
    }

    private init(_ range: ClosedRange<Int32>) {
        self.init(Double(range.lowerBound), Double(range.upperBound))
    }

    /// The pixel for a value, with its fraction; an axis without a range is already in pixels.
    func pixel(_ value: Double, of size: UInt16) -> Double {
        end > least ? (value - least) * Double(size) / (end - least) : value
    }
}

extension Int16 {
    /// The integral part, clamped to the bounds of the type.
    init(near value: Double) {
        self = Int16(Swift.min(Swift.max(value.rounded(.towardZero), -32_768), 32_767))
    }
}
