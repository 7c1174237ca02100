/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches to a running process, counts those of its system calls that others could see, over all its threads, and at the
   n-th one kills the process or makes the call fail. strace can inject the same, but counts in each thread apart: with a
   pool of workers its n-th call is another one each time. x86-64. */
#include "tests/support/at_call.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE)

static const char help[] =
    "at-call --pid PID --set state|io [--at N --do kill|short|ERRNO [--times M]]\n"
    "  Prints \"attached\", then each call of the set with its number; ends with the process, or at "
    "SIGTERM.\n"
    "  state  what anybody else can see: files and folders changed, flushed; octets sent\n"
    "  io     what a file system can refuse: open, read, write, flush, rename and the like of files\n"
    "  kill: SIGKILL before the N-th call is done. short: it writes half. ERRNO: EIO, ENOSPC or EINTR "
    "instead of it,\n"
    "  for M calls from there on (default 1; 0: for ever)\n";

static volatile sig_atomic_t leaving, failing;

/* The kernel lets go of whom a tracer that ends had stopped. Only a call that is being failed has to be seen to its end. */
static void on_term(int number)
{
    (void)number;
    leaving = 1;
    if (!failing)
        _exit(0);
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "at-call: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- threads --- */

static struct thread *thread_of(struct tracer *tracer, pid_t tid)
{
    for (size_t i = 0; i < tracer->count; i++) {
        if (tracer->threads[i].tid == tid)
            return &tracer->threads[i];
    }
    if (tracer->count == THREADS_MAX)
        give_up("too many threads");
    tracer->threads[tracer->count] = (struct thread){ .tid = tid };
    return &tracer->threads[tracer->count++];
}

static bool seize(struct tracer *tracer, pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, 0, OPTIONS) != 0)
        return errno == ESRCH || errno == EPERM;
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0)
        return errno == ESRCH;
    (void)thread_of(tracer, tid);
    return true;
}

/* Again until a whole round finds nobody new: a thread may be born meanwhile. */
static void attach(struct tracer *tracer)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)tracer->pid);
    for (size_t before = SIZE_MAX; before != tracer->count;) {
        before = tracer->count;
        DIR *list = opendir(path);
        if (!list)
            give_up(path);
        for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
            pid_t tid = (pid_t)atoi(entry->d_name);
            if (tid > 0 && !seize(tracer, tid))
                give_up("PTRACE_SEIZE");
        }
        closedir(list);
    }
    if (tracer->count == 0)
        give_up("PTRACE_SEIZE");
}

/* --- calls --- */

static void fail_begins(struct thread *thread)
{
    failing++;
    thread->failing = call_skip(thread->tid);
    failing -= !thread->failing;
}

/* true: the process is gone. */
static bool call_begins(struct tracer *tracer, struct thread *thread)
{
    struct call call;
    if (!tracer->told || !call_read(tracer, thread->tid, &call) || !call_counts(tracer, &call))
        return false; /* before "attached" nobody asked for anything: what it does then is left from before */
    tracer->seen++;
    printf("%d %s\n", tracer->seen, call.text);
    fflush(stdout);
    bool reached = tracer->at && tracer->seen >= tracer->at &&
                   (tracer->times == 0 || tracer->seen < tracer->at + tracer->times);
    if (!reached)
        return false;
    if (tracer->action == ACT_KILL) {
        kill(tracer->pid, SIGKILL);
        return true;
    }
    if (tracer->action == ACT_SHORT)
        call_shorten(thread->tid, &call);
    else
        fail_begins(thread);
    return false;
}

static void call_stop(struct tracer *tracer, struct thread *thread)
{
    if (call_is_entry(thread->tid)) {
        if (call_begins(tracer, thread))
            return;
    } else if (thread->failing) {
        call_result(thread->tid, -tracer->error);
        thread->failing = false;
        failing--;
    }
    ptrace(PTRACE_SYSCALL, thread->tid, 0, 0);
}

static void stopped(struct tracer *tracer, pid_t tid, int status)
{
    struct thread *thread = thread_of(tracer, tid);
    thread->held = true;
    int number = WSTOPSIG(status), event = status >> 16;
    if (number == (SIGTRAP | 0x80))
        call_stop(tracer, thread);
    else if (event == PTRACE_EVENT_STOP || event == PTRACE_EVENT_CLONE)
        ptrace(event == PTRACE_EVENT_STOP && number != SIGTRAP ? PTRACE_LISTEN : PTRACE_SYSCALL, tid, 0, 0);
    else
        ptrace(PTRACE_SYSCALL, tid, 0, number); /* a signal of its own */
}

static bool all_held(const struct tracer *tracer)
{
    for (size_t i = 0; i < tracer->count; i++) {
        if (!tracer->threads[i].held)
            return false;
    }
    return true;
}

static void trace(struct tracer *tracer)
{
    while (!leaving || failing) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0 && errno == EINTR)
            continue;
        if (tid < 0)
            return; /* all gone */
        if (!WIFSTOPPED(status)) {
            if (tid == tracer->pid)
                return;
            continue;
        }
        stopped(tracer, tid, status);
        if (!tracer->told && all_held(tracer)) {
            puts("attached");
            fflush(stdout);
            tracer->told = true;
        }
    }
}

static void options_read(struct tracer *tracer, int argc, char **argv)
{
    static const struct option options[] = { { "pid", 1, NULL, 'p' },   { "set", 1, NULL, 's' },
                                             { "at", 1, NULL, 'a' },    { "do", 1, NULL, 'd' },
                                             { "times", 1, NULL, 't' }, { NULL, 0, NULL, 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool good = option != '?';
        if (option == 'p')
            tracer->pid = (pid_t)atoi(optarg);
        else if (option == 's')
            good = call_set_by_name(optarg, &tracer->set);
        else if (option == 'a')
            tracer->at = atoi(optarg);
        else if (option == 't')
            tracer->times = atoi(optarg);
        else if (option == 'd')
            good = call_action_by_name(optarg, tracer);
        if (!good) {
            fputs(help, stderr);
            exit(2);
        }
    }
    if (tracer->pid <= 0 || optind != argc) {
        fputs(help, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct tracer tracer = { .times = 1 };
    options_read(&tracer, argc, argv);
    struct sigaction action = { .sa_handler = on_term };
    sigaction(SIGTERM, &action, NULL);
    attach(&tracer);
    trace(&tracer);
    return 0;
}
