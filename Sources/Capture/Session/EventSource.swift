// SPDX-License-Identifier: Apache-2.0

package import Events

/// Takes what a source tells.
package protocol CaptureSink: ~Copyable {
    /// Takes the next event, in the order of its stream.
    mutating func take(_ event: CaptureEvent)
    /// Takes movements of the pointer's stream; of all that is told these are most.
    mutating func take(_ run: MotionRun)
}

extension CaptureSink where Self: ~Copyable {
    package mutating func take(_ run: MotionRun) { takeOneByOne(run) }

    /// Takes the movements of a run as events.
    package mutating func takeOneByOne(_ run: MotionRun) {
        for step in run.steps {
            take(.input(RawEvent(step, of: run.device), stream: .pointer))
        }
    }
}

/// Where events come from: the X server, or a script in the tests.
///
/// Upstream: the X server. Downstream: the gate. Promise: while it is disconnected it holds no
/// event and no connection on which one could arrive.
package protocol EventSource: AnyObject {
    /// The descriptors that become readable when events wait; empty while disconnected.
    var descriptors: [Int32] { get }

    /// The descriptors among them that tell of keys and of where input goes: they are watched also
    /// while a reading is long in coming.
    var promptDescriptors: [Int32] { get }

    /// The descriptors among them to be watched even while a reading is due: what comes there may
    /// stand at a prompt for a secret and is to be read at once.
    var urgentDescriptors: [Int32] { get }

    /// Whether a button is down, so that what comes is not to be left unread for long.
    var isDragging: Bool { get }

    /// When to read though nothing has come, in monotonic milliseconds; nil for never.
    var lookDue: Int64? { get }
    /// Why input that the server shows is not recorded now, in sentences.
    var notices: [String] { get }

    /// The program that may be asking for a secret in the window in front, so that no key is recorded in it;
    /// nil where none does, by the last look.
    var asking: AskingProgram? { get }

    /// Looks whether a program asks for a secret now, which ``asking`` then tells.
    ///
    /// - Returns: false where the window in front shows no terminal that can be looked at.
    func lookForPrompts() -> Bool

    /// Says of which windows the title is needed; of all others it is not read.
    ///
    /// - Parameter isNeeded: decides by application and instance; it may be another answer than
    ///   before, so what is known of windows is found out anew.
    func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool)

    /// Says what counts as asking for a secret on a terminal, for every key that is read from now on.
    ///
    /// - Parameter askers: the programs; until then those that mci itself knows.
    func lookFor(_ askers: SecretAskers)

    /// Connects and begins to listen.
    ///
    /// - Throws: ``CaptureError`` where the server cannot be reached or is not fit.
    func connect() throws(CaptureError)

    /// Ends the listening and throws away what was not read; nothing arrives afterwards.
    func disconnect()

    /// XTestDevice over everything that has arrived, without waiting for more.
    ///
    /// - Parameters:
    ///   - now: the moment of the reading.
    ///   - sink: takes the events of each stream in their order.
    /// - Returns: the number of items read from the server, whether handed over or not.
    /// - Throws: ``CaptureError`` when the connection is lost; the source is then disconnected.
    func drain(now: EventTime, into sink: inout some CaptureSink & ~Copyable) throws(CaptureError)
        -> Int
}

extension EventSource {
    package var notices: [String] { [] }
    package var asking: AskingProgram? { nil }
    package func lookForPrompts() -> Bool { false }
    package func lookFor(_ askers: SecretAskers) {}
}
