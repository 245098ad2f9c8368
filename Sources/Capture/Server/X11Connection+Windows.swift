// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// The events to select on a window.
    enum WindowInterest {
        /// The root, for the keyboard: focus changes and new children.
        case rootFocus
        /// The root, for the pointer: crossings, new children, and its size.
        case rootCrossing
        /// Focus changes, entered by the pointer, and its end.
        case focus
        /// The pointer entering and leaving.
        case crossing
        /// Changes of its properties, of its children, and its end.
        case contents
        /// Changes of its properties and its end, with focus changes or crossings.
        case facts(Role)

        fileprivate var mask: Int {
            let crossings = EnterWindowMask | LeaveWindowMask
            let changes = PropertyChangeMask | StructureNotifyMask
            return switch self {
            case .rootFocus: FocusChangeMask | SubstructureNotifyMask | EnterWindowMask
            case .rootCrossing: crossings | SubstructureNotifyMask | StructureNotifyMask
            case .focus: FocusChangeMask | EnterWindowMask | StructureNotifyMask
            case .crossing: crossings
            case .contents: changes | SubstructureNotifyMask
            case .facts(.keyboard): FocusChangeMask | EnterWindowMask | changes
            case .facts(.pointer): crossings | changes
            }
        }
    }

    /// Selects events of a window; a window that is already gone is ignored.
    ///
    /// The mark's windows are not watched as windows of programs.
    func watch(_ window: UInt, for interest: WindowInterest) {
        guard !isMark(window) else { return }
        let mask = select(interest.mask, of: window)
        wire.select(UInt32(mask), of: UInt32(truncatingIfNeeded: window))
        // The next query about the window goes through the other connection.
        switch interest {
        case .crossing, .focus: break
        default: wire.synchronize()
        }
    }

    /// Queries the child of the root that contains the pointer.
    ///
    /// - Parameter atRest: Whether to return nil while a button is down, when the server reports no
    ///   crossings.
    /// - Returns: The window, 0 for none; nil if the server does not report it or the pointer is on
    ///   another screen.
    func pointedWindow(atRest: Bool = false) -> UInt? {
        var (root, child): (UInt, UInt) = (0, 0)
        var geometry: (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        var state: UInt32 = 0
        let isHere = unsafe XQueryPointer(
            display,
            self.root,
            &root,
            &child,
            &geometry.0,
            &geometry.1,
            &geometry.2,
            &geometry.3,
            &state
        )
        let buttons = UInt32(Button1Mask | Button2Mask | Button3Mask | Button4Mask | Button5Mask)
        guard isHere != 0, !isLost, !atRest || state & buttons == 0 else { return nil }
        return child
    }

    /// The child of the root at a pixel, 0 for none; nil if the server does not report it.
    func window(at pixel: Pixel) -> UInt? {
        var (x, y): (Int32, Int32) = (0, 0)
        var child: UInt = 0
        let (fromX, fromY) = (Int32(pixel.x), Int32(pixel.y))
        let isHere = unsafe XTranslateCoordinates(
            display,
            root,
            root,
            fromX,
            fromY,
            &x,
            &y,
            &child
        )
        return isHere != 0 && !isLost ? child : nil
    }

    /// The parent and the children of a window; nil if it is gone.
    func family(of window: UInt) -> (parent: UInt, children: [UInt])? {
        var root: UInt = 0
        var parent: UInt = 0
        var children: UnsafeMutablePointer<UInt>?
        var count: UInt32 = 0
        guard unsafe XQueryTree(display, window, &root, &parent, &children, &count) != 0 else {
            return nil
        }
        defer { if let children = unsafe children { unsafe XFree(children) } }
        return (parent, unsafe Array(UnsafeBufferPointer(start: children, count: Int(count))))
    }

    /// Whether window managers ignore a window, as they do menus (override-redirect); nil if it is
    /// gone.
    func isOverrideRedirect(_ window: UInt) -> Bool? {
        var attributes = unsafe XWindowAttributes()
        guard unsafe XGetWindowAttributes(display, window, &attributes) != 0 else { return nil }
        return unsafe attributes.override_redirect != 0
    }

    /// The visible children of the root.
    var shownWindows: [UInt] {
        (family(of: root)?.children ?? []).filter { !isMark($0) && isViewable($0) }
    }

    /// Whether a window is one of the mark's.
    private func isMark(_ window: UInt) -> Bool {
        wire.markIDs?.contains(UInt32(truncatingIfNeeded: window)) ?? false
    }

    /// Whether a window and all its ancestors are mapped.
    private func isViewable(_ window: UInt) -> Bool {
        var attributes = unsafe XWindowAttributes()
        guard unsafe XGetWindowAttributes(display, window, &attributes) != 0 else { return false }
        return unsafe attributes.map_state == IsViewable
    }

    /// The root windows of the server's other screens.
    var otherRoots: [UInt] {
        (0..<(unsafe XScreenCount(display))).map { unsafe XRootWindow(display, $0) }
            .filter { $0 != root }
    }

    /// The resource base of the client that created a window, equal for all its windows.
    func client(of window: UInt) -> UInt {
        window & ~(unsafe mci_resource_mask(display))
    }
}
