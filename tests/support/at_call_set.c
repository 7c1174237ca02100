/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls count, and how one is read and changed (x86-64).

   state: between two of these nothing changes that anybody else, or the same role after a restart, could see, so a kill
   anywhere between them is the same as one before the later. Reading, waiting, memory and time are left out for that
   reason; so are wake-ups between threads (eventfd). */
#include "tests/support/at_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

enum shape {
    FD,
    FD_LENGTH,
    PATH,
    OPEN
}; /* first argument: descriptor (the third is a length); path; openat */
static const struct row {
    long number;
    const char *name;
    enum shape shape;
    int sets;
} rows[] = {
    { SYS_write, "write", FD_LENGTH, SET_STATE | SET_IO },
    { SYS_pwrite64, "pwrite64", FD_LENGTH, SET_STATE | SET_IO },
    { SYS_writev, "writev", FD, SET_STATE | SET_IO },
    { SYS_pwritev, "pwritev", FD, SET_STATE | SET_IO },
    { SYS_sendto, "sendto", FD_LENGTH, SET_STATE },
    { SYS_sendmsg, "sendmsg", FD, SET_STATE },
    { SYS_shutdown, "shutdown", FD, SET_STATE },
    { SYS_fsync, "fsync", FD, SET_STATE | SET_IO },
    { SYS_fdatasync, "fdatasync", FD, SET_STATE | SET_IO },
    { SYS_ftruncate, "ftruncate", FD, SET_STATE | SET_IO },
    { SYS_fallocate, "fallocate", FD, SET_STATE | SET_IO },
    { SYS_fchmod, "fchmod", FD, SET_STATE | SET_IO },
    { SYS_read, "read", FD, SET_IO },
    { SYS_pread64, "pread64", FD, SET_IO },
    { SYS_openat, "openat", OPEN, SET_STATE | SET_IO },
    { SYS_rename, "rename", PATH, SET_STATE | SET_IO },
    { SYS_renameat, "renameat", PATH, SET_STATE | SET_IO },
    { SYS_renameat2, "renameat2", PATH, SET_STATE | SET_IO },
    { SYS_link, "link", PATH, SET_STATE | SET_IO },
    { SYS_linkat, "linkat", PATH, SET_STATE | SET_IO },
    { SYS_unlink, "unlink", PATH, SET_STATE | SET_IO },
    { SYS_unlinkat, "unlinkat", PATH, SET_STATE | SET_IO },
    { SYS_mkdir, "mkdir", PATH, SET_STATE | SET_IO },
    { SYS_mkdirat, "mkdirat", PATH, SET_STATE | SET_IO },
    { SYS_chmod, "chmod", PATH, SET_STATE | SET_IO },
};

static const struct row *row_of(long number)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].number == number)
            return &rows[i];
    }
    return NULL;
}

bool call_set_by_name(const char *name, enum call_set *ret)
{
    *ret = strcmp(name, "io") == 0 ? SET_IO : SET_STATE;
    return strcmp(name, "io") == 0 || strcmp(name, "state") == 0;
}

bool call_action_by_name(const char *name, struct tracer *tracer)
{
    static const struct {
        const char *name;
        enum call_action action;
        int error;
    } actions[] = { { "kill", ACT_KILL, 0 },
                    { "short", ACT_SHORT, 0 },
                    { "EIO", ACT_FAIL, EIO },
                    { "ENOSPC", ACT_FAIL, ENOSPC },
                    { "EINTR", ACT_FAIL, EINTR } };
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
        if (strcmp(actions[i].name, name) != 0)
            continue;
        tracer->action = actions[i].action;
        tracer->error = actions[i].error;
        return true;
    }
    return false;
}

static bool info_get(pid_t tid, struct __ptrace_syscall_info *info)
{
    return ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(*info), info) > 0;
}

bool call_is_entry(pid_t tid)
{
    struct __ptrace_syscall_info info;
    return info_get(tid, &info) && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* What the descriptor is: a path, "socket:[…]", "anon_inode:[eventfd]". */
static void target_of(pid_t pid, uint64_t fd, char *out, size_t size)
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)fd);
    ssize_t len = readlink(link, out, size - 1);
    out[len > 0 ? len : 0] = '\0';
}

static void path_of(pid_t tid, uint64_t address, char *out, size_t size)
{
    size_t used = 0;
    while (used + sizeof(long) < size) {
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, tid, address + used, 0);
        if (errno)
            break;
        memcpy(out + used, &word, sizeof(word));
        used += sizeof(word);
        if (memchr(out + used - sizeof(word), 0, sizeof(word)))
            return;
    }
    out[used] = '\0';
}

bool call_read(const struct tracer *tracer, pid_t tid, struct call *ret)
{
    struct __ptrace_syscall_info info;
    if (!info_get(tid, &info) || info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    const struct row *row = row_of((long)info.entry.nr);
    if (!row)
        return false;
    char target[512] = "";
    ret->number = (long)info.entry.nr;
    memcpy(ret->args, info.entry.args, sizeof(ret->args));
    bool at = row->shape == OPEN || row->number == SYS_unlinkat || row->number == SYS_mkdirat ||
              row->number == SYS_renameat || row->number == SYS_renameat2 || row->number == SYS_linkat;
    if (row->shape == FD || row->shape == FD_LENGTH)
        target_of(tracer->pid, ret->args[0], target, sizeof(target));
    else
        path_of(tid, ret->args[at ? 1 : 0], target, sizeof(target));
    snprintf(ret->text, sizeof(ret->text), "%s %s", row->name, target);
    return true;
}

bool call_counts(const struct tracer *tracer, const struct call *call)
{
    const struct row *row = row_of(call->number);
    const char *target = strchr(call->text, ' ') + 1;
    if (!(row->sets & (int)tracer->set))
        return false;
    if (row->shape == OPEN && tracer->set == SET_STATE)
        return call->args[2] & O_CREAT;
    if (row->shape == FD || row->shape == FD_LENGTH)
        return tracer->set == SET_IO ? *target == '/' : strncmp(target, "anon_inode", 10) != 0;
    return true;
}

/* --- changing it --- */

bool call_skip(pid_t tid)
{
    return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L) == 0;
}

void call_result(pid_t tid, int64_t result)
{
    (void)ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), result);
}

void call_shorten(pid_t tid, const struct call *call)
{
    const struct row *row = row_of(call->number);
    if (row->shape == FD_LENGTH && call->args[2] > 1)
        (void)ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rdx), (long)(call->args[2] / 2));
}
