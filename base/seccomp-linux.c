/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp, by libseccomp: the system calls that are left (docs/decisions/011). Three answers: allowed; "there is no such call",
   which libraries are written to meet, for what nobody listed; and the end of the process for what no path of ours or of a library
   ever does, so that an attack is seen. */
#include "base/fault.h"
#include "base/sandbox_internal.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 32

enum need {
    NEED_NOTHING = 0,
    NEED_FILES = 1,
    NEED_WRITES = 2,
    NEED_ACCEPTS = 4,
    NEED_CONNECTS = 8,
    NEED_SANITIZER = 16,
};
struct group {
    enum need need;
    const char *calls;
};

static const struct group allowed[] = {
    /* descriptors that are open, or come by message */
    { NEED_NOTHING,
      "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek close "
      "fstat fstat64 dup dup3 pipe2 eventfd2 ftruncate fsync fdatasync" },
    { NEED_NOTHING, "recvfrom recvmsg recv send shutdown getsockopt getsockname getpeername" },
    { NEED_NOTHING,
      "epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6 _newselect" },
    /* memory, threads, time, and what a process may know of itself */
    { NEED_NOTHING, "brk munmap mremap madvise" },
    { NEED_NOTHING,
      "futex futex_waitv set_robust_list rseq membarrier sched_yield sched_getaffinity exit exit_group "
      "restart_syscall" },
    { NEED_NOTHING, "rt_sigaction rt_sigprocmask rt_sigreturn sigreturn sigaltstack" },
    { NEED_NOTHING, "clock_gettime clock_getres clock_nanosleep gettimeofday nanosleep time getrandom" },
    { NEED_NOTHING,
      "getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getrlimit getrusage times "
      "uname sysinfo" },
    { NEED_FILES,
      "newfstatat fstatat64 stat lstat stat64 lstat64 statx access faccessat faccessat2 getdents64 readlink "
      "readlinkat getcwd flock fadvise64" },
    { NEED_WRITES, "fallocate unlink unlinkat rename renameat renameat2 mkdir mkdirat" },
    { NEED_ACCEPTS, "accept accept4" },
    { NEED_CONNECTS, "connect bind sendto sendmsg sendmmsg recvmmsg setsockopt" },
    { NEED_SANITIZER, "clone ptrace wait4 open readlink mlock munlock mincore msync getdents" },
};

/* Whoever calls one of these is not us. */
static const struct group fatal[] = {
    { NEED_NOTHING, "execve execveat fork vfork memfd_create memfd_secret" },
    { NEED_NOTHING,
      "process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd pidfd_send_signal" },
    { NEED_NOTHING,
      "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset personality "
      "setns unshare chroot pivot_root" },
    { NEED_NOTHING, "listen mknod mknodat name_to_handle_at open_by_handle_at" },
    { NEED_SANITIZER, "ptrace" },
    { NEED_CONNECTS, "socket socketpair connect bind" },
};

/* Kernel interfaces that have nothing to do with a service, and much with taking over a machine. Also what the supervisor loses. */
static const char kernel_interfaces[] =
    "bpf perf_event_open io_uring_setup io_uring_enter io_uring_register userfaultfd keyctl add_key "
    "request_key kexec_load "
    "kexec_file_load init_module finit_module delete_module mount umount2 mount_setattr move_mount open_tree "
    "fsopen fsconfig "
    "fsmount fspick reboot swapon swapoff acct quotactl quotactl_fd clock_settime settimeofday stime "
    "clock_adjtime adjtimex "
    "sethostname setdomainname iopl ioperm modify_ldt vhangup syslog lookup_dcookie nfsservctl";
static const char supervisor_fatal[] = "pivot_root chroot setns unshare open_by_handle_at name_to_handle_at "
                                       "process_vm_writev kcmp pidfd_getfd personality";

struct filter {
    scmp_filter_ctx ctx;
    int error; /* the first, negative; 0 while all is well */
};

/* What the arguments must be, all of it. */
struct when {
    unsigned count;
    struct scmp_arg_cmp arguments[3];
};
#define ALWAYS ((struct when){ 0 })
#define WHEN(...)                                                                                            \
    ((struct when){ sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) / sizeof(struct scmp_arg_cmp),            \
                    { __VA_ARGS__ } })

static struct scmp_arg_cmp argument_is(unsigned index, uint64_t value)
{
    return (struct scmp_arg_cmp){ index, SCMP_CMP_EQ, value, 0 };
}

static struct scmp_arg_cmp bits_are(unsigned index, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){ index, SCMP_CMP_MASKED_EQ, mask, value };
}

static void rule(struct filter *filter, uint32_t action, const char *call, struct when when)
{
    int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR || filter->error)
        return; /* newer than this libseccomp: then it is not allowed either */
    int error = seccomp_rule_add_array(filter->ctx, action, number, when.count, when.arguments);
    /* Another architecture's call. */
    if (error && error != -EDOM)
        filter->error = error;
}

static void rules(struct filter *filter, uint32_t action, const char *calls)
{
    while (*calls) {
        char name[NAME_BYTES];
        size_t len = strcspn(calls, " ");
        snprintf(name, sizeof(name), "%.*s", (int)len, calls);
        rule(filter, action, name, ALWAYS);
        calls += len + strspn(calls + len, " ");
    }
}

/* --- calls that depend on an argument --- */

/* No page that can be executed is made; with loads_code, none that can be written too. */
static void memory_rules(struct filter *filter, const struct sandbox_policy *policy)
{
    rule(filter, SCMP_ACT_ALLOW, "mmap", WHEN(bits_are(2, PROT_EXEC, 0)));
    rule(filter, SCMP_ACT_ALLOW, "mmap2", WHEN(bits_are(2, PROT_EXEC, 0)));
    rule(filter, SCMP_ACT_ALLOW, "mprotect", WHEN(bits_are(2, PROT_EXEC, 0)));
    if (policy->loads_code)
        rule(filter, SCMP_ACT_ALLOW, "mmap", WHEN(bits_are(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)));
}

/* Threads, by clone: clone3 hides its flags in memory, and glibc goes on with clone when there is no clone3. */
static void thread_rules(struct filter *filter)
{
    rule(filter, SCMP_ACT_ALLOW, "tgkill", WHEN(argument_is(0, (uint64_t)getpid())));
    if (SANDBOX_SANITIZED)
        return;
    rule(filter, SCMP_ACT_ALLOW, "clone", WHEN(bits_are(0, CLONE_THREAD, CLONE_THREAD)));
    rule(filter, SCMP_ACT_KILL_PROCESS, "clone", WHEN(bits_are(0, CLONE_THREAD, 0)));
}

static void process_rules(struct filter *filter)
{
    rule(filter, SCMP_ACT_ALLOW, "prlimit64", WHEN(argument_is(2, 0))); /* reads limits, sets none */
    if (SANDBOX_SANITIZED) {
        rule(filter, SCMP_ACT_ALLOW, "prctl", ALWAYS);
        return;
    }
    rule(filter, SCMP_ACT_ALLOW, "prctl", WHEN(argument_is(0, PR_SET_NAME)));
    rule(filter, SCMP_ACT_ALLOW, "prctl", WHEN(argument_is(0, PR_GET_NAME)));
}

static void descriptor_rules(struct filter *filter)
{
    static const uint64_t commands[] = { F_GETFD,         F_SETFD,     F_GETFL,     F_SETFL,
                                         F_DUPFD_CLOEXEC, F_GETLK,     F_SETLK,     F_SETLKW,
                                         F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW };
    static const uint64_t requests[] = { FIONREAD, FIONBIO, TCGETS };
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        rule(filter, SCMP_ACT_ALLOW, "fcntl", WHEN(argument_is(1, commands[i])));
        rule(filter, SCMP_ACT_ALLOW, "fcntl64", WHEN(argument_is(1, commands[i])));
    }
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        rule(filter, SCMP_ACT_ALLOW, "ioctl", WHEN(argument_is(1, requests[i])));
    rule(filter, SCMP_ACT_KILL_PROCESS, "ioctl", WHEN(argument_is(1, TIOCSTI)));
}

#define SET_ID (S_ISUID | S_ISGID) /* a program that others would run as us */

/* Before its third version Landlock does not know truncation: then O_TRUNC with O_RDONLY would be a way around it. */
static void open_rules(struct filter *filter)
{
    const struct scmp_arg_cmp mode = bits_are(3, SET_ID, 0);
    rule(filter, SCMP_ACT_ALLOW, "openat", WHEN(bits_are(2, O_TRUNC, 0), mode));
    rule(filter, SCMP_ACT_ALLOW, "openat", WHEN(bits_are(2, O_TRUNC | O_ACCMODE, O_TRUNC | O_WRONLY), mode));
    rule(filter, SCMP_ACT_ALLOW, "openat", WHEN(bits_are(2, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDWR), mode));
}

static void write_rules(struct filter *filter)
{
    rule(filter, SCMP_ACT_ALLOW, "fchmod", WHEN(bits_are(1, SET_ID, 0)));
}

/* Inherited sockets only: a listening one that is shut down could be sent somewhere else by TCP Fast Open. */
static void inherited_socket_rules(struct filter *filter)
{
    const struct scmp_arg_cmp nowhere = argument_is(4, 0);
    rule(filter, SCMP_ACT_ALLOW, "sendto", WHEN(bits_are(3, MSG_FASTOPEN, 0), nowhere));
    rule(filter, SCMP_ACT_ALLOW, "sendmsg", WHEN(bits_are(2, MSG_FASTOPEN, 0)));
    rule(filter, SCMP_ACT_ALLOW, "setsockopt",
         WHEN(argument_is(1, IPPROTO_TCP), argument_is(2, TCP_NODELAY)));
}

static void own_socket_rules(struct filter *filter)
{
    static const uint64_t families[] = { AF_UNIX, AF_INET, AF_INET6,
                                         AF_NETLINK /* getaddrinfo asks for our addresses */ };
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        rule(filter, SCMP_ACT_ALLOW, "socket", WHEN(argument_is(0, families[i])));
}

/* --- filters --- */

static unsigned needs_of(const struct sandbox_policy *policy)
{
    unsigned needs = policy->path_count ? NEED_FILES : 0;
    for (size_t i = 0; i < policy->path_count; i++)
        needs |= policy->paths[i].access == SANDBOX_READ ? 0 : NEED_WRITES;
    needs |= policy->accepts ? NEED_ACCEPTS : 0;
    needs |= policy->connects ? NEED_CONNECTS : 0;
    return needs | (SANDBOX_SANITIZED ? NEED_SANITIZER | NEED_FILES : 0);
}

static void policy_rules(struct filter *filter, const struct sandbox_policy *policy)
{
    unsigned needs = needs_of(policy);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
        if ((allowed[i].need & needs) == (unsigned)allowed[i].need)
            rules(filter, SCMP_ACT_ALLOW, allowed[i].calls);
    }
    for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) {
        if (fatal[i].need == NEED_NOTHING || !(fatal[i].need & needs))
            rules(filter, SCMP_ACT_KILL_PROCESS, fatal[i].calls);
    }
    rules(filter, SCMP_ACT_KILL_PROCESS, kernel_interfaces);
    memory_rules(filter, policy);
    thread_rules(filter);
    descriptor_rules(filter);
    process_rules(filter);
    if (needs & NEED_FILES)
        open_rules(filter);
    else /* what glibc makes of fstat: of a file that was opened for us, as the configuration is at a reload */
        rule(filter, SCMP_ACT_ALLOW, "newfstatat", WHEN(argument_is(3, AT_EMPTY_PATH)));
    if (needs & NEED_WRITES)
        write_rules(filter);
    if (needs & NEED_CONNECTS)
        own_socket_rules(filter);
    else
        inherited_socket_rules(filter);
}

static bool filter_new(struct filter *filter, uint32_t otherwise)
{
    *filter = (struct filter){ .ctx = seccomp_init(otherwise) };
    /* Calls of a foreign architecture would have other numbers. */
    return filter->ctx &&
           seccomp_attr_set(filter->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
           seccomp_attr_set(filter->ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
           seccomp_attr_set(filter->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) ==
               0; /* a tree: few steps to each call */
}

/* Takes what is in filter. */
static enum err filter_load(struct filter *filter, struct why *why)
{
    int error = filter->error;
    if (!error)
        error = seccomp_load(filter->ctx);
    seccomp_release(filter->ctx);
    return error == 0 ? OK
                      : fail(why, ERR_INTERNAL, "sandbox: seccomp cannot be entered: %s", strerror(-error));
}

/* Filters that end a process, on all threads: Linux 4.14, where seccomp is built in. */
static bool is_there(void)
{
    return seccomp_api_get() >= 3;
}

enum err seccomp_enter(const struct sandbox_policy *policy, bool *ret_entered, struct why *why)
{
    struct filter filter;
    *ret_entered = is_there();
    if (FAULT(sandbox_calls) || !*ret_entered)
        return OK;
    if (!filter_new(&filter, SCMP_ACT_ERRNO(ENOSYS)))
        return fail(why, ERR_INTERNAL, "sandbox: libseccomp makes no filter");
    policy_rules(&filter, policy);
    return filter_load(&filter, why);
}

enum err seccomp_enter_supervisor(struct why *why)
{
    struct filter filter;
    if (!is_there())
        return OK; /* the roles say it */
    if (!filter_new(&filter, SCMP_ACT_ALLOW))
        return fail(why, ERR_INTERNAL, "sandbox: libseccomp makes no filter");
    rules(&filter, SCMP_ACT_KILL_PROCESS, kernel_interfaces);
    rules(&filter, SCMP_ACT_KILL_PROCESS, supervisor_fatal);
    return filter_load(&filter, why);
}
