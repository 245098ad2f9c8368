// SPDX-License-Identifier: Apache-2.0

import CX11
package import Events

/// The input of an X11 session, read as XInput2 raw events.
///
/// Two connections tell of input: the keyboard's speaks XInput 2.0, for only then does the server
/// withhold keys during grabs; the pointer's speaks 2.2, for only then are drags complete. Their
/// events are merged by the server's time. A third one is told nothing: there questions about what
/// the pointer's tells are asked. Disconnecting closes all, so that nothing can arrive.
package final class X11Source: EventSource {
    private var session: X11Session?
    private var isTitleNeeded: (WindowFacts) -> Bool = { _ in false }
    private var askers = SecretAskers()
    private let authority: AuthorityFile?

    /// - Parameter authority: what is shown to the server; nil for what the environment names.
    package init(_ authority: AuthorityFile? = nil) {
        self.authority = authority
    }

    package var descriptors: [Int32] { session?.descriptors ?? [] }

    package var promptDescriptors: [Int32] { session?.promptDescriptors ?? [] }

    package var urgentDescriptors: [Int32] { session?.urgentDescriptors ?? [] }

    package var lookDue: Int64? { session?.lookDue }

    package var isDragging: Bool { session?.isDragging ?? false }

    package var notices: [String] { session?.notices.map(\.sentence) ?? [] }

    package var asking: AskingProgram? { session?.asking }

    package func lookForPrompts() -> Bool { session?.lookForPrompts() ?? false }

    package func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        isTitleNeeded = isNeeded
        session?.readTitles(where: isNeeded)
    }

    package func lookFor(_ askers: SecretAskers) {
        self.askers = askers
        session?.lookFor(askers)
    }

    /// Refuses sessions in which X11 sees only a part of the input.
    ///
    /// - Parameter environment: the process environment.
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

    /// Finds out whether the X server can be recorded, without listening to anything.
    ///
    /// - Throws: ``CaptureError``.
    package static func probe() throws(CaptureError) {
        if try X11Connection(role: .pointer).isXWayland { throw CaptureError(.wayland) }
    }

    package func connect() throws(CaptureError) {
        session = nil
        authority?.use()
        session = try X11Session(readTitles: isTitleNeeded, askers)
    }

    package func disconnect() {
        session = nil
    }

    package func drain(
        now: EventTime,
        into sink: inout some CaptureSink & ~Copyable
    ) throws(CaptureError) -> Int {
        let count = session?.drain(now: now, into: &sink) ?? 0
        if session?.isLost == true {
            session = nil
            throw CaptureError(.connectionLost)
        }
        return count
    }
}
