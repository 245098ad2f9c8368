// SPDX-License-Identifier: Apache-2.0
//
// System calls that irrevocably remove rights from this process, and trials that prove it.
// They are here because the C library has no functions for them.
#pragma once

#include <stdint.h>

/// Access rights below a path, by Landlock's bit numbers (landlock(7)).
#define CLINUX_EXECUTE (1ULL << 0)
#define CLINUX_WRITE_FILE (1ULL << 1)
#define CLINUX_READ_FILE (1ULL << 2)
#define CLINUX_READ_FOLDER (1ULL << 3)
#define CLINUX_REMOVE_FILE (1ULL << 5)
#define CLINUX_REMOVE_FOLDER (1ULL << 4)
#define CLINUX_MAKE_FOLDER (1ULL << 7)
#define CLINUX_MAKE_FILE (1ULL << 8)
#define CLINUX_MAKE_SOCKET (1ULL << 9)
#define CLINUX_TRUNCATE (1ULL << 14)
#define CLINUX_CONTROL_DEVICE (1ULL << 15)

/// The Landlock ABI version of the kernel; 0 without Landlock.
int clinux_landlock_version(void);

/// Creates a ruleset that denies everything this version can deny, except what is allowed later. -1
/// on error.
int clinux_landlock_rules(int version);

/// Allows rights below a path; a path that does not exist is ignored. -1 on error.
int clinux_landlock_allow(int rules, int version, const char *path, uint64_t rights);

/// Enforces the ruleset on this thread, the only one of the process, and closes it. -1 on error.
int clinux_landlock_enforce(int rules);

/// Denies this process new privileges, such as those of a set-user-id program. -1 on error.
int clinux_forbid_privileges(void);

/// Denies system calls that a recorder never makes (seccomp(2)): sockets other than AF_UNIX,
/// programs, processes, tracing, new executable memory, shared memory, all but harmless ioctls, and
/// re-enabling dumps. -1 on error.
int clinux_forbid_calls(void);

/// Denies what a job that reads opened data must not do: sockets of any kind, looking into other
/// processes, and namespaces; it may start programs, which inherit this. -1 on error.
int clinux_forbid_sockets(void);

/// Begins a session without a terminal, and closes all descriptors but the standard ones. -1 on error.
int clinux_leave_terminal(void);

// Trials: each attempts what must be impossible, and undoes it on success. The result is 0 if it
// was possible, otherwise the error number. They call the kernel directly, so that no preloaded
// library answers.

/// Creates sockets of the internet, netlink, VSOCK and packet families.
int clinux_try_network(void);

/// Creates a file.
int clinux_try_create(const char *path);

/// Opens a file for reading.
int clinux_try_read(const char *path);

/// Executes this program.
int clinux_try_execute(void);

/// Maps executable memory.
int clinux_try_code(void);

/// Queries whether this process can be dumped; EPERM if it cannot.
int clinux_try_dump(void);
