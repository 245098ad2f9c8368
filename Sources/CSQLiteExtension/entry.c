// SPDX-License-Identifier: Apache-2.0

// The entry points of the loadable extension. They are in C because sqlite3ext.h is a table of
// functions behind macros. With SQLITE_CORE the macros do not replace the linked library's names.
#define SQLITE_CORE 1
#include <sqlite3ext.h>

#include "csqliteextension.h"

#define EXPORT __attribute__((visibility("default")))

// SQLite derives this name from libmci-sqlite.so: the letters of the file's name, without "lib".
EXPORT int sqlite3_mcisqlite_init(sqlite3 *database, char **error, const sqlite3_api_routines *host) {
    // Two copies of SQLite in one process do not know each other's locks: when one of them closes a
    // file, the kernel releases the locks of the other.
    if (host->open_v2 != sqlite3_open_v2) {
        if (error)
            *error = host->mprintf(
                "This program has a SQLite of its own (%s), and libmci-sqlite is linked to the "
                "system's (%s): two in one process would drop each other's file locks. Use a "
                "program that is linked to the system's libsqlite3.",
                host->libversion(), sqlite3_libversion());
        return SQLITE_ERROR;
    }
    int result = mci_sqlite_register(database, error);
    // SQLite must not unload the library, because the Swift runtime cannot be unloaded.
    return result == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : result;
}

// SQLite's generic name for the entry point, whatever the file is called.
EXPORT int sqlite3_extension_init(sqlite3 *database, char **error, const sqlite3_api_routines *host) {
    return sqlite3_mcisqlite_init(database, error, host);
}
