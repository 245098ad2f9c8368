// SPDX-License-Identifier: Apache-2.0

import CX11
package import Events

/// The input of an X11 session, read as XInput2 raw events.
///
/// Two connections deliver input. The keyboard's uses XInput 2.0, because only then the server
/// withholds keys during grabs. The pointer's uses 2.2, because only then drags are complete. Their
/// events are merged by the server's time. A third connection selects nothing; it is for queries
/// about the pointer's events. Disconnecting closes all of them, so that nothing can arrive.
package final class X11Source: EventSource {
    private var display: MarkedDisplay?
    private var session: X11Session?
    private var isTitleNeeded: (WindowFacts) -> Bool = { _ in false }
    private var askers = SecretAskers()
    private let authority: AuthorityFile?
    private var markSettings = MarkSettings()

    /// Creates a disconnected source.
    ///
    /// - Parameter authority: The cookie file for the server; nil to use the one in the
    ///   environment.
    package init(_ authority: AuthorityFile? = nil) {
        self.authority = authority
    }

    /// The descriptors of both connections; empty while disconnected.
    ///
    /// While the mark has not been seen yet, it is the keyboard's alone, on which nothing but the
    /// mark is listened to.
    package var descriptors: [Int32] { session?.descriptors ?? promptDescriptors }

    /// The keyboard's descriptor; empty while disconnected.
    package var promptDescriptors: [Int32] { display.map { [$0.keyboard.descriptor] } ?? [] }

    /// The keyboard's descriptor while a terminal is in front; otherwise empty.
    package var urgentDescriptors: [Int32] { session?.urgentDescriptors ?? [] }

    /// The time at which to drain without an event, in ms of CLOCK_MONOTONIC; nil for never.
    package var lookDue: Int64? { session?.lookDue ?? display?.lookDue }

    /// Whether a button is down, so that its release must be read soon.
    package var isDragging: Bool { session?.isDragging ?? false }

    /// Sentences that explain why input that the server shows is not recorded now.
    package var notices: [String] { session?.notices.map(\.sentence) ?? [] }

    /// What is known of the mark; nil while disconnected.
    package var mark: MarkReport? { display?.report }

    /// Since when the mark could be seen or not, since the last call; in order.
    package func takeMarkChanges() -> [MarkChange] { display?.takeChanges() ?? [] }

    /// Sets how the mark is shown.
    package func showMark(_ settings: MarkSettings) {
        markSettings = settings
        display?.use(settings)
    }

    /// Sets whether the mark says that the window in front is left out, or that a demonstration is
    /// recorded.
    package func markFront(isLeftOut: Bool, isDemonstration: Bool) {
        display?.draw(isLeftOut ? .ring : isDemonstration ? .target : .disc)
    }

    /// Has the contexts emitted again, before the next input.
    package func repeatContexts() { session?.repeatContexts() }

    /// The program that may be asking for a secret in the window in front; nil if there is none.
    package var asking: AskingProgram? { session?.asking }

    /// Checks now whether a program asks for a secret; false if there is no terminal to look at.
    package func lookForPrompts() -> Bool { session?.lookForPrompts() ?? false }

    /// Sets which windows need their title, and queries everything about windows again.
    package func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        isTitleNeeded = isNeeded
        session?.readTitles(where: isNeeded)
    }

    /// Sets the programs treated as asking for a secret, for every key read from now on.
    package func lookFor(_ askers: SecretAskers) {
        self.askers = askers
        session?.lookFor(askers)
    }

    /// Refuses sessions in which X11 sees only part of the input.
    ///
    /// - Parameter environment: The environment of the process.
    /// - Throws: ``CaptureError`` `wayland` or `noDisplay`.
    package static func checkSession(_ environment: [String: String]) throws(CaptureError) {
        let isWayland =
            environment["XDG_SESSION_TYPE"] == "wayland"
            || !(environment["WAYLAND_DISPLAY"] ?? "").isEmpty
        let hasDisplay = !(environment["DISPLAY"] ?? "").isEmpty
        if isWayland && (!hasDisplay || environment["XDG_SESSION_TYPE"] != "x11") {
            throw CaptureError(.wayland)
        }
        if !hasDisplay { throw CaptureError(.noDisplay) }
    }

    /// Checks whether the X server can be recorded, without listening to anything.
    ///
    /// - Throws: ``CaptureError`` if the server is unreachable, unsuitable or Xwayland.
    package static func probe() throws(CaptureError) {
        if try XlibConnection().isXWayland { throw CaptureError(.wayland) }
    }

    /// Connects and begins to listen; an existing connection is closed first.
    ///
    /// - Throws: ``CaptureError`` if the server is unreachable, unsuitable or Xwayland.
    package func connect() throws(CaptureError) {
        disconnect()
        authority?.use()
        let display = try MarkedDisplay(markSettings)
        self.display = display
        try listen(display)
    }

    /// Begins to listen if the mark is seen.
    private func listen(_ display: MarkedDisplay) throws(CaptureError) {
        guard display.isSeen else { return }
        do throws(CaptureError) {
            session = try X11Session(display, readTitles: isTitleNeeded, askers)
        } catch {
            disconnect()
            throw error
        }
    }

    /// Closes all connections and discards what was not read.
    package func disconnect() {
        session = nil
        display = nil
    }

    /// Emits all events that have arrived, with both streams merged by the server's time.
    ///
    /// - Parameters:
    ///   - now: The time of the drain.
    ///   - sink: Receives the events of each stream in order.
    /// - Returns: The number of items read from the server, emitted or not.
    /// - Throws: ``CaptureError`` `connectionLost`; the source is then disconnected.
    package func drain(
        now: EventTime,
        into sink: inout some CaptureSink & ~Copyable
    ) throws(CaptureError) -> Int {
        var count = 0
        if session != nil {
            count = session?.drain(now: now, into: &sink) ?? 0
        } else if let display {
            _ = display.keyboard.readArrived()
            display.keyboard.wire.skip()
            _ = display.look(oldest: nil)
            try listen(display)
        }
        if session?.isLost ?? display?.keyboard.isLost ?? false {
            disconnect()
            throw CaptureError(.connectionLost)
        }
        return count
    }
}
