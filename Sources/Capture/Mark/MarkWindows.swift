// SPDX-License-Identifier: Apache-2.0

import Events
import Wire

/// The windows by which everybody at the screen sees that mcid reads its input: one on each monitor.
///
/// They belong to the keyboard's connection, so whoever ends them with their client ends the
/// recording. They are above all others when they are shown, take no input, and window managers
/// leave them alone.
///
/// This is the only code that reads pixels, and only those of the windows themselves: a pixel is
/// named by a window and a point of the shape, and never leaves this file.
final class MarkWindows {
    /// Width and height of a window in pixels.
    static let size: Int16 = 24
    /// The distance from the edges of the monitor in pixels.
    private static let margin: Int16 = 2

    /// The name of the windows, for whoever asks the server what they are.
    private static let name = "mci"

    /// What the mark says.
    enum Shape {
        /// Input is recorded: a disc.
        case disc
        /// The window in front is left out: a ring.
        case ring
        /// A demonstration is recorded: a disc in a ring.
        case target

        /// Circles around the centre, the later above the earlier.
        fileprivate var circles: [(diameter: UInt16, colour: Colour)] {
            switch self {
            case .disc: [(24, .dark), (20, .white), (12, .red)]
            case .ring: [(24, .dark), (20, .white), (16, .red), (8, .white)]
            case .target: [(24, .dark), (20, .white), (16, .red), (12, .white), (6, .red)]
            }
        }

        /// Two points of different colours.
        fileprivate var points: [Point] {
            switch self {
            case .disc: [Point(x: 12, y: 12, colour: .red), Point(x: 12, y: 4, colour: .white)]
            case .ring: [Point(x: 12, y: 12, colour: .white), Point(x: 12, y: 6, colour: .red)]
            case .target: [Point(x: 12, y: 12, colour: .red), Point(x: 12, y: 7, colour: .white)]
            }
        }
    }

    fileprivate enum Colour: Int, CaseIterable {
        case dark, white, red

        /// Red, green and blue, 0 to 255.
        var parts: (UInt16, UInt16, UInt16) {
            switch self {
            case .dark: (0x20, 0x20, 0x20)
            case .white: (0xFF, 0xFF, 0xFF)
            case .red: (0xD9, 0x20, 0x20)
            }
        }
    }

    fileprivate struct Point {
        var x: Int16
        var y: Int16
        var colour: Colour
    }

    private struct Window {
        var id: UInt32
        var place: Pixel
    }

    private let wire: EventWire
    private let type: UInt32
    private let notification: UInt32
    private let compositor: UInt32
    /// The pixels of the colours.
    private var colours: [UInt32] = []
    private var windows: [Window] = []
    private(set) var shape = Shape.disc
    private var lastID: UInt32 = 0

    /// The number of windows, one for each monitor.
    var count: Int { windows.count }

    /// Prepares the mark; nothing is shown yet.
    ///
    /// - Parameter connection: The keyboard's connection.
    init(_ connection: X11Connection) {
        wire = connection.wire
        type = connection.atom("_NET_WM_WINDOW_TYPE")
        notification = connection.atom("_NET_WM_WINDOW_TYPE_NOTIFICATION")
        compositor = connection.atom("_NET_WM_CM_S0")
        colours = Colour.allCases.map { colour in
            let (red, green, blue) = colour.parts
            // AllocColor
            let request = wire.request(
                84,
                0,
                wire.colormap,
                UInt32(red * 257) | UInt32(green * 257) << 16,
                UInt32(blue * 257)
            )
            return wire.ask(request)?.uint32(at: 16) ?? 0
        }
    }

    // MARK: Showing

    /// Shows new windows above all others, instead of earlier ones.
    ///
    /// - Parameters:
    ///   - screen: The desktop.
    ///   - corner: The corner of each monitor.
    func show(on screen: ScreenLayout, in corner: MarkCorner) {
        let places = Self.places(on: screen, corner)
        var requests = windows.map { wire.request(4, 0, $0.id) }
        let (picture, pen) = (newID(), newID())
        requests += drawShape(on: picture, pen)
        let (outline, marker) = (newID(), newID())
        requests += draw(outline, marker, depth: 1, [(UInt16(Self.size), 1)])
        windows = places.map { Window(id: newID(), place: $0) }
        for window in windows { requests += create(window, picture, outline) }
        // FreeGC, FreePixmap
        for id in [pen, marker] { requests.append(wire.request(60, 0, id)) }
        for id in [picture, outline] { requests.append(wire.request(54, 0, id)) }
        wire.send(requests)
        wire.synchronize()
        wire.markNotices = 0
    }

    /// Changes the shape of the shown windows.
    func draw(_ shape: Shape) {
        guard shape != self.shape else { return }
        self.shape = shape
        let (picture, pen) = (newID(), newID())
        var requests = drawShape(on: picture, pen)
        for window in windows {
            // ChangeWindowAttributes: the background; ClearArea: the whole window.
            requests.append(wire.request(2, 0, window.id, 1 << 0, picture))
            requests.append(wire.request(61, 0, window.id, 0, 0))
        }
        requests += [wire.request(60, 0, pen), wire.request(54, 0, picture)]
        wire.send(requests)
        wire.synchronize()
    }

    private func create(_ window: Window, _ picture: UInt32, _ outline: UInt32) -> [[UInt8]] {
        let size = UInt32(Self.size) | UInt32(Self.size) << 16
        // Background, override-redirect, and the events VisibilityChange, StructureNotify and
        // PropertyChange.
        let attributes: UInt32 = 1 << 0 | 1 << 9 | 1 << 11
        let events: UInt32 = 1 << 16 | 1 << 17 | 1 << 22
        return [
            // CreateWindow, InputOutput
            wire.request(
                1,
                0,
                window.id,
                wire.root,
                Self.pair(window.place.x, window.place.y),
                size,
                1 << 16,
                0,
                attributes,
                picture,
                1,
                events
            ),
            // ShapeMask: the outline; ShapeRectangles: no input; ShapeSelectInput
            wire.request(wire.codes.markShape, 2, 0, window.id, 0, outline),
            wire.request(wire.codes.markShape, 1, 2 << 8, window.id, 0),
            wire.request(wire.codes.markShape, 6, window.id, 1),
            // ChangeProperty: an atom (4) of 32 bits
            wire.request(18, 0, window.id, type, 4, 32, 1, notification),
            // WM_NAME (39): a string (31) of bytes
            wire.request(
                18,
                0,
                window.id,
                39,
                31,
                8,
                UInt32(Self.name.utf8.count),
                text: Self.name
            ),
            // MapWindow
            wire.request(8, 0, window.id),
        ]
    }

    /// Draws the shape on a new pixmap.
    private func drawShape(on picture: UInt32, _ pen: UInt32) -> [[UInt8]] {
        draw(picture, pen, depth: wire.depth, shape.circles.map { ($0, pixel($1)) })
    }

    /// Draws circles on a new pixmap.
    private func draw(
        _ picture: UInt32,
        _ pen: UInt32,
        depth: UInt8,
        _ circles: [(diameter: UInt16, pixel: UInt32)]
    ) -> [[UInt8]] {
        let size = UInt32(Self.size) | UInt32(Self.size) << 16
        let foreground: UInt32 = 1 << 2
        // CreatePixmap, CreateGC, and PolyFillRectangle of everything
        var requests = [
            wire.request(53, depth, picture, wire.root, size),
            wire.request(55, 0, pen, picture, foreground, 0),
            wire.request(70, 0, picture, pen, 0, size),
        ]
        for (diameter, pixel) in circles {
            // ChangeGC, and PolyFillRectangle of each row
            requests.append(wire.request(56, 0, pen, foreground, pixel))
            requests += Self.rows(of: Int16(diameter)).map { x, y, width in
                wire.request(70, 0, picture, pen, Self.pair(x, y), UInt32(width) | 1 << 16)
            }
        }
        return requests
    }

    /// The rows of a circle in the middle; those of a server's own differ with its arithmetic.
    private static func rows(of diameter: Int16) -> [(x: Int16, y: Int16, width: UInt16)] {
        let radius = Double(diameter) / 2
        return (0..<diameter).map { row in
            let distance = Double(row) + 0.5 - radius
            let half = Int16((radius * radius - distance * distance).squareRoot().rounded())
            return (size / 2 - half, (size - diameter) / 2 + row, UInt16(2 * half))
        }
    }

    private func pixel(_ colour: Colour) -> UInt32 { colours[colour.rawValue] }

    /// An id for a resource; those of earlier ones, which are gone, come again.
    private func newID() -> UInt32 {
        lastID = lastID % 0xFFFF + 1
        return wire.ids.base | lastID & wire.ids.mask
    }

    private static func pair(_ x: Int16, _ y: Int16) -> UInt32 {
        UInt32(UInt16(bitPattern: x)) | UInt32(UInt16(bitPattern: y)) << 16
    }

    private static func places(on screen: ScreenLayout, _ corner: MarkCorner) -> [Pixel] {
        var monitors = screen.monitors.map { (Int($0.x), Int($0.y), Int($0.width), Int($0.height)) }
        if monitors.isEmpty { monitors = [(0, 0, Int(screen.width), Int(screen.height))] }
        let inset = Int(margin)
        var places: [Pixel] = []
        for (x, y, width, height) in monitors {
            let right = x + width - Int(size) - inset
            let bottom = y + height - Int(size) - inset
            let place = Pixel(
                x: Int16(clamping: corner.isRight ? right : x + inset),
                y: Int16(clamping: corner.isBottom ? bottom : y + inset)
            )
            // Monitors may show the same part of the desktop.
            if !places.contains(place) { places.append(place) }
        }
        return places
    }

    // MARK: Looking

    /// Whether a compositor paints the screen, some time after windows change (GetSelectionOwner).
    var areComposited: Bool {
        (wire.ask(wire.request(23, 0, compositor))?.uint32(at: 8) ?? 0) != 0
    }

    /// Looks at every window.
    ///
    /// - Parameter isExact: False if it is enough that two pixels differ, as behind a colour filter.
    /// - Returns: Whether each can be seen: two of its pixels have the colours that were drawn.
    func areSeen(isExact: Bool) -> Bool {
        !windows.isEmpty
            && windows.allSatisfy { window in
                let seen = shape.points.map { pixel(at: $0, of: window) }
                guard seen.allSatisfy({ $0 != nil }) else { return false }
                if !isExact { return seen[0] != seen[1] }
                return seen == shape.points.map { pixel($0.colour) & mask }
            }
    }

    /// The bits of a pixel.
    private var mask: UInt32 { wire.depth >= 32 ? .max : 1 << UInt32(wire.depth) - 1 }

    /// What the screen shows at a point of a window (GetImage of one pixel of the root window).
    private func pixel(at point: Point, of window: Window) -> UInt32? {
        let place = Self.pair(window.place.x + point.x, window.place.y + point.y)
        // ZPixmap, one pixel, all planes
        let request = wire.request(73, 2, wire.root, place, 1 | 1 << 16, .max)
        return wire.ask(request)?.uint32(at: 32).map { $0 & mask }
    }
}
