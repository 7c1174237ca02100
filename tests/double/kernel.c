/* SPDX-License-Identifier: Apache-2.0 */
/* Ways into the kernel, and into another view of the machine. Arguments are such that a call which is not refused harms nothing. */
#include "tests/double/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <unistd.h>

/* One call with up to six numbers; done: it was not refused before its arguments were looked at. */
struct call {
    const char *name;
    long number;
    long arguments[5];
};

/* EFAULT, EINVAL and the like come from the call itself: it was let in. ENOSYS, EPERM and EACCES are refusals. */
static bool let_in(const struct call *call)
{
    const long *a = call->arguments;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4]);
    return result >= 0 || (errno != ENOSYS && errno != EPERM && errno != EACCES);
}

static const struct call calls[] = {
    { "bpf", SYS_bpf, { 99 } },
    { "perf_event_open", SYS_perf_event_open, { 0 } },
    { "io_uring_setup", SYS_io_uring_setup, { 1, 0 } },
    { "userfaultfd", SYS_userfaultfd, { 1 } },
    { "keyctl", SYS_keyctl, { 0, -3, 0 } },
    { "add_key", SYS_add_key, { 0 } },
    { "request_key", SYS_request_key, { 0 } },
    { "kexec_load", SYS_kexec_load, { 0, 0, 0, 0xFFFF } },
    { "init_module", SYS_init_module, { 0 } },
    { "finit_module", SYS_finit_module, { -1, 0, 0 } },
    { "delete_module", SYS_delete_module, { 0 } },
    { "mount", SYS_mount, { 0 } },
    { "umount2", SYS_umount2, { 0 } },
    { "pivot_root", SYS_pivot_root, { 0 } },
    { "chroot", SYS_chroot, { 0 } },
    { "open_tree", SYS_open_tree, { -1, 0, 1 } },
    { "fsopen", SYS_fsopen, { 0 } },
    { "unshare", SYS_unshare, { CLONE_FILES } },
    { "unshare a user namespace", SYS_unshare, { CLONE_NEWUSER } },
    { "setns", SYS_setns, { -1, 0 } },
    { "reboot", SYS_reboot, { 0 } },
    { "swapon", SYS_swapon, { 0 } },
    { "swapoff", SYS_swapoff, { 0 } },
    { "acct", SYS_acct, { 1 } },
    { "quotactl", SYS_quotactl, { 0 } },
    { "clock_settime", SYS_clock_settime, { 0, 0 } },
    { "settimeofday", SYS_settimeofday, { 1, 1 } },
    { "adjtimex", SYS_adjtimex, { 0 } },
    { "sethostname", SYS_sethostname, { 0, -1 } },
    { "setdomainname", SYS_setdomainname, { 0, -1 } },
    { "syslog", SYS_syslog, { 99 } },
    { "fanotify_init", SYS_fanotify_init, { 0 } },
    { "seccomp", SYS_seccomp, { 99 } },
    { "io_setup", SYS_io_setup, { 1, 0 } },
    { "vmsplice", SYS_vmsplice, { -1, 0, 0 } },
    { "splice", SYS_splice, { -1, 0, -1, 0, 0 } },
    { "sendfile", SYS_sendfile, { -1, -1, 0, 0 } },
    { "copy_file_range", SYS_copy_file_range, { -1, 0, -1, 0, 0 } },
    { "move_pages", SYS_move_pages, { 0, 0, 0 } },
    { "set_mempolicy", SYS_set_mempolicy, { 0 } },
    { "timer_create", SYS_timer_create, { 0 } },
    { "signalfd4", SYS_signalfd4, { -1, 0, 8, 0 } },
    { "ioprio_set", SYS_ioprio_set, { 1, 0, 0 } },
    { "lookup_dcookie", SYS_lookup_dcookie, { 0 } },
#ifdef __x86_64__
    { "iopl", SYS_iopl, { 0 } },
    { "ioperm", SYS_ioperm, { 0, 1, 0 } },
    { "modify_ldt", SYS_modify_ldt, { 0, 0, 0 } },
    { "arch_prctl", SYS_arch_prctl, { 0x1003, 0 } },
    { "getpid of the 32-bit x32 calls", 0x40000000 | SYS_getpid, { 0 } },
#endif
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static bool kernel_call(const struct scene *scene)
{
    return let_in(&calls[scene->nth]);
}

#ifdef __x86_64__
/* The same kernel by the calls of i386, which have other numbers: 20 is getpid there and writev here. */
static bool old_calls(const struct scene *scene)
{
    (void)scene;
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    if (result >= 0)
        return true;
    errno = (int)-result;
    return false;
}
#endif

static bool message_queue(const struct scene *scene)
{
    (void)scene;
    mqd_t queue = mq_open("/chancery-double", O_RDWR | O_CREAT, 0600, NULL);
    if (queue == (mqd_t)-1)
        return false;
    mq_unlink("/chancery-double");
    return true;
}

static bool user_namespace(const struct scene *scene)
{
    (void)scene;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0;
}

static bool clock_read_by_adjtimex(const struct scene *scene)
{
    (void)scene;
    struct timex nothing = { 0 };
    return adjtimex(&nothing) >= 0;
}

static const struct try_row rows[] = {
    { "kernel call", kernel_call, .times = CALLS },
    { "unshare user, mount and network namespaces", user_namespace, .expected = FORBIDDEN },
    { "open a message queue", message_queue, .expected = FORBIDDEN },
    { "adjtimex", clock_read_by_adjtimex, .expected = FORBIDDEN },
#ifdef __x86_64__
    { "the calls of i386", old_calls, .expected = FORBIDDEN },
#endif
};
const struct try_table tries_kernel = { rows, sizeof(rows) / sizeof(*rows) };
