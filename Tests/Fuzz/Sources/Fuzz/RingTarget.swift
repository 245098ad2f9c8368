// SPDX-License-Identifier: Apache-2.0

import Glibc
import Signing

@testable import Storage

extension Target {
    /// The rows of a `ring.db` that somebody made: any value of any type in any column.
    static let ring = Target(
        name: "ring",
        run: { RingTarget.read($0) },
        seeds: RingTarget.seeds
    )
}

private enum RingTarget {
    private static let path = "/dev/shm/mci-fuzz-\(getpid()).db"
    private static let verifier = DeviceKey().verifier

    /// Tables that take any type, and say that they are the ring's.
    nonisolated(unsafe) private static let writer: SQLiteConnection? = {
        unlink(path)
        atexit { for end in ["", "-wal", "-shm", ".head"] { unlink(RingTarget.path + end) } }
        guard let writer = try? SQLiteConnection(path: path, access: .create) else { return nil }
        do {
            try writer.execute(
                """
                PRAGMA page_size=4096; PRAGMA application_id=\(RingFormat.applicationID);
                PRAGMA user_version=\(RingFormat.version); PRAGMA journal_mode=MEMORY;
                PRAGMA synchronous=OFF; PRAGMA locking_mode=NORMAL;
                CREATE TABLE meta(key TEXT PRIMARY KEY, value);
                CREATE TABLE ring(slot INTEGER PRIMARY KEY, seq, t_end, sealed, proof);
                PRAGMA writable_schema=ON;
                """
            )
            let statements = RingFormat.schema.split(separator: ";")
                .map { $0.drop { $0.isWhitespace } }.filter { !$0.isEmpty }
            for (name, sql) in zip(["meta", "ring"], statements) {
                try writer.execute(
                    "UPDATE sqlite_schema SET sql='\(sql)' WHERE type='table' AND name='\(name)'"
                )
            }
        } catch {
            return nil
        }
        return writer
    }()

    nonisolated(unsafe) private static var reader: RingReader?

    /// A value as SQL writes it: of a number few bytes, so that the edges are soon found.
    private static func value(_ rest: inout ArraySlice<UInt8>) -> String {
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map {
                let text = String($0, radix: 16); return text.count < 2 ? "0" + text : text
            }
            .joined()
        }
        func integer(_ rest: inout ArraySlice<UInt8>) -> Int64 {
            let value = rest.take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int64(bitPattern: value)
        }
        switch rest.take() % 10 {
        case 0: return "NULL"
        case 1: return "x'\(hex(rest.take(Int(rest.take()))))'"
        case 2: return "CAST(x'\(hex(rest.take(Int(rest.take()) % 32)))' AS TEXT)"
        case 3: return ["9e999", "-9e999", "0.5", "1e19", "-1e300"][Int(rest.take() % 5)]
        case 4:
            let edges = [
                Int64.min, .max, RingFormat.valueOffset, -RingFormat.valueOffset, 0, 1 << 47,
            ]
            let edge = edges[Int(rest.take() % 6)]
            let sum = edge.addingReportingOverflow(Int64(Int8(bitPattern: rest.take())))
            // The smallest number cannot be written as it is.
            let value = sum.overflow ? edge : sum.partialValue
            return value == .min ? "(-9223372036854775807-1)" : "\(value)"
        case 5: return "zeroblob(\(Int(rest.take()) << 5))"
        case 6, 7: return "\(RingFormat.valueOffset + Int64(rest.take()))"
        case 8:
            return
                "x'\(hex(RingPage.intro))'||zeroblob(\(RingFormat.slotSize - RingPage.intro.count))"
        default:
            let value = integer(&rest)
            return value == .min ? "(-9223372036854775807-1)" : "\(value)"
        }
    }

    static func read(_ input: ArraySlice<UInt8>) {
        guard let writer else { preconditionFailure("The ring is made.") }
        var rest = input
        let control = rest.take()
        do {
            try writer.execute("BEGIN; DELETE FROM ring; DELETE FROM meta")
            try? writer.execute("INSERT INTO meta VALUES('ring', \(value(&rest)))")
            var count = 0
            while !rest.isEmpty, count < 24 {
                count += 1
                let row = (0..<5).map { _ in value(&rest) }.joined(separator: ",")
                try? writer.execute("INSERT OR IGNORE INTO ring VALUES(\(row))")
            }
            try writer.execute("COMMIT")
        } catch {
            preconditionFailure("The ring is written.")
        }
        // To open it costs more than to read it.
        if control % 32 == 1 { reader = nil }
        if reader == nil { reader = try? RingReader(path: path) }
        guard let reader else { return }
        let entries = (try? reader.entries()) ?? []
        check(
            entries == entries.sorted { ($0.sequence, $0.slot) < ($1.sequence, $1.slot) },
            "They are in their order."
        )
        for entry in entries {
            check(
                entry.isDoubtful || RingFormat.numbers.contains(Int64(clamping: entry.sequence)),
                "A number that is believed is possible."
            )
            _ = entry.touches(0...Int64.max / 4)
            _ = entry.touches(Int64.max / 4...Int64.max / 2)
            _ = try? reader.sealed(entry)
        }
        let id = reader.namedID ?? []
        if let slots = try? reader.slots() {
            for slot in slots {
                guard let row = (try? reader.row(slot, id, verifier)) ?? nil else { continue }
                check(!row.isProven, "Nobody has signed it.")
            }
        }
        if control % 4 == 1 { _ = reader.structure() }
        // What the daemon does when it starts; it changes the file's mode, so seldom.
        guard control % 32 == 0 else { return }
        RingTarget.reader = nil
        guard let file = try? RingFile(path) else { return }
        _ = try? file.load()
        try? writer.execute("PRAGMA journal_mode=MEMORY")
    }

    @Sendable static func seeds() -> [[UInt8]] {
        func whole(_ value: Int64) -> [UInt8] {
            [9] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
        }
        let id: [UInt8] = [1, 16] + [UInt8](repeating: 3, count: 16)
        let row: [UInt8] = [6, 1, 6, 17, 6, 60, 8, 5, 2]
        return [
            [1] + id + row + [6, 2, 6, 18, 6, 60, 8, 5, 2], [0] + id + row,
            [1] + id + whole(.min) + whole(.min) + whole(.min) + [8, 5, 2],
            [1] + id + whole(.max) + whole(.max) + whole(.max) + [8, 5, 2],
            [1] + id + [4, 0, 0, 4, 0, 1, 4, 1, 255, 8, 5, 2],
            [16, 0] + [6, 3, 0, 2, 5, 65, 66, 67, 68, 69, 3, 0, 0],
        ]
    }
}
