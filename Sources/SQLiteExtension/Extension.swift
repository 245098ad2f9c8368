// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import Query
import System
import Timeline

/// Makes the tables known to a connection of another program, which C has found to use our SQLite.
///
/// The person hands over the key by naming it: `MCI_IDENTITY` has no default, so that no program that
/// happens to load the extension reads a recording. `MCI_RING` defaults to the person's ring.
///
/// - Parameters:
///   - database: the connection.
///   - error: takes a text that SQLite frees.
/// - Returns: SQLite's result code.
@_cdecl("mci_sqlite_register")
func register(
    _ database: OpaquePointer,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    do {
        let source = try source()
        // What the program sorts shall not reach a temporary file in plain.
        unsafe _ = sqlite3_exec(database, "PRAGMA temp_store=MEMORY", nil, nil, nil)
        return unsafe VirtualTable.register(on: database, source)
    } catch let refusal {
        unsafe error?.pointee = csqlite_copy(refusal.sentence)
        return SQLITE_ERROR
    }
}

/// Why the extension does not load.
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
        throw ExtensionError(sentence: "The identity file \(path) holds no age key.")
    }
    return BatchSource(path: variable("MCI_RING") ?? defaultRing(), identities: identities)
}

/// The ring where mcid puts it (`Paths` in Settings, which would bring all of its imports along).
private func defaultRing() -> String {
    func folder(_ name: String) -> String? {
        variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    let state = folder("XDG_STATE_HOME") ?? (folder("HOME") ?? "/nonexistent") + "/.local/state"
    return state + "/mci/ring.db"
}

/// A variable of the environment that is not empty.
private func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
    return unsafe String(cString: value)
}
