// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

// Registers the tables on a connection (Extension.swift). The caller frees `error` (sqlite3_free).
int mci_sqlite_register(sqlite3 *database, char **error);
