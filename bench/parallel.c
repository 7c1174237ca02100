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

static int usable_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return cores < THREADS_MAX ? cores : THREADS_MAX;
}

void parallel(size_t count, void (*work)(void *arg, size_t index), void *arg)
{
    struct crew crew = { .count = count, .work = work, .arg = arg };
    pthread_t threads[THREADS_MAX];
    int others = usable_cores() - 1;
    for (int i = 0; i < others; i++) {
        if (pthread_create(&threads[i], NULL, crew_member, &crew) != 0)
            die("no thread to work with");
    }
    crew_member(&crew);
    for (int i = 0; i < others; i++)
        pthread_join(threads[i], NULL);
}
