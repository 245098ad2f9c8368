// SPDX-License-Identifier: Apache-2.0

/// An event that a source emits, in the order in which it happened.
package enum CaptureEvent: Sendable, Redacted {
    /// One input event of a stream.
    case input(RawEvent, stream: InputStream)
    /// From here on the stream's input goes to another context.
    ///
    /// X gives focus changes no time. The time is the latest one that is certainly not after the
    /// change.
    case context(AppContext, stream: InputStream, at: EventTime)
    /// From here on these are all devices, by XInput2 id.
    case devices([UInt8: Device])
    /// From here on this is the desktop with its monitors.
    case screen(ScreenLayout)
}
