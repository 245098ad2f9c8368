// SPDX-License-Identifier: Apache-2.0
//
// What Swift's Glibc module lacks: Linux descriptors, process controls, peer credentials.
// A function is here only if a macro, a variadic or a GNU declaration prevents its import.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Blocks `signals` and creates a descriptor that becomes readable when one arrives (signalfd(2)).
/// -1 on error.
int clinux_signal_descriptor(const int *signals, size_t count);

/// Reads one signal number from a signal descriptor; 0 if none is pending.
int clinux_read_signal(int descriptor);

/// Ignores a signal, even one that the C library reserves for itself. -1 on error.
int clinux_ignore_signal(int signal);

/// Creates a timer on CLOCK_BOOTTIME, which includes suspend, or on CLOCK_REALTIME. -1 on error.
int clinux_timer_descriptor(int clock);

/// Reads and discards the expirations of a timer descriptor.
void clinux_drain(int descriptor);

/// Arms the timer for an absolute time of its clock in milliseconds; 0 or less disarms it. A timer
/// on CLOCK_REALTIME also becomes readable when that clock is set. -1 on error.
int clinux_arm_timer(int descriptor, int64_t ms);

/// Whether the kernel considers the wall clock synchronised (adjtimex(2)); the clock is only read.
/// 1 if so, 0 if not, -1 if unknown.
int clinux_clock_is_synchronised(void);

/// The user id of the peer of a connected Unix socket (SO_PEERCRED); -1 on error.
int64_t clinux_peer_uid(int socket);

/// Creates a Unix stream socket that listens at `path`: mode 0600, close-on-exec, non-blocking.
/// -1 on error.
int clinux_listen(const char *path, int backlog);

/// Connects a Unix stream socket to `path`: close-on-exec, blocking; a leading '@' means an abstract
/// address. -1 on error.
int clinux_connect(const char *path);

/// Receives bytes, and up to `count` descriptors that come with them, which become close-on-exec;
/// further ones are closed. The bytes received; 0 at the end of the connection, -1 on error.
ssize_t clinux_receive(int socket, void *buffer, size_t length, int *descriptors, int count);

/// Accepts a connection: close-on-exec, non-blocking. -1 on error.
int clinux_accept(int listener);

/// Whether a descriptor is a socket that listens at `path`, where its file still exists. If so, it
/// becomes close-on-exec and non-blocking.
int clinux_listens(int socket, const char *path);

/// Sends one datagram to the service manager's socket; a leading '@' means an abstract address. A
/// descriptor other than -1 is sent along. -1 on error.
int clinux_notify(const char *path, const char *text, size_t length, int descriptor);

/// Changes the mode of this user's folder, or regular file with one hard link. Links are not
/// followed. -1 on error; EPERM if the path is anything else.
int clinux_change_own_mode(const char *path, unsigned mode);

/// Creates a file without a name in `folder`, which disappears when it is closed (O_TMPFILE). -1 on
/// error, also if the file system does not support it.
int clinux_unnamed_file(const char *folder);

/// Gives such a file a name on its file system; it never replaces another file. -1 on error.
int clinux_name_file(int file, const char *path);

/// Removes the file at `path` when a signal ends this program; after SIGKILL a child does it a
/// moment later. NULL cancels this and restores the signals' defaults. -1 if the path is too long.
int clinux_remove_at_end(const char *path);

/// Disables core dumps, and denies other processes of the same user access to this one's memory. 0
/// on success.
int clinux_forbid_dumps(void);

/// Excludes `length` bytes at `address` from dumps and from swap. Non-zero if either is refused.
int clinux_guard(void *address, size_t length);

/// Overwrites `length` bytes with zeros; no compiler optimises this away.
void clinux_wipe(void *address, size_t length);
