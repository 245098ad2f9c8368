// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

int clinux_timer_descriptor(int clock) { return timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC); }

void clinux_drain(int descriptor) {
    uint64_t expirations;
    (void)!read(descriptor, &expirations, sizeof expirations);
}

int clinux_arm_timer(int descriptor, int64_t ms) {
    struct itimerspec spec = {0};
    if (ms > 0) spec.it_value = (struct timespec){ms / 1000, ms % 1000 * 1000000};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
}

int clinux_clock_is_synchronised(void) {
    struct timex facts = {.modes = 0};
    int state = adjtimex(&facts);
    return state < 0 ? -1 : state != TIME_ERROR && !(facts.status & STA_UNSYNC);
}

int64_t clinux_peer_uid(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (int64_t)peer.uid : -1;
}

static int unix_socket(const char *path, struct sockaddr_un *address, int type) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) return errno = ENAMETOOLONG, -1;
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
}

int clinux_listen(const char *path, int backlog) {
    struct sockaddr_un address;
    int s = unix_socket(path, &address, SOCK_STREAM | SOCK_NONBLOCK);
    if (s < 0) return -1;
    // A bound socket gets the mode of its descriptor. The umask is left alone, for all threads
    // share it.
    if (fchmod(s, 0600) != 0 || bind(s, (struct sockaddr *)&address, sizeof address) != 0
        || listen(s, backlog) != 0)
        return close(s), -1;
    return s;
}

int clinux_connect(const char *path) {
    struct sockaddr_un address;
    int s = unix_socket(path, &address, SOCK_STREAM);
    if (s < 0) return s;
    socklen_t size = sizeof address;
    if (*path == '@') {
        address.sun_path[0] = 0;
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    if (connect(s, (struct sockaddr *)&address, size) == 0) return s;
    int error = errno;
    return close(s), errno = error, -1;
}

int clinux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int clinux_listens(int s, const char *path) {
    struct sockaddr_un bound = {0};
    struct stat facts;
    socklen_t size = sizeof bound - 1, flag = sizeof flag;
    int listens = 0;
    return getsockname(s, (struct sockaddr *)&bound, &size) == 0 && bound.sun_family == AF_UNIX
        && strcmp(bound.sun_path, path) == 0 && stat(path, &facts) == 0 && S_ISSOCK(facts.st_mode)
        && getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag) == 0 && listens
        && fcntl(s, F_SETFD, FD_CLOEXEC) == 0 && fcntl(s, F_SETFL, O_NONBLOCK) == 0;
}

int clinux_forbid_dumps(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) | prctl(PR_SET_DUMPABLE, 0);
}
int clinux_guard(void *address, size_t length) { return madvise(address, length, MADV_DONTDUMP) | mlock2(address, length, MLOCK_ONFAULT); }
void clinux_wipe(void *address, size_t length) { explicit_bzero(address, length); }
