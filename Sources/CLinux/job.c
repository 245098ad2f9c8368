// SPDX-License-Identifier: Apache-2.0
#include "filter.h"

int clinux_forbid_sockets(void) {
    struct sock_filter filter[] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#if defined(__x86_64__)
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), FAIL(ENOSYS),
#endif
        // A pair of connected streams reaches nobody else; it stays, for libraries use it. A datagram could be
        // sent to any name, and a message could bring a descriptor.
        SKIP_UNLESS(SYS_socketpair, 5), LOAD_ARGUMENT(1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 15),
        SKIP_UNLESS(SOCK_STREAM, 1), ALLOW, FAIL(EPERM),
        NEVER(socket), NEVER(connect), NEVER(bind), NEVER(listen), NEVER(sendmsg), NEVER(sendmmsg), NEVER(recvmsg),
        NEVER(recvmmsg), SKIP_UNLESS(SYS_sendto, 7), LOAD_ARGUMENT(4), SKIP_UNLESS(0, 4),
        LOAD_HIGH(4), SKIP_UNLESS(0, 1), ALLOW, FAIL(EPERM), FAIL(EPERM),
        // Typing into the terminal of whoever started the job.
        SKIP_UNLESS(SYS_ioctl, 5), LOAD_ARGUMENT(1), SKIP_UNLESS(TIOCSTI, 1), FAIL(EPERM),
        SKIP_UNLESS(TIOCLINUX, 1), FAIL(EPERM),
        LOAD(nr),
        // Landlock does not confine what is said about files.
#if defined(__x86_64__)
        NEVER(chmod), NEVER(chown), NEVER(lchown), NEVER(utime), NEVER(utimes), NEVER(futimesat),
#endif
        NEVER(fchmod), NEVER(fchmodat), NEVER(fchown), NEVER(fchownat), NEVER(utimensat), NEVER(setxattr),
        NEVER(lsetxattr), NEVER(fsetxattr), NEVER(removexattr), NEVER(lremovexattr), NEVER(fremovexattr),
        SKIP_UNLESS(452, 1), FAIL(EPERM),
        NEVER(ptrace), NEVER(process_vm_readv), NEVER(process_vm_writev), NEVER(pidfd_getfd), NEVER(kcmp),
        NEVER(bpf), NEVER(perf_event_open), NEVER(userfaultfd), NEVER(io_uring_setup), NEVER(io_uring_enter),
        NEVER(io_uring_register), NEVER(add_key), NEVER(request_key), NEVER(keyctl), NEVER(unshare),
        NEVER(setns), NEVER(mount), NEVER(umount2), NEVER(open_tree), NEVER(move_mount), NEVER(fsopen),
        NEVER(open_by_handle_at), NEVER(shmget), NEVER(msgget), NEVER(mq_open),
        ALLOW,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

int clinux_leave_terminal(void) {
    if (setsid() < 0) return -1;
    // What the caller had open is not the job's.
    return (int)syscall(SYS_close_range, 3, ~0U, 0);
}
