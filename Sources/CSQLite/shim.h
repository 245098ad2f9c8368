// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot import.
static inline int csqlite_keep_wal_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

// Reads the database file of a connection at an offset (`place`) without opening the file again:
// closing a second descriptor would drop this process's POSIX locks on it.
static inline int csqlite_read(sqlite3 *db, void *buffer, int count, sqlite3_int64 place) {
    sqlite3_file *file = 0;
    int result = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return result ? result : file->pMethods->xRead(file, buffer, count, place);
}

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import.
static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// SQLITE_TRANSIENT again, for the result of a virtual table's column.
static inline void csqlite_result_text(sqlite3_context *context, const char *text, int count) {
    sqlite3_result_text(context, text, count, SQLITE_TRANSIENT);
}

// SQLite's own part must come first in a table and in a cursor; Swift guarantees no layout.
typedef struct {
    sqlite3_vtab base;
    void *object;
} csqlite_table;

typedef struct {
    sqlite3_vtab_cursor base;
    void *object;
} csqlite_cursor;

// sqlite3_vtab_config is variadic. Views and triggers stored in a file may not read the table.
static inline int csqlite_direct_only(sqlite3 *db) {
    return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

// sqlite3_mprintf is variadic. Returns a copy of the text that SQLite can free.
static inline char *csqlite_copy(const char *text) {
    return sqlite3_mprintf("%s", text);
}
