// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import Query
import System
import Timeline

/// Registers the tables on a connection of another program that uses the system's SQLite.
///
/// The C entry point has verified that. The person hands over the key by naming it: `MCI_IDENTITY`
/// has no default, so a program that happens to load the extension cannot read a recording.
/// `MCI_RING` defaults to the person's ring.
///
/// - Parameters:
///   - database: the connection, a `sqlite3 *`.
///   - error: receives a text that SQLite frees.
/// - Returns: SQLite's result code.
@_cdecl("mci_sqlite_register")
func register(
    _ database: OpaquePointer,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    do {
        let source = try source()
        // Keeps what the program sorts out of a plaintext temporary file.
        unsafe _ = sqlite3_exec(database, "PRAGMA temp_store=MEMORY", nil, nil, nil)
        return unsafe VirtualTable.register(on: database, source)
    } catch let refusal {
        unsafe error?.pointee = csqlite_copy(refusal.sentence)
        return SQLITE_ERROR
    }
}

/// Why the extension does not load, as a sentence.
private struct ExtensionError: Error {
    var sentence: String
}

private func source() throws(ExtensionError) -> BatchSource {
    guard let path = variable("MCI_IDENTITY") else {
        throw ExtensionError(
            sentence:
                "Set MCI_IDENTITY to the path of your identity file, which opens the recording."
        )
    }
    let bytes: [UInt8]
    do {
        bytes = try Disk.read(path)
    } catch {
        throw ExtensionError(sentence: "The identity file \(path) cannot be read (\(error)).")
    }
    guard let identities = Identity.list(String(decoding: bytes, as: UTF8.self)) else {
        throw ExtensionError(sentence: "The identity file \(path) contains no age key.")
    }
    return BatchSource(path: variable("MCI_RING") ?? defaultRing(), identities: identities)
}

/// The path where mcid keeps the ring: a copy of `Paths` in Person, which has too many imports.
private func defaultRing() -> String {
    func folder(_ name: String) -> String? {
        variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    let state = folder("XDG_STATE_HOME") ?? (folder("HOME") ?? "/nonexistent") + "/.local/state"
    return state + "/mci/ring.db"
}

/// An environment variable; nil when it is unset or empty.
private func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
    return unsafe String(cString: value)
}
