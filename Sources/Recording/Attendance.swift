// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Person
import System

/// What the companion reports of the session, for as long as each report holds.
///
/// Who never attended is not missed: without a desktop that speaks, the mark alone says that mcid
/// records. Who attended once in this login must go on, or nothing is recorded: a person who saw the
/// lock respected yesterday relies on it today. That is kept in the runtime folder, which ends with
/// the login, so that it outlasts the end of mcid.
struct Attendance {
    /// A report of one client.
    private struct Lease {
        var closed: Set<String>
        /// When it ends, in monotonic milliseconds.
        var end: Int64
        /// Whether the person resumed although it says why not.
        var isOverruled = false
    }

    /// The reasons that a report may name, the strongest first.
    static let reasons: [(word: String, reason: GapReason)] = [
        ("locked", .sessionLocked), ("asleep", .asleep), ("away", .away),
    ]
    /// The lengths of a lease in milliseconds.
    static let lengths = 1...60_000

    /// Maximum number of words for what can be learned.
    private static let maxKnown = 32

    private let file: String
    /// What the file contains in this login.
    private let login: [UInt8]
    private var leases: [Int: Lease] = [:]
    /// What the last report said that its client can learn here.
    private(set) var knows: [String] = []
    /// Whether somebody attended in this login.
    private(set) var wasAttended: Bool

    /// Reads whether somebody attended in this login.
    ///
    /// - Parameters:
    ///   - file: Where that is kept.
    ///   - bootID: The kernel's `boot_id`.
    ///   - session: The login session's id; empty if it is unknown.
    init(_ file: String, bootID: [UInt8], session: String) {
        self.file = file
        login = Array("\(Hex.encode(bootID)) \(session)\n".utf8)
        wasAttended = (try? Disk.read(file)) == login
    }

    /// Takes a report, or refuses it and changes nothing.
    ///
    /// - Parameters:
    ///   - call: The report.
    ///   - client: The number of its connection.
    ///   - now: Monotonic milliseconds.
    /// - Throws: A ``Refusal`` for an unknown word or a length out of ``lengths``.
    mutating func take(
        _ call: ControlCall.AttendCall,
        from client: Int,
        now: Int64
    ) throws(Refusal) {
        guard Self.lengths.contains(call.leaseMs) else {
            throw Refusal("A lease lasts from 1 to 60000 milliseconds.")
        }
        guard call.closed.allSatisfy({ word in Self.reasons.contains { $0.word == word } }) else {
            throw Refusal("A session is closed because it is locked, asleep or away.")
        }
        let closed = Set(call.closed)
        var lease = Lease(closed: closed, end: now + Int64(call.leaseMs))
        lease.isOverruled = leases[client].map { $0.isOverruled && $0.closed == closed } ?? false
        leases[client] = lease
        knows = Array((call.knows ?? []).prefix(Self.maxKnown))
        keep()
    }

    /// Remembers in the runtime folder that somebody attends.
    private mutating func keep() {
        guard !wasAttended || !Disk.exists(file) else { return }
        wasAttended = true
        try? Disk.write(login, to: file)
    }

    /// Ends the report of a client whose connection is gone.
    mutating func end(_ client: Int) {
        leases[client] = nil
    }

    /// Ends all reports; nobody is missed from now on.
    mutating func leave() {
        leases = [:]
        overrule()
    }

    /// Lets recording go on whatever was reported, until something else is.
    mutating func overrule() {
        for client in leases.keys { leases[client]?.isOverruled = true }
        wasAttended = !leases.isEmpty
        if !wasAttended { Disk.remove(file) }
    }

    /// Ends the reports whose time is over.
    mutating func expire(at now: Int64) {
        leases = leases.filter { $0.value.end > now }
    }

    /// When the next report ends, in monotonic milliseconds; nil if there is none.
    var due: Int64? { leases.values.map(\.end).min() }

    /// Whether somebody attends now.
    var isAttended: Bool { !leases.isEmpty }

    /// The words of all reports together, the strongest first.
    var closed: [String] {
        Self.reasons.map(\.word).filter { word in
            leases.values.contains { !$0.isOverruled && $0.closed.contains(word) }
        }
    }

    /// Why nothing may be recorded; nil if nothing speaks against it.
    ///
    /// - Parameter isDemanded: Whether the policy demands that somebody attends.
    /// - Returns: The strongest reason.
    func reason(isDemanded: Bool) -> GapReason? {
        if let word = closed.first { return Self.reasons.first { $0.word == word }?.reason }
        return !isAttended && (wasAttended || isDemanded) ? .unattended : nil
    }
}
