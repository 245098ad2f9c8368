// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/// The path in /proc by which the kernel reaches an open file, whatever its name is now.
static const char *magic(char *buffer, size_t size, int file) {
    snprintf(buffer, size, "/proc/self/fd/%d", file);
    return buffer;
}

int clinux_change_own_mode(const char *path, unsigned mode) {
    int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return -1;
    struct stat facts = {0};
    char buffer[32];
    int result = fstat(file, &facts);
    int is_alone = S_ISDIR(facts.st_mode) || (S_ISREG(facts.st_mode) && facts.st_nlink == 1);
    if (result == 0 && !(is_alone && facts.st_uid == getuid())) errno = EPERM, result = -1;
    if (result == 0) result = chmod(magic(buffer, sizeof buffer, file), mode);
    int error = errno;
    close(file);
    return errno = error, result;
}

int clinux_unnamed_file(const char *folder) { return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }

int clinux_name_file(int file, const char *path) {
    char buffer[32];
    return linkat(AT_FDCWD, magic(buffer, sizeof buffer, file), AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2};
static char doomed[4096];

// SIGKILL cannot be caught: a child waits for the end of this program and then removes the file.
static pid_t guard;
static int alive = -1;

static void begin_guard(void) {
    int tube[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tube) != 0) return;
    pid_t child = fork();
    if (child == 0) {
        // The child keeps no output open, and signals that end this program do not end the child.
        setsid();
        for (int i = 1; i < NSIG; i++) signal(i, SIG_IGN);
        int limit = (int)sysconf(_SC_OPEN_MAX);
        if (close_range(0, (unsigned)tube[0] - 1, 0) != 0 || close_range((unsigned)tube[0] + 1, ~0U, 0) != 0) {
            for (int i = 0; i < limit; i++) if (i != tube[0]) close(i);
        }
        char byte;
        if (read(tube[0], &byte, 1) == 0) unlink(doomed);
        _exit(0);
    }
    close(tube[0]);
    if (child > 0) guard = child, alive = tube[1];
    else close(tube[1]);
}

static void end_guard(void) {
    if (guard <= 0) return;
    // If the child was ended, writing to it must not end this program (SIGPIPE).
    send(alive, "", 1, MSG_NOSIGNAL);
    close(alive);
    waitpid(guard, NULL, 0);
    guard = 0, alive = -1;
}

static void end(int number) {
    unlink(doomed);
    // SA_RESETHAND has restored the default, so the parent sees which signal ended this program.
    raise(number);
}

int clinux_remove_at_end(const char *path) {
    if (path && strlen(path) >= sizeof doomed) return errno = ENAMETOOLONG, -1;
    end_guard();
    struct sigaction action = {.sa_handler = end, .sa_flags = (int)SA_RESETHAND}, before;
    if (path) strcpy(doomed, path);
    else action = (struct sigaction){.sa_handler = SIG_DFL};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        // A signal that nohup or a shell made ignored stays ignored.
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(ends[i], &action, NULL);
    }
    if (path) begin_guard();
    return 0;
}
