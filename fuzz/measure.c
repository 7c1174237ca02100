/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between libFuzzer (or replay.c) and a target, by ld --wrap: an input that takes more than 100 ms of CPU time is a
   crash like any other. CPU time and not the clock's, so that other work on the machine accuses nobody. After
   $FUZZ_CPU_SECONDS of it, or when told by SIGHUP, the fuzzer ends. */
#include "fuzz/target.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SLOW_NS INT64_C(100000000)
#define RETRIES 3 /* page faults and a cold cache are not the input's fault */
#define TICK_S  2 /* of CPU time; an input that outlives two ticks does not end */
#define SECOND  INT64_C(1000000000)

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t len); /* NOLINT: ld gives these names */
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t len); /* NOLINT */

static int64_t slowest_ns, budget_ns;
static volatile sig_atomic_t ticks_of_this_run, stopping;

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void on_tick(int signal)
{
    static const char text[] = "an input does not end\n";
    (void)signal;
    if (++ticks_of_this_run < 2)
        return;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    abort();
}

/* libFuzzer leaves by _exit, so this is said before it is asked to. */
static void say_totals(void)
{
    fprintf(stderr, "slowest_input_ms: %.1f\ncpu_seconds: %.0f\n", (double)slowest_ns / 1e6,
            (double)cpu_ns() / 1e9);
}

static void on_stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static void start(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF };
    const struct itimerspec every = { { .tv_sec = TICK_S }, { .tv_sec = TICK_S } };
    const char *budget = getenv("FUZZ_CPU_SECONDS");
    timer_t timer;
    signal(SIGPROF, on_tick);
    signal(SIGHUP, on_stop);
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0 ||
        timer_settime(timer, 0, &every, NULL) != 0)
        abort();
    budget_ns = budget ? strtoll(budget, NULL, 10) * SECOND : 0;
}

static int64_t run_timed(const uint8_t *data, size_t len)
{
    ticks_of_this_run = 0;
    int64_t before = cpu_ns();
    (void)__real_LLVMFuzzerTestOneInput(data, len);
    return cpu_ns() - before;
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) /* NOLINT */
{
    static int started;
    if (!started++)
        start();
    int64_t least = run_timed(data, len);
    for (int i = 0; i < RETRIES && least > slowest_ns; i++) {
        int64_t again = run_timed(data, len);
        least = again < least ? again : least;
    }
    if (least > slowest_ns)
        slowest_ns = least;
    if (least > SLOW_NS) {
        fprintf(stderr, "%zu bytes take %.1f ms, allowed are %.0f\n", len, (double)least / 1e6,
                (double)SLOW_NS / 1e6);
        abort();
    }
    if (stopping || (budget_ns && cpu_ns() > budget_ns)) {
        say_totals();
        raise(SIGUSR1); /* libFuzzer ends in good order */
        stopping = budget_ns = 0;
    }
    return 0;
}
