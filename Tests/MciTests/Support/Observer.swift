// SPDX-License-Identifier: Apache-2.0

import Capture
import Events
import Foundation
import Person
import Synchronization

/// Reads an X server's input as the daemon does and keeps each event with its context.
final class Observer: Sendable {
    /// An event and to whom it went.
    struct Seen: Sendable {
        var event: RawEvent
        var context: AppContext
        /// The name of its device.
        var device: String?
        /// How long after its time it was handed over, in milliseconds.
        var age: Int64
    }

    private struct State {
        var seen: [Seen] = []
        var devices: [UInt8: Device] = [:]
        var screens: [ScreenLayout] = []
        var isStopped = false
        var rounds = 0
        var rule: (@Sendable (WindowFacts) -> Bool)?
    }

    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - desktop: whose input.
    ///   - pause: the longest time between two readings, in microseconds.
    ///   - readTitles: of which windows.
    /// - Throws: where the display cannot be reached.
    init(
        _ desktop: Desktop,
        pause: UInt32 = 30_000,
        readTitles: @escaping @Sendable (WindowFacts) -> Bool = { _ in false }
    ) throws {
        nonisolated(unsafe) let source = try X11Source(of: desktop, readTitles: readTitles)
        let thread = Thread { [self] in
            var contexts: [AppContext] = [.unknown, .unknown]
            var devices: [UInt8: Device] = [:]
            var random = SplitMix(seed: 3)
            while !state.withLock({ $0.isStopped }) {
                let rule = state.withLock { state in
                    defer { state.rule = nil }
                    return state.rule
                }
                if let rule { source.readTitles(where: rule) }
                let now = SystemClock.now().monotonic
                var seen: [Seen] = []
                var screens: [ScreenLayout] = []
                _ = try? source.drain(now: now) { event in
                    switch event {
                    case .context(let context, let stream, _):
                        contexts[stream == .keyboard ? 0 : 1] = context
                    case .devices(let new): devices = new
                    case .screen(let new): screens.append(new)
                    case .input(let raw, let stream):
                        seen.append(
                            Seen(
                                event: raw,
                                context: contexts[stream == .keyboard ? 0 : 1],
                                device: devices[raw.device]?.name,
                                age: now.milliseconds - raw.time.milliseconds
                            )
                        )
                    }
                }
                state.withLock {
                    $0.seen += seen
                    $0.devices = devices
                    $0.screens += screens
                    $0.rounds += 1
                }
                Self.wait(source, UInt32.random(in: 0...pause, using: &random))
            }
            source.disconnect()
            ended.signal()
        }
        thread.start()
        round()
    }

    /// Sleeps until the next reading, or until something urgent comes.
    private static func wait(_ source: X11Source, _ pause: UInt32) {
        var urgent = source.urgentDescriptors.map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if urgent.isEmpty { usleep(pause) } else { poll(&urgent, nfds_t(urgent.count), 20) }
    }

    /// Replaces the rule of titles.
    func readTitles(where rule: @escaping @Sendable (WindowFacts) -> Bool) {
        state.withLock { $0.rule = rule }
        round()
    }

    /// Waits until all that was injected before has been read.
    func round() {
        let rounds = state.withLock { $0.rounds }
        _ = eventually { state.withLock { $0.rounds } >= rounds + 3 }
    }

    /// All events so far.
    var seen: [Seen] {
        round()
        return state.withLock { $0.seen }
    }

    /// The devices there are now, by their id.
    var devices: [UInt8: Device] {
        round()
        return state.withLock { $0.devices }
    }

    /// The desktops so far.
    var screens: [ScreenLayout] {
        round()
        return state.withLock { $0.screens }
    }

    /// Forgets the events so far.
    func clear() {
        round()
        state.withLock { $0.seen = [] }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        ended.wait()
    }
}

extension X11Source {
    /// Connects to a desktop.
    ///
    /// - Parameters:
    ///   - desktop: whose input.
    ///   - readTitles: of which windows.
    /// - Throws: where the display cannot be reached.
    convenience init(
        of desktop: Desktop,
        readTitles: @escaping (WindowFacts) -> Bool = { _ in false }
    ) throws {
        self.init()
        self.readTitles(where: readTitles)
        try XServerDoor.lock.withLock { _ in
            setenv("DISPLAY", desktop.display, 1)
            defer { unsetenv("DISPLAY") }
            try connect()
        }
    }

}

/// Reads an X server's input when it is told to.
final class StepReader {
    let source: X11Source
    private var contexts: [AppContext] = [.unknown, .unknown]

    init(_ desktop: Desktop) throws {
        source = try X11Source(of: desktop)
        _ = try read()
    }

    /// Reads what has come, all at once: the events, each with the context it belongs to.
    func read() throws -> [(event: RawEvent, context: AppContext)] {
        var events: [(event: RawEvent, context: AppContext)] = []
        _ = try source.drain(now: SystemClock.now().monotonic) {
            switch $0 {
            case .input(let event, let stream):
                events.append((event, contexts[stream == .keyboard ? 0 : 1]))
            case .context(let context, let stream, _):
                contexts[stream == .keyboard ? 0 : 1] = context
            case .devices, .screen: break
            }
        }
        return events
    }
}

/// The display's name is the whole process's.
private enum XServerDoor {
    static let lock = Mutex(())
}

extension AppContext {
    /// The window's facts; nil where the context is unknown.
    var facts: WindowFacts? {
        if case .window(let facts) = self { facts } else { nil }
    }
}

extension RawEvent {
    var isKey: Bool { keycode != nil }

    /// The key's number; nil for what is no key.
    var keycode: UInt8? {
        if case .key(let key) = payload { key.keycode } else { nil }
    }
}

private struct ClosureSink: CaptureSink {
    let body: (CaptureEvent) -> Void

    mutating func take(_ event: CaptureEvent) { body(event) }
}

extension EventSource {
    /// XTestDevice over to a closure, in the order of each stream.
    func drain(now: EventTime, into body: (CaptureEvent) -> Void) throws(CaptureError) -> Int {
        var result: Result<Int, CaptureError> = .success(0)
        withoutActuallyEscaping(body) { body in
            var sink = ClosureSink(body: body)
            result = Result { () throws(CaptureError) in try drain(now: now, into: &sink) }
        }
        return try result.get()
    }
}
