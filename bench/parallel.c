/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take the next index until none is left. */
#include "bench/parallel.h"

#include "base/err.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS_MAX 64

struct crew {
    size_t count;
    atomic_size_t next;
    void (*work)(void *arg, size_t index);
    void *arg;
};

static void *crew_member(void *arg)
{
    struct crew *crew = arg;
    for (;;) {
        size_t index = atomic_fetch_add(&crew->next, 1);
        if (index >= crew->count)
            return NULL;
        crew->work(crew->arg, index);
    }
}

static size_t usable_cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

void parallel_on(size_t wanted, size_t count, void (*work)(void *arg, size_t index), void *arg)
{
    struct crew crew = { .count = count, .work = work, .arg = arg };
    pthread_t threads[THREADS_MAX];
    size_t others = (wanted < THREADS_MAX ? wanted : THREADS_MAX) - 1; /* and this one */
    for (size_t i = 0; i < others; i++) {
        if (pthread_create(&threads[i], NULL, crew_member, &crew) != 0)
            die("no thread to work with");
    }
    crew_member(&crew);
    for (size_t i = 0; i < others; i++)
        pthread_join(threads[i], NULL);
}

void parallel(size_t count, void (*work)(void *arg, size_t index), void *arg)
{
    parallel_on(usable_cores(), count, work, arg);
}
