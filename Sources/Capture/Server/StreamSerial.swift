// SPDX-License-Identifier: Apache-2.0

/// A position in an event stream: the sequence number of a request on its connection.
///
/// Each event has the serial of the last request that the server had handled when it happened. A
/// reply describes the time when it was given, and events that are read later may be older. So
/// whatever was asked for holds from a serial on (``Dated``).
///
/// Serials are compared in this file only: elsewhere neither their order nor their number exists.
struct StreamSerial: Equatable, BitwiseCopyable {
    /// Before the first request; every event has reached it.
    static let start = StreamSerial(0)

    private var number: UInt

    init(_ number: UInt) {
        self.number = number
    }

    /// Whether an event with this serial may be older than what another serial stands for.
    @inline(__always)
    func isBefore(_ other: Self) -> Bool { number < other.number }

    /// Whether the server had handled the request of another serial at this one.
    @inline(__always)
    func hasReached(_ other: Self) -> Bool { number >= other.number }

    /// The earlier of two.
    static func earlier(_ one: Self, _ other: Self) -> Self { one.isBefore(other) ? one : other }

    /// The later of two.
    static func later(_ one: Self, _ other: Self) -> Self { one.isBefore(other) ? other : one }

    // MARK: Counting

    /// The serial of the request after this one.
    var next: Self { advanced(by: 1) }

    /// The serial this many requests later.
    func advanced(by requests: Int) -> Self { Self(number + UInt(requests)) }

    /// Whether more than this many requests lie between another serial and this one.
    func isAhead(of other: Self, byMoreThan requests: UInt) -> Bool {
        number > other.number + requests
    }

    /// The low 16 bits, which is all that a message of the server carries.
    var low: UInt16 { UInt16(truncatingIfNeeded: number) }

    /// Moves on to the first serial with these low bits, which may be this one.
    @inline(__always)
    mutating func advance(toLow bits: UInt16) {
        number += UInt(bits &- low)
    }
}

/// An answer of the server with its position in the stream.
///
/// It was given at an unknown position between two serials and holds from the second on. A change
/// with a serial before the first is already included in it; a later one outdates it.
struct Dated<Value> {
    var value: Value
    /// The serial before the query.
    private let asked: StreamSerial
    /// The serial from which on it holds.
    let validFrom: StreamSerial

    /// Dates an answer.
    ///
    /// - Parameters:
    ///   - value: The answer.
    ///   - asked: The serial before the query.
    ///   - validFrom: The serial after the reply.
    init(_ value: Value, asked: StreamSerial, validFrom: StreamSerial) {
        self.value = value
        self.asked = asked
        self.validFrom = validFrom
    }

    /// Dates an answer whose position in the stream is known exactly.
    init(_ value: Value, at serial: StreamSerial) {
        self.init(value, asked: serial, validFrom: serial)
    }

    /// Whether it holds for an event with this serial, unless a change outdates it.
    func holds(at serial: StreamSerial) -> Bool { serial.hasReached(validFrom) }

    /// Whether a change with this serial may not be included in it.
    func isOutdated(byChangeAt serial: StreamSerial) -> Bool { serial.hasReached(asked) }

    /// Another value with the same position.
    func map<Other>(_ transform: (Value) -> Other) -> Dated<Other> {
        Dated<Other>(transform(value), asked: asked, validFrom: validFrom)
    }

    /// A value that depends on this answer and another one: it holds where both do.
    func combined<Other, Result>(
        with other: Dated<Other>,
        _ combine: (Value, Other) -> Result
    ) -> Dated<Result> {
        Dated<Result>(
            combine(value, other.value),
            asked: .earlier(asked, other.asked),
            validFrom: .later(validFrom, other.validFrom)
        )
    }
}

extension Dated {
    /// The same answer as one that exists; nil if there is none.
    func unwrapped<Wrapped>() -> Dated<Wrapped>? where Value == Wrapped? {
        value.map { Dated<Wrapped>($0, asked: asked, validFrom: validFrom) }
    }
}
