// SPDX-License-Identifier: Apache-2.0

package import Events

/// The receiver of a source's events.
package protocol CaptureSink: ~Copyable {
    /// Takes the next event, in the order of its stream.
    mutating func take(_ event: CaptureEvent)
    /// Takes a run of pointer motions, the most frequent event.
    mutating func take(_ run: MotionRun)
}

extension CaptureSink where Self: ~Copyable {
    /// Takes a run of motions as single events.
    package mutating func take(_ run: MotionRun) { takeOneByOne(run) }

    /// Takes the motions of a run as single events.
    package mutating func takeOneByOne(_ run: MotionRun) {
        for step in run.steps {
            take(.input(RawEvent(step, of: run.device), stream: .pointer))
        }
    }
}

/// A source of events: the X server, or a script in tests.
///
/// Upstream: the X server. Downstream: the gate. Promise: while disconnected it holds no event and
/// no connection on which one could arrive.
package protocol EventSource: AnyObject {
    /// The file descriptors that become readable when events wait; empty while disconnected.
    var descriptors: [Int32] { get }

    /// The descriptors of these that report keys and focus changes.
    ///
    /// They are watched even when the next drain is far away.
    var promptDescriptors: [Int32] { get }

    /// The descriptors of these that are watched even while a drain is due.
    ///
    /// Their input may be at a prompt for a secret and must be read at once.
    var urgentDescriptors: [Int32] { get }

    /// Whether a button is down, so that events must be read soon.
    var isDragging: Bool { get }

    /// The time at which to drain without an event, in ms of CLOCK_MONOTONIC; nil for never.
    var lookDue: Int64? { get }
    /// Sentences that explain why input that the server shows is not recorded now.
    var notices: [String] { get }

    /// What is known of the mark on the screen; nil while disconnected, and for a source that
    /// needs none.
    var mark: MarkReport? { get }

    /// Since when the mark could be seen or not, since the last call; in order.
    ///
    /// Input that a drain emits came while it could be seen, up to these changes.
    func takeMarkChanges() -> [MarkChange]

    /// Has the context of each stream emitted again, before the next input.
    ///
    /// Whoever takes the events has forgotten it: it admitted nothing for some time.
    func repeatContexts()

    /// Sets how the mark is shown; initially with the defaults.
    func showMark(_ settings: MarkSettings)

    /// Sets whether the mark says that the window in front is left out, or that a demonstration is
    /// recorded.
    func markFront(isLeftOut: Bool, isDemonstration: Bool)

    /// The program that may be asking for a secret in the window in front, as of the last look.
    ///
    /// No key is recorded there meanwhile. Nil if there is none.
    var asking: AskingProgram? { get }

    /// Checks now whether a program asks for a secret, and updates ``asking``.
    ///
    /// - Returns: False if the window in front shows no terminal that can be examined.
    func lookForPrompts() -> Bool

    /// Sets which windows need their title; all other titles are not read.
    ///
    /// - Parameter isNeeded: Decides by application and instance. Everything known about windows is
    ///   queried again, because its answers may have changed.
    func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool)

    /// Sets what is treated as asking for a secret on a terminal, for every key read from now on.
    ///
    /// - Parameter askers: The programs; initially those built in.
    func lookFor(_ askers: SecretAskers)

    /// Connects to the server and begins to listen.
    ///
    /// - Throws: ``CaptureError`` if the server cannot be reached or is unsuitable.
    func connect() throws(CaptureError)

    /// Ends the connection and discards unread events; nothing arrives afterwards.
    func disconnect()

    /// Emits all events that have arrived, without waiting for more.
    ///
    /// - Parameters:
    ///   - now: The time of the drain.
    ///   - sink: Receives the events of each stream in order.
    /// - Returns: The number of items read from the server, emitted or not.
    /// - Throws: ``CaptureError`` if the connection is lost; the source is then disconnected.
    func drain(now: EventTime, into sink: inout some CaptureSink & ~Copyable) throws(CaptureError)
        -> Int
}

extension EventSource {
    /// No notices.
    package var notices: [String] { [] }
    /// No mark.
    package var mark: MarkReport? { nil }
    /// No changes.
    package func takeMarkChanges() -> [MarkChange] { [] }
    /// Does nothing.
    package func repeatContexts() {}
    /// Shows nothing.
    package func showMark(_ settings: MarkSettings) {}
    /// Shows nothing.
    package func markFront(isLeftOut: Bool, isDemonstration: Bool) {}
    /// No program.
    package var asking: AskingProgram? { nil }
    /// Looks at nothing and returns false.
    package func lookForPrompts() -> Bool { false }
    /// Ignores the programs.
    package func lookFor(_ askers: SecretAskers) {}
}
