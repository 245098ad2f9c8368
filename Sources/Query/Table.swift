// SPDX-License-Identifier: Apache-2.0

import Packing

/// The tables of the recording.
package enum Table: CaseIterable, Sendable {
    /// Events: keys, buttons, movement, focus and the like; the columns are ``EventColumn``.
    case events
    /// Times that were not recorded, and why; the columns are ``GapColumn``.
    case gaps
    /// Sealed batches; the columns are ``BatchColumn``.
    case batches
    /// What each batch says of the devices with events in it.
    case devices
    /// What each batch says of the desktop and its monitors, the primary one first.
    case monitors
    /// The demonstrations, oldest first.
    case demonstrations

    /// The name in SQL.
    package var name: String { "\(self)" }

    /// The declaration for `sqlite3_declare_vtab`.
    ///
    /// Its columns are in the order of ``EventColumn``, ``GapColumn`` or ``BatchColumn``.
    package var declaration: String {
        switch self {
        case .events:
            """
            CREATE TABLE events(ms INTEGER, time TEXT COLLATE mci_time, type TEXT, state TEXT, class TEXT,
              keysym TEXT, modifiers TEXT, button INTEGER, dx NUMERIC, dy NUMERIC, app TEXT,
              device INTEGER, batch INTEGER, title TEXT, x INTEGER, y INTEGER, axes TEXT,
              finger INTEGER, local TEXT COLLATE mci_time, seconds INTEGER,
              injected INTEGER)
            """
        case .gaps:
            """
            CREATE TABLE gaps(from_ms INTEGER, to_ms INTEGER, from_time TEXT COLLATE mci_time,
              to_time TEXT COLLATE mci_time, reason TEXT, stream TEXT, batch INTEGER,
              from_local TEXT COLLATE mci_time, to_local TEXT COLLATE mci_time)
            """
        case .batches:
            """
            CREATE TABLE batches(batch INTEGER, end_ms INTEGER, end_time TEXT COLLATE mci_time,
              events INTEGER, gaps INTEGER, state TEXT, end_local TEXT COLLATE mci_time,
              key_detail TEXT)
            """
        case .devices:
            """
            CREATE TABLE devices(batch INTEGER, device INTEGER, name TEXT, kind TEXT, vendor INTEGER,
              product INTEGER, buttons INTEGER, master INTEGER, injected INTEGER, axes TEXT)
            """
        case .monitors:
            """
            CREATE TABLE monitors(batch INTEGER, monitor INTEGER, x INTEGER, y INTEGER, width INTEGER,
              height INTEGER, width_mm INTEGER, height_mm INTEGER, desktop_width INTEGER,
              desktop_height INTEGER)
            """
        case .demonstrations:
            """
            CREATE TABLE demonstrations(name TEXT, goal TEXT, from_ms INTEGER, to_ms INTEGER,
              from_time TEXT COLLATE mci_time, to_time TEXT COLLATE mci_time,
              from_local TEXT COLLATE mci_time, to_local TEXT COLLATE mci_time, outcome TEXT,
              first_batch INTEGER, last_batch INTEGER)
            """
        }
    }

    /// How a column bounds the time or batch of a row; nil when it does not.
    func bound(_ column: Int) -> BoundColumn? {
        switch self {
        case .events:
            switch EventColumn(rawValue: column) {
            case .ms: .milliseconds
            case .time: .text
            case .local: .local
            case .batch: .batch
            default: nil
            }
        case .gaps:
            switch GapColumn(rawValue: column) {
            case .fromMs, .toMs: .milliseconds
            case .fromTime, .toTime: .text
            case .fromLocal, .toLocal: .local
            case .batch: .batch
            default: nil
            }
        case .batches:
            switch BatchColumn(rawValue: column) {
            case .batch: .batch
            case .endMs: .milliseconds
            case .endTime: .text
            case .endLocal: .local
            default: nil
            }
        // The first column of both is the batch.
        case .devices, .monitors: column == 0 ? .batch : nil
        case .demonstrations: nil
        }
    }

    /// The maximum milliseconds by which a row precedes the end of its batch, rounded up to the
    /// minute.
    var reach: Int64 {
        switch self {
        case .events: BatchLayout.maxReach
        // A gap may begin at any time, and is stored when it ends or later.
        case .gaps: .max
        case .batches: 0
        // They are not limited by time.
        case .devices, .monitors, .demonstrations: .max
        }
    }
}

/// The form in which a column bounds the time or batch of a row.
enum BoundColumn {
    /// Milliseconds since 1970.
    case milliseconds
    /// A time in UTC, as text.
    case text
    /// A local time, as text.
    case local
    /// The sequence number of the batch.
    case batch
}

/// The columns of `events`.
enum EventColumn: Int, CaseIterable {
    case ms, time, type, state, `class`, keysym, modifiers, button, dx, dy, app, device, batch,
        title, x, y, axes, finger, local, seconds, injected
}

/// The columns of `gaps`.
enum GapColumn: Int {
    case fromMs, toMs, fromTime, toTime, reason, stream, batch, fromLocal, toLocal
}

/// The columns of `batches`.
enum BatchColumn: Int {
    case batch, endMs, endTime, events, gaps, state, endLocal, keyDetail
}
