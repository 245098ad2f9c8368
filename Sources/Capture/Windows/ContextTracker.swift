// SPDX-License-Identifier: Apache-2.0

import Events

/// Follows, through one connection's own stream of events, whose input the input in it is.
protocol ContextTracker {
    /// To whom input goes at this place of the stream.
    var context: AppContext { get }

    /// Whether an answer of the server waits for its place in the stream: while none does, input
    /// leaves the context as it is.
    var isPending: Bool { get }

    /// Begins to follow, and asks how things are now.
    mutating func start(_ connection: X11Connection)

    /// Reads the titles of other windows than before; all is found out anew.
    mutating func readTitles(
        where isNeeded: @escaping (WindowFacts) -> Bool,
        _ connection: X11Connection
    )

    /// A new round of reading: one question to the server is allowed again.
    mutating func beginRound()

    /// All that was read is taken: what is not known is asked, for the next round.
    mutating func endRound(_ connection: X11Connection)

    /// Takes an event of the stream in its order.
    mutating func take(_ event: X11Event, serial: UInt, _ connection: X11Connection)

    /// Input came: where its addressee is not known the server is asked, for the input after it.
    ///
    /// - Returns: whether the context may be another one now.
    mutating func inputCame(at time: EventTime, _ connection: X11Connection) -> Bool

    /// Applies the server's answers once the stream has come to the place where they hold.
    mutating func settle(_ serial: UInt, _ connection: X11Connection)
}
