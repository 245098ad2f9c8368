// SPDX-License-Identifier: Apache-2.0
// Preloaded into mcid and mcictl. Sees every call that changes a file below $FAULT_DIR:
//   FAULT_LIST=FILE    appends a line per call: name, ordinal, call, path
//   FAULT_AT=N         makes the N-th call fail as FAULT_KIND says (kill, short, or an errno's number),
//                      and creates FAULT_HIT; `short` really writes half and says so
//   FAULT_RECORD=FILE  appends every call that succeeded, with its data, for a replay (powercut.py)
// FAULT_NAME names the process. Nothing else is changed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder, *list, *recording, *name, *hit, *kind;
static long at, count;
static char *paths[1024];  // of the open descriptors below the folder

__attribute__((constructor)) static void begin(void) {
    folder = getenv("FAULT_DIR"), list = getenv("FAULT_LIST"), recording = getenv("FAULT_RECORD");
    name = getenv("FAULT_NAME") ?: "?", hit = getenv("FAULT_HIT"), kind = getenv("FAULT_KIND") ?: "";
    at = atol(getenv("FAULT_AT") ?: "0");
}

#define REAL(function) ((typeof(function) *)dlsym(RTLD_NEXT, #function))

static int is_ours(const char *path) {
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}
static const char *path_of(int file) { return file >= 0 && file < 1024 ? paths[file] : NULL; }

/// Appends to a file of the proof in one system call, so that processes do not mix.
static void append(const char *path, const struct iovec *parts, int number) {
    int saved = errno;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    syscall(SYS_writev, file, parts, number);
    syscall(SYS_close, file);
    errno = saved;
}

struct record { uint32_t process; char call; int32_t file; uint64_t place; uint32_t size, path; }
    __attribute__((packed));

static void record(char call, int file, const char *path, uint64_t place, const void *data, size_t size) {
    if (!recording) return;
    struct record head = {getpid(), call, file, place, size, strlen(path)};
    struct iovec parts[] = {
        {&head, sizeof head}, {(void *)path, head.path}, {(void *)data, data ? size : 0}};
    append(recording, parts, 3);
}

enum { GO, FAIL, HALF };

/// Counts a call, and says what is to become of it.
static int judge(const char *call, const char *path, size_t size) {
    if (!is_ours(path)) return GO;
    count++;
    if (list) {
        char line[512];
        int length = snprintf(line, sizeof line, "%s\t%ld\t%s\t%s\t%zu\n", name, count, call, path, size);
        append(list, &(struct iovec){line, length}, 1);
    }
    if (count != at) return GO;
    if (hit) append(hit, &(struct iovec){"x", 1}, 1);
    if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(kind, "short") == 0) return size > 1 ? HALF : GO;
    errno = atoi(kind);
    return FAIL;
}

static int opened(int file, const char *path, int isNew) {
    if (file < 0 || file >= 1024) return file;
    free(paths[file]);
    paths[file] = is_ours(path) ? strdup(path) : NULL;
    if (paths[file]) record(isNew ? 'c' : 'o', file, path, 0, NULL, 0);
    return file;
}

#define OPEN(function) int function(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest); \
    int isNew = is_ours(path) && flags & O_CREAT && access(path, F_OK) != 0; \
    if (isNew && judge("creat", path, 0) == FAIL) return -1; \
    int file = opened(REAL(function)(path, flags, mode), path, isNew); \
    if (file >= 0 && !isNew && flags & O_TRUNC && path_of(file)) record('t', file, path, 0, NULL, 0); \
    return file; }
OPEN(open)
OPEN(open64)

ssize_t write(int file, const void *data, size_t size) {
    const char *path = path_of(file);
    int fate = judge("write", path, size);
    if (fate == FAIL) return -1;
    off_t place = path ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t done = REAL(write)(file, data, fate == HALF ? size / 2 : size);
    if (path && done > 0) record('w', file, path, place, data, done);
    return done;
}

#define PWRITE(function, offset) ssize_t function(int file, const void *data, size_t size, offset place) { \
    const char *path = path_of(file); \
    int fate = judge("pwrite", path, size); \
    if (fate == FAIL) return -1; \
    ssize_t done = REAL(function)(file, data, fate == HALF ? size / 2 : size, place); \
    if (path && done > 0) record('w', file, path, place, data, done); \
    return done; }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define OF_FILE(function, call, extra, argument, code, place) int function(int file extra) { \
    const char *path = path_of(file); \
    if (judge(call, path, 0) == FAIL) return -1; \
    int result = REAL(function)(file argument); \
    if (path && result == 0) record(code, file, path, place, NULL, 0); \
    return result; }
#define AND ,
OF_FILE(fsync, "fsync", , , 's', 0)
OF_FILE(fdatasync, "fdatasync", , , 's', 0)
OF_FILE(ftruncate, "ftruncate", AND off_t size, AND size, 't', (uint64_t)size)
OF_FILE(ftruncate64, "ftruncate", AND off64_t size, AND size, 't', (uint64_t)size)

int rename(const char *old, const char *new) {
    if (judge("rename", new, 0) == FAIL) return -1;
    int result = REAL(rename)(old, new);
    if (result == 0 && is_ours(old)) record('r', -1, old, 0, new, strlen(new));
    return result;
}

int unlink(const char *path) {
    // Where nothing is there nothing can fail.
    if (is_ours(path) && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0
        && judge("unlink", path, 0) == FAIL) return -1;
    int result = REAL(unlink)(path);
    if (result == 0 && is_ours(path)) record('u', -1, path, 0, NULL, 0);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    if (judge("mkdir", path, 0) == FAIL) return -1;
    int result = REAL(mkdir)(path, mode);
    if (result == 0 && is_ours(path)) record('m', -1, path, 0, NULL, 0);
    return result;
}
