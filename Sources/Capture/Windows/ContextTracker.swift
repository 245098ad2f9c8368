// SPDX-License-Identifier: Apache-2.0

import Events

/// Tracks which window receives the input of one connection.
protocol ContextTracker {
    /// The receiver of input at this position of the stream.
    var context: AppContext { get }

    /// Whether a reply still waits until the stream reaches its serial.
    ///
    /// While none does, input events do not change the context.
    var isPending: Bool { get }

    /// Begins to track and queries the current state.
    mutating func start(_ connection: X11Connection)

    /// Changes the windows whose titles are read; everything is queried again.
    mutating func readTitles(
        where isNeeded: @escaping (WindowFacts) -> Bool,
        _ connection: X11Connection
    )

    /// Begins a new round of reading, in which one query to the server is allowed again.
    mutating func beginRound()

    /// Ends a round after all that was read was taken; queries what is unknown, for the next round.
    mutating func endRound(_ connection: X11Connection)

    /// Takes the next event of the stream.
    mutating func take(_ event: X11Event, serial: StreamSerial, _ connection: X11Connection)

    /// Called per input event: if its receiver is unknown, queries the server for later input.
    ///
    /// - Returns: Whether the context may have changed.
    mutating func inputCame(at time: EventTime, _ connection: X11Connection) -> Bool

    /// Applies replies whose serial the stream has reached.
    mutating func settle(_ serial: StreamSerial, _ connection: X11Connection)
}
