// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Closes a descriptor that should have been denied; returns 0 then, otherwise the error number.
static int gave(long descriptor) {
    if (descriptor < 0) return errno;
    syscall(SYS_close, descriptor);
    return 0;
}

int clinux_try_network(void) {
    static const int sockets[][2] = {
        {AF_INET, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_STREAM}, {AF_INET6, SOCK_DGRAM},
        {AF_NETLINK, SOCK_RAW}, {AF_VSOCK, SOCK_STREAM}, {AF_PACKET, SOCK_RAW}};
    int first = 0;
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        int error = gave(syscall(SYS_socket, sockets[i][0], sockets[i][1], 0));
        if (error == 0) return 0;
        if (i == 0) first = error;
    }
    return first;
}

int clinux_try_create(const char *path) {
    int error = gave(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (error == 0) syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    return error;
}

int clinux_try_read(const char *path) {
    return gave(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

int clinux_try_execute(void) {
    // The arguments are at an invalid address: a kernel that allows the call fails with EFAULT.
    syscall(SYS_execve, "/proc/self/exe", (char **)1, NULL);
    return errno == EFAULT ? 0 : errno;
}

int clinux_try_code(void) {
    static const int kinds[] = {PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_EXEC};
    for (int i = 0; i < 2; i++) {
        long page = syscall(SYS_mmap, NULL, 4096, kinds[i], MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page != -1) return syscall(SYS_munmap, page, 4096), 0;
    }
    return errno;
}

int clinux_try_dump(void) { return syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? EPERM : 0; }
