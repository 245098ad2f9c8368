// SPDX-License-Identifier: Apache-2.0
// Shifts the clocks of a program by the seconds that stand in the file CLOCK_SHIFT, read at each look:
//
//     cc -shared -fPIC -o clock.so clock.c
//
// libfaketime would put the wall clock in the place of the monotonic one, which the X server's times
// are on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    const char *path = getenv("CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32] = {0};
    if (file >= 0 && read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
    if (file >= 0) close(file);
    return result;
}
