// SPDX-License-Identifier: Apache-2.0

// The entry points of the loadable extension: here and not in Swift, for sqlite3ext.h is a table of
// functions behind macros. With SQLITE_CORE it leaves the names of the linked library alone.
#define SQLITE_CORE 1
#include <sqlite3ext.h>

#include "csqliteextension.h"

#define EXPORT __attribute__((visibility("default")))

// What libmci-sqlite.so is asked for: the letters of its name.
EXPORT int sqlite3_mcisqlite_init(sqlite3 *database, char **error, const sqlite3_api_routines *host) {
    // Two copies of SQLite in one process do not know of each other's locks: when one of them closes
    // a file, the kernel drops the locks of the other.
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
    // The Swift runtime cannot be unloaded.
    return result == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : result;
}

// The same under the name that fits every file name.
EXPORT int sqlite3_extension_init(sqlite3 *database, char **error, const sqlite3_api_routines *host) {
    return sqlite3_mcisqlite_init(database, error, host);
}
