/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads and the bounded queue in front of them. */
#include "net/pool.h"

#include "base/bytes.h"
#include "base/limits.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

struct job {
    void (*work)(void *arg);
    void *arg;
};

struct pool {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t some;
    struct job *jobs; /* a ring */
    size_t size, head, count;
    bool ending;
    pthread_t *threads;
    unsigned started;
};

static void *worker(void *arg)
{
    struct pool *pool = arg;
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (pool->count == 0 && !pool->ending)
            pthread_cond_wait(&pool->some, &pool->lock);
        if (pool->count == 0) {
            pthread_mutex_unlock(&pool->lock);
            return NULL;
        }
        struct job job = pool->jobs[pool->head];
        pool->head = (pool->head + 1) % pool->size;
        pool->count--;
        pthread_mutex_unlock(&pool->lock);
        job.work(job.arg);
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
    pool->size = config->queue ? config->queue : (size_t)threads * 4;
    pool->jobs = xcalloc(pool->size, sizeof(*pool->jobs));
    pool->threads = xcalloc(threads, sizeof(*pool->threads));
    int error = threads_start(pool, threads, stack_bytes);
    if (error)
        return fail(why, ERR_NO_MEMORY, "worker thread %u of %u cannot start: %s", pool->started + 1, threads,
                    strerror(error));
    *ret = TAKE(pool);
    return OK;
}

bool pool_submit(struct pool *pool, void (*work)(void *arg), void *arg)
{
    pthread_mutex_lock(&pool->lock);
    bool taken = pool->count < pool->size && !pool->ending;
    if (taken) {
        pool->jobs[(pool->head + pool->count) % pool->size] = (struct job){ .work = work, .arg = arg };
        pool->count++;
        pthread_cond_signal(&pool->some);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
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
    free(pool->jobs);
    free(pool);
}
