// SPDX-License-Identifier: Apache-2.0

/// What a source of events tells, in the order in which it happened.
package enum CaptureEvent: Sendable, Redacted {
    case input(RawEvent, stream: InputStream)
    /// From here on the stream's input goes to another context. X gives focus changes no time:
    /// the moment is the latest one that is certainly not after the change.
    case context(AppContext, stream: InputStream, at: EventTime)
    /// All devices there are from here on, by their XInput2 id.
    case devices([UInt8: Device])
    /// The desktop and its monitors from here on.
    case screen(ScreenLayout)
}
