// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Glibc

/// RandR by libXrandr, loaded where there is one.
///
/// Nearly every desktop has the library, but neither building nor recording may need it; Xlib alone
/// has no request for monitors. Without it the size of the whole desktop is all that is known.
@safe struct MonitorLibrary {
    private typealias Query =
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) ->
        Int32
    private typealias Select = @convention(c) (OpaquePointer?, UInt, Int32) -> Void
    private typealias Get =
        @convention(c) (OpaquePointer?, UInt, Int32, UnsafeMutablePointer<Int32>) ->
        UnsafeMutablePointer<mci_monitor>?
    private typealias Free = @convention(c) (UnsafeMutablePointer<mci_monitor>) -> Void

    private let firstEvent: Int32
    private let get: Get
    private let free: Free

    /// Loads the library; nil where there is none.
    ///
    /// It is never unloaded: Xlib keeps pointers into it.
    @discardableResult
    static func load() -> UnsafeMutableRawPointer? { unsafe dlopen("libXrandr.so.2", RTLD_NOW) }

    /// Begins to listen to changes of monitors; nil where there is no library or no RandR.
    init?(_ display: OpaquePointer, _ root: UInt) {
        guard let library = unsafe Self.load(),
            let query = unsafe dlsym(library, "XRRQueryExtension"),
            let select = unsafe dlsym(library, "XRRSelectInput"),
            let get = unsafe dlsym(library, "XRRGetMonitors"),
            let free = unsafe dlsym(library, "XRRFreeMonitors")
        else { return nil }
        var (event, error): (Int32, Int32) = (0, 0)
        guard unsafe unsafeBitCast(query, to: Query.self)(display, &event, &error) != 0 else {
            return nil
        }
        firstEvent = event
        unsafe self.get = unsafeBitCast(get, to: Get.self)
        unsafe self.free = unsafeBitCast(free, to: Free.self)
        // The screen's size (1), its parts (2) and what is plugged in (4).
        unsafe unsafeBitCast(select, to: Select.self)(display, root, 7)
    }

    /// Whether an event tells of monitors: RRScreenChangeNotify, RRNotify.
    func tells(_ type: Int32) -> Bool { type == firstEvent || type == firstEvent + 1 }

    /// The monitors, the primary one first; empty where the server tells none.
    func monitors(_ display: OpaquePointer, _ root: UInt) -> [ScreenLayout.Monitor] {
        var count: Int32 = 0
        guard let list = unsafe get(display, root, 1, &count) else { return [] }
        defer { unsafe free(list) }
        let all = unsafe UnsafeBufferPointer(start: list, count: Int(max(0, count)))
        let primary = unsafe all.filter { unsafe $0.primary != 0 }
        let others = unsafe all.filter { unsafe $0.primary == 0 }
        return unsafe (primary + others).map { monitor in
            unsafe ScreenLayout.Monitor(
                x: Int16(clamping: monitor.x),
                y: Int16(clamping: monitor.y),
                width: UInt16(clamping: monitor.width),
                height: UInt16(clamping: monitor.height),
                glassWidth: UInt16(clamping: monitor.mwidth),
                glassHeight: UInt16(clamping: monitor.mheight)
            )
        }
    }
}

extension X11Source {
    /// Loads what is loaded by its name, before the sandbox lets no more code in.
    package static func prepare() { unsafe MonitorLibrary.load() }
}

extension X11Connection {
    /// Begins to listen to changes of monitors.
    func followMonitors() {
        unsafe monitors = MonitorLibrary(display, root)
    }

    /// The desktop as it is now; nil where the server does not say.
    func screen() -> ScreenLayout? {
        var (root, place): (UInt, (Int32, Int32)) = (0, (0, 0))
        var (width, height, border, depth): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        let isHere = unsafe XGetGeometry(
            display,
            self.root,
            &root,
            &place.0,
            &place.1,
            &width,
            &height,
            &border,
            &depth
        )
        guard isHere != 0, !isLost else { return nil }
        return ScreenLayout(
            width: UInt16(clamping: width),
            height: UInt16(clamping: height),
            monitors: unsafe monitors?.monitors(display, self.root) ?? []
        )
    }
}
