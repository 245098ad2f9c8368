// SPDX-License-Identifier: Apache-2.0

import CX11

/// What another client of the server sees of the mark.
extension Hand {
    /// Width and height of the screen in pixels.
    var size: (width: Int, height: Int) {
        let screen = XDefaultScreen(display)
        return (Int(XDisplayWidth(display, screen)), Int(XDisplayHeight(display, screen)))
    }

    /// The children of the root with a name, the lowest first.
    func ids(named name: String) -> [UInt] {
        var (root, parent): (UInt, UInt) = (0, 0)
        var children: UnsafeMutablePointer<UInt>?
        var count: UInt32 = 0
        guard
            XQueryTree(
                display,
                XDefaultRootWindow(display),
                &root,
                &parent,
                &children,
                &count
            ) != 0
        else { return [] }
        defer { if let children { XFree(children) } }
        return UnsafeBufferPointer(start: children, count: Int(count)).filter { window in
            var text: UnsafeMutablePointer<CChar>?
            guard XFetchName(display, window, &text) != 0, let text else { return false }
            defer { XFree(text) }
            return String(cString: text) == name
        }
    }

    /// Where these stand.
    func windows(named name: String) -> [(x: Int, y: Int)] {
        ids(named: name).map { window in
            let place = origin(of: window)
            return (Int(place.x), Int(place.y))
        }
    }

    /// The colour that the screen shows at a pixel, as 0xRRGGBB.
    func colour(at place: (x: Int, y: Int)) -> UInt {
        let root = XDefaultRootWindow(display)
        let (x, y) = (Int32(place.x), Int32(place.y))
        guard let image = XGetImage(display, root, x, y, 1, 1, UInt.max, ZPixmap) else { return 0 }
        defer { _ = image.pointee.f.destroy_image(image) }
        return (image.pointee.f.get_pixel(image, 0, 0)) & 0xFF_FFFF
    }

    /// Ends the connection of the client that made a window.
    func endClient(of window: UInt) {
        XKillClient(display, window)
        flush()
    }
}
