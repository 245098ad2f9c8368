// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Declared here, because the build machine's headers may be older than the kernel at run time.
struct rules { uint64_t files, network, scopes; };
struct rule { uint64_t rights; int32_t parent; } __attribute__((packed));

#define ALL_OF_VERSION_1 ((1ULL << 13) - 1)
#define REFER (1ULL << 13)
#define FOR_FILES (CLINUX_EXECUTE | CLINUX_WRITE_FILE | CLINUX_READ_FILE | CLINUX_TRUNCATE | CLINUX_CONTROL_DEVICE)
#define BIND_AND_CONNECT 3
// Abstract sockets stay allowed: libxcb tries one first and gives up if that is denied.
#define SIGNALS 2

int clinux_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return version > 0 ? (int)version : 0;
}

static uint64_t known(int version) {
    return ALL_OF_VERSION_1 | (version >= 2 ? REFER : 0) | (version >= 3 ? CLINUX_TRUNCATE : 0)
        | (version >= 5 ? CLINUX_CONTROL_DEVICE : 0);
}

int clinux_landlock_rules(int version) {
    struct rules all = {known(version), version >= 4 ? BIND_AND_CONNECT : 0,
                        version >= 6 ? SIGNALS : 0};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    return (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
}

int clinux_landlock_allow(int rules, int version, const char *path, uint64_t rights) {
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    struct stat facts;
    struct rule rule = {rights & known(version), file};
    if (fstat(file, &facts) == 0 && !S_ISDIR(facts.st_mode)) rule.rights &= FOR_FILES;
    long result = syscall(SYS_landlock_add_rule, rules, 1, &rule, 0);
    int error = errno;
    close(file);
    return errno = error, (int)result;
}

int clinux_landlock_enforce(int rules) {
    long result = syscall(SYS_landlock_restrict_self, rules, 0);
    int error = errno;
    close(rules);
    return errno = error, (int)result;
}

int clinux_forbid_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
