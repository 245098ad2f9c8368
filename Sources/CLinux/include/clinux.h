// SPDX-License-Identifier: Apache-2.0
//
// What the Glibc module of Swift lacks: Linux descriptors, process controls, peer credentials.
// Functions stand here only where a macro, a variadic or a GNU declaration keeps Swift out.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A descriptor that becomes readable when one of `signals` arrives; the signals are blocked. -1 on error.
int clinux_signal_descriptor(const int *signals, size_t count);

/// Reads one signal number from a signal descriptor; 0 when none waits.
int clinux_read_signal(int descriptor);

/// Ignores a signal, one of the C library's own too. -1 on error.
int clinux_ignore_signal(int signal);

/// A timer on CLOCK_BOOTTIME, which counts suspended time too, or CLOCK_REALTIME. -1 on error.
int clinux_timer_descriptor(int clock);

/// Reads away what made a timer descriptor readable.
void clinux_drain(int descriptor);

/// Arms the timer for an absolute time of its clock in milliseconds; 0 or less disarms it. On
/// CLOCK_REALTIME it also becomes readable when that clock is set.
int clinux_arm_timer(int descriptor, int64_t ms);

/// Whether something keeps the wall clock right, as the kernel sees it; the clock is only read. 1 yes, 0 no,
/// -1 where that cannot be told.
int clinux_clock_is_synchronised(void);

/// The uid on the other end of a connected Unix socket, or -1.
int64_t clinux_peer_uid(int socket);

/// A listening or connected stream socket of AF_UNIX at `path`, close-on-exec and non-blocking where asked. -1 on error.
int clinux_listen(const char *path, int backlog);
int clinux_connect(const char *path);
int clinux_accept(int listener);

/// Whether a descriptor listens at `path`, and still does; it is then close-on-exec and non-blocking.
int clinux_listens(int socket, const char *path);

/// Sends one datagram to the service manager's socket (a leading '@' means abstract), with a descriptor
/// where one is given (not -1). -1 on error.
int clinux_notify(const char *path, const char *text, size_t length, int descriptor);

/// Changes the mode of a folder, or of a regular file with one name, of this user's; links are not
/// followed. -1 on error, `EPERM` where it is something else.
int clinux_change_own_mode(const char *path, unsigned mode);

/// A new file in `folder` that has no name and vanishes when it is closed. -1 on error, or where the file
/// system has no such files.
int clinux_unnamed_file(const char *folder);

/// Gives such a file a name, on the same file system and never another file's. -1 on error.
int clinux_name_file(int file, const char *path);

/// Has the file at `path` removed when a signal ends this program, SIGKILL too (by a child, a moment later);
/// NULL ends that, with the signals' defaults. -1 where the path is too long.
int clinux_remove_at_end(const char *path);

/// Forbids core dumps and reading of this process by others of the same user.
int clinux_forbid_dumps(void);

/// Asks the kernel to leave `length` bytes at `address` out of dumps and of swap. -1 when one is refused.
int clinux_guard(void *address, size_t length);

/// Overwrites `length` bytes with zeros, in a way that no compiler leaves out.
void clinux_wipe(void *address, size_t length);
