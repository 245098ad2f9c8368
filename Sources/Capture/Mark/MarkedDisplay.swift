// SPDX-License-Identifier: Apache-2.0

import Events
import System

/// The X server with the mark on its screen, without which nothing is listened to.
///
/// The mark is on the keyboard's connection: the end of one is the end of the other.
final class MarkedDisplay {
    let xlib: XlibConnection
    let keyboard: X11Connection
    private let windows: MarkWindows
    private var keeper = MarkKeeper()
    private var settings: MarkSettings

    /// Connects to the server and shows the mark.
    ///
    /// - Parameter settings: How it is shown.
    /// - Throws: ``CaptureError`` if the server is unreachable, unsuitable or Xwayland.
    init(_ settings: MarkSettings) throws(CaptureError) {
        xlib = try XlibConnection()
        if xlib.isXWayland { throw CaptureError(.wayland) }
        keyboard = try X11Connection(xlib, role: .keyboard)
        keyboard.wire.markIDs = keyboard.wire.ids
        self.settings = settings
        windows = MarkWindows(keyboard)
        showAnew()
        _ = look(oldest: nil)
        guard !keyboard.isLost else { throw CaptureError(.unreachable) }
    }

    /// Whether the mark was seen at the last look.
    var isSeen: Bool { keeper.isSeen }

    /// The time at which to look without an event, in ms of CLOCK_MONOTONIC; nil for never.
    var lookDue: Int64? { keeper.lookDue }

    /// What is known of the mark.
    var report: MarkReport {
        MarkReport(
            isSeen: keeper.isSeen,
            since: keeper.since,
            cause: keeper.reason,
            monitors: windows.count,
            hasGivenUp: keeper.hasGivenUp
        )
    }

    /// The changes since the last call.
    func takeChanges() -> [MarkChange] { keeper.takeChanges() }

    /// Looks at the mark after a round was read, and shows it again if it was hidden.
    ///
    /// - Parameter oldest: The time of the oldest input of the round; nil for none.
    /// - Returns: The moment after which input may be handed on; nil if none may.
    func look(oldest: EventTime?) -> EventTime? {
        let wire = keyboard.wire
        let notices = wire.markNotices
        wire.markNotices = 0
        let moment = keeper.judge(
            notices: notices,
            oldest: oldest,
            { MarkKeeper.Clocks(now: Proc.now(), suspended: Self.suspended) },
            // What came with the answer happened before it.
            look: { windows.areSeen(isExact: settings.isExact) && wire.markNotices == 0 },
            show: { show() }
        )
        return keyboard.isLost ? nil : moment
    }

    private static var suspended: Int64 {
        KernelClock.boottime.milliseconds - KernelClock.monotonic.milliseconds
    }

    /// Changes how the mark is shown.
    func use(_ settings: MarkSettings) {
        guard settings != self.settings else { return }
        self.settings = settings
        showAnew()
    }

    /// Shows the mark anew, as after a change of the monitors.
    func showAnew() {
        keeper.noteShown(at: Proc.now(), isComposited: show())
    }

    /// Shows the mark on the present monitors; returns whether a compositor paints it.
    private func show() -> Bool {
        if let screen = keyboard.wire.screen() { windows.show(on: screen, in: settings.corner) }
        return windows.areComposited
    }

    /// Shows whether the window in front is recorded or left out.
    func draw(_ shape: MarkWindows.Shape) { windows.draw(shape) }
}
