// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

// Written in Swift; makes the tables known to a connection. An error's text is the caller's to free.
int mci_sqlite_register(sqlite3 *database, char **error);
