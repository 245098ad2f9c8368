// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_signal_descriptor(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int clinux_read_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// The C library refuses the two real-time signals that it reserves for itself. A program with one
// thread does not need them, so this calls the kernel directly. On every architecture the kernel's
// structure begins with the handler, and the rest is zero.
int clinux_ignore_signal(int signal) {
    struct { void (*handler)(int); unsigned long rest[3]; } action = {SIG_IGN, {0}};
    return (int)syscall(SYS_rt_sigaction, signal, &action, NULL, 8);
}
