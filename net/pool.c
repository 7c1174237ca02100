/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads, and the queue in front of them. */
#include "net/pool.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/lanes.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>

struct pool {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t some;
    struct lanes *lanes;
    int wait_ms;
    bool ending;
    pthread_t *threads;
    unsigned started;
};

/* Work that its client no longer waits for would only make the next one late, too. */
static bool is_late(const struct pool *pool, const struct lane_job *job)
{
    return pool->wait_ms && job->refuse && clock_mono_ms() - job->since_ms > pool->wait_ms;
}

static void *worker(void *arg)
{
    struct pool *pool = arg;
    struct lane_job job;
    struct lane *lane;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!lanes_take(pool->lanes, &job, &lane)) {
            if (pool->ending && lanes_waiting(pool->lanes) == 0) {
                pthread_mutex_unlock(&pool->lock);
                return NULL;
            }
            pthread_cond_wait(&pool->some, &pool->lock);
        }
        pthread_mutex_unlock(&pool->lock);
        if (is_late(pool, &job))
            job.refuse(job.arg);
        else
            job.work(job.arg);
        pthread_mutex_lock(&pool->lock);
        lanes_done(pool->lanes, lane);
        if (pool->ending) /* those who slept because this lane had its share */
            pthread_cond_broadcast(&pool->some);
    }
}

/* Signals belong to the loop's thread: workers are born with all of them blocked. */
static int threads_start(struct pool *pool, unsigned threads, size_t stack_bytes)
{
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    if (error)
        return error;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_attr_setstacksize(&attr, stack_bytes);
    while (!error && pool->started < threads) {
        error = pthread_create(&pool->threads[pool->started], &attr, worker, pool);
        if (!error)
            pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

enum err pool_new(const struct pool_config *config, struct pool **ret, struct why *why)
{
    unsigned threads = config->threads ? config->threads : LIMIT_POOL_THREADS;
    size_t stack_bytes =
        (config->stack_bytes ? config->stack_bytes : LIMIT_POOL_STACK_BYTES) * NET_STACK_SCALE;
    if (stack_bytes < (size_t)PTHREAD_STACK_MIN)
        return fail(why, ERR_CONFIG, "worker stack of %zu bytes, at least %zu", stack_bytes,
                    (size_t)PTHREAD_STACK_MIN);
    AUTO(pool) pool = xcalloc(1, sizeof(*pool));
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->some, NULL);
    const struct lanes_config lanes = { .size = config->queue ? config->queue : (size_t)threads * 4,
                                        .running_per_address = config->running_per_address };
    pool->wait_ms = config->wait_ms;
    TRY(lanes_new(&lanes, &pool->lanes, why));
    pool->threads = xcalloc(threads, sizeof(*pool->threads));
    int error = threads_start(pool, threads, stack_bytes);
    if (error)
        return fail(why, ERR_NO_MEMORY, "worker thread %u of %u cannot start: %s", pool->started + 1, threads,
                    strerror(error));
    *ret = TAKE(pool);
    return OK;
}

static bool submit(struct pool *pool, const struct address *from, struct lane_job job)
{
    struct lane_job displaced;
    job.since_ms = clock_mono_ms();
    pthread_mutex_lock(&pool->lock);
    enum lanes_put put = pool->ending ? LANES_FULL : lanes_put(pool->lanes, from, &job, &displaced);
    if (put != LANES_FULL)
        pthread_cond_signal(&pool->some);
    pthread_mutex_unlock(&pool->lock);
    if (put == LANES_DISPLACED)
        displaced.refuse(displaced.arg);
    return put != LANES_FULL;
}

bool pool_submit(struct pool *pool, void (*work)(void *arg), void *arg)
{
    return submit(pool, NULL, (struct lane_job){ .work = work, .arg = arg });
}

bool pool_submit_from(struct pool *pool, const struct pool_job *job)
{
    return submit(pool, job->from,
                  (struct lane_job){ .work = job->work, .refuse = job->refuse, .arg = job->arg });
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->some);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->some);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    lanes_free(pool->lanes);
    free(pool);
}
