// SPDX-License-Identifier: Apache-2.0
#include "filter.h"

// All code is loaded already: no memory may become executable, not even that of a mapped file.
#define NO_NEW_CODE(call) SKIP_UNLESS(SYS_##call, 5), LOAD_ARGUMENT(2), \
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_EXEC), SKIP_UNLESS(PROT_EXEC, 1), FAIL(EPERM), ALLOW

int clinux_forbid_calls(void) {
    struct sock_filter filter[] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#if defined(__x86_64__)
        // The x32 numbering of the same system calls.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), FAIL(ENOSYS),
        NEVER(fork), NEVER(vfork), NEVER(uselib), NEVER(iopl), NEVER(ioperm), NEVER(modify_ldt),
#endif
        NEVER(execve), NEVER(execveat),
        NEVER(ptrace), NEVER(process_vm_readv), NEVER(process_vm_writev), NEVER(process_madvise),
        NEVER(kill), NEVER(tkill), NEVER(rt_sigqueueinfo), NEVER(rt_tgsigqueueinfo),
        NEVER(pidfd_open), NEVER(pidfd_getfd), NEVER(pidfd_send_signal), NEVER(kcmp),
        NEVER(bpf), NEVER(perf_event_open), NEVER(userfaultfd), NEVER(memfd_create),
        NEVER(io_uring_setup), NEVER(io_uring_enter), NEVER(io_uring_register),
        NEVER(add_key), NEVER(request_key), NEVER(keyctl), NEVER(personality),
        NEVER(unshare), NEVER(setns), NEVER(chroot), NEVER(pivot_root), NEVER(mount), NEVER(umount2),
        NEVER(fsopen), NEVER(fsmount), NEVER(open_tree), NEVER(move_mount), NEVER(mount_setattr),
        NEVER(open_by_handle_at), NEVER(name_to_handle_at), NEVER(fanotify_init), NEVER(quotactl),
        NEVER(init_module), NEVER(finit_module), NEVER(delete_module), NEVER(kexec_load), NEVER(reboot),
        NEVER(swapon), NEVER(swapoff), NEVER(acct), NEVER(syslog), NEVER(vhangup), NEVER(sethostname),
        NEVER(setdomainname), NEVER(settimeofday), NEVER(clock_settime),
        // adjtimex and clock_adjtime stay, to query whether the clock is synchronised. Their
        // arguments are in memory, which a filter cannot read; without CAP_SYS_TIME they can only
        // read the clock.
        NEVER(shmget), NEVER(shmat), NEVER(msgget), NEVER(mq_open),
        NEVER(migrate_pages), NEVER(move_pages), NEVER(mbind),
        // The C library then falls back to clone, whose flags a filter can read.
        SKIP_UNLESS(SYS_clone3, 1), FAIL(ENOSYS),
        SKIP_UNLESS(SYS_clone, 5), LOAD_ARGUMENT(0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, CLONE_THREAD),
        SKIP_UNLESS(CLONE_THREAD, 1), ALLOW, FAIL(EPERM),
        SKIP_UNLESS(SYS_tgkill, 4), LOAD_ARGUMENT(0), IS((uint32_t)getpid()), FAIL(EPERM),
        ONLY_UNIX(socket), ONLY_UNIX(socketpair),
        SKIP_UNLESS(SYS_ioctl, 10), LOAD_ARGUMENT(1), IS(TCGETS), IS(TIOCGWINSZ), IS(FIONREAD), IS(FIONBIO), FAIL(EPERM),
        SKIP_UNLESS(SYS_prctl, 4), LOAD_ARGUMENT(0), SKIP_UNLESS(PR_SET_DUMPABLE, 1), FAIL(EPERM), ALLOW,
        NO_NEW_CODE(mmap), NO_NEW_CODE(mprotect), NO_NEW_CODE(pkey_mprotect),
        ALLOW,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}
