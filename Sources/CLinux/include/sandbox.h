// SPDX-License-Identifier: Apache-2.0
//
// The kernel's ways of taking rights away from this process for good, and trials that prove it.
// They stand here because the C library has no functions for them.
#pragma once

#include <stdint.h>

/// Rights below a path, as Landlock numbers them (landlock(7)).
#define CLINUX_WRITE_FILE (1ULL << 1)
#define CLINUX_READ_FILE (1ULL << 2)
#define CLINUX_READ_FOLDER (1ULL << 3)
#define CLINUX_REMOVE_FILE (1ULL << 5)
#define CLINUX_MAKE_FILE (1ULL << 8)
#define CLINUX_MAKE_SOCKET (1ULL << 9)
#define CLINUX_TRUNCATE (1ULL << 14)
#define CLINUX_CONTROL_DEVICE (1ULL << 15)

/// The version of Landlock that the kernel offers; 0 when none.
int clinux_landlock_version(void);

/// A set of rules that forbids everything this version can forbid, but for what is allowed. -1 on error.
int clinux_landlock_rules(int version);

/// Allows rights below a path; one that does not exist is passed over. -1 on error.
int clinux_landlock_allow(int rules, int version, const char *path, uint64_t rights);

/// Puts the rules in force for this process, which has one thread, and closes them. -1 on error.
int clinux_landlock_enforce(int rules);

/// Forbids this process new privileges, such as those of a set-user-id program. -1 on error.
int clinux_forbid_privileges(void);

/// Forbids calls that a recorder never makes: sockets but of AF_UNIX, programs, processes, tracing, more code than
/// is loaded, shared memory, device controls but harmless ones, and being dumped again. -1 on error.
int clinux_forbid_calls(void);

// Trials: each tries what must not be possible and undoes it where it is. 0 when it was possible,
// otherwise the error number. They call the kernel directly, so that no preloaded library answers.
int clinux_try_network(void);
int clinux_try_create(const char *path);
int clinux_try_read(const char *path);
int clinux_try_execute(void);
int clinux_try_code(void);
int clinux_try_dump(void);
