// SPDX-License-Identifier: Apache-2.0

import CX11

extension X11Connection {
    /// The atom of WM_CLASS, predefined by the protocol.
    var classAtom: UInt { 67 }

    /// What is to be told about a window.
    enum WindowInterest {
        /// Focus changes, and windows born inside it.
        case root
        /// Focus changes.
        case focus
        /// Focus changes, changes of its properties, and its end.
        case focusAndClass

        fileprivate var mask: Int {
            switch self {
            case .root: FocusChangeMask | SubstructureNotifyMask
            case .focus: FocusChangeMask
            case .focusAndClass: FocusChangeMask | PropertyChangeMask | StructureNotifyMask
            }
        }
    }

    /// Asks to be told about a window; one that is already gone is ignored.
    func watch(_ window: UInt, for interest: WindowInterest) {
        unsafe XSelectInput(display, window, interest.mask)
    }

    /// The window that has the focus, or nil when the focus is nowhere or follows the pointer.
    func focusedWindow() -> UInt? {
        var window: UInt = 0
        var revert: Int32 = 0
        unsafe XGetInputFocus(display, &window, &revert)
        // 0 is None and 1 is PointerRoot.
        return isLost || window <= 1 ? nil : window
    }

    /// The parent and the children of a window; nil when it is gone.
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

    /// The class part of a window's own WM_CLASS; nil when it has none.
    func ownClass(of window: UInt) -> String? {
        var hint = unsafe XClassHint()
        guard unsafe XGetClassHint(display, window, &hint) != 0 else { return nil }
        defer {
            if let name = unsafe hint.res_name { unsafe XFree(name) }
            if let name = unsafe hint.res_class { unsafe XFree(name) }
        }
        guard let name = unsafe hint.res_class else { return nil }
        let text = unsafe String(cString: name)
        return text.isEmpty ? nil : String(text.prefix(128))
    }
}
