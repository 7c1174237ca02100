/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between those who hand in and the threads that take from it. */
#include "base/batch.h"

#include "base/bytes.h"
#include <pthread.h>
#include <signal.h>

struct batch {
    struct batch_config config;
    pthread_t *threads;
    unsigned started;
    pthread_mutex_t lock; /* the rest */
    pthread_cond_t arrived;
    struct batch_unit *first, **end;
    bool ending;
};

/* Takes up to units_max off the queue; NULL: the end. */
static struct batch_unit *units_take(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    while (!batch->first && !batch->ending)
        pthread_cond_wait(&batch->arrived, &batch->lock);
    struct batch_unit *units = batch->first, **last = &batch->first;
    for (int taken = 0; *last && taken < batch->config.units_max; taken++)
        last = &(*last)->next;
    struct batch_unit *rest = *last;
    *last = NULL;
    batch->first = rest;
    if (!rest)
        batch->end = &batch->first;
    pthread_mutex_unlock(&batch->lock);
    return units;
}

static bool is_idle(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    bool idle = !batch->first;
    pthread_mutex_unlock(&batch->lock);
    return idle;
}

static void *batch_main(void *arg)
{
    struct batch *batch = arg;
    const struct batch_config *config = &batch->config;
    struct batch_unit *units;
    while ((units = units_take(batch))) {
        config->run(config->arg, units);
        if (config->settle)
            config->settle(config->arg, is_idle(batch));
    }
    return NULL;
}

/* Signals belong to the main thread of a role. */
static int threads_start(struct batch *batch, unsigned threads)
{
    sigset_t all, before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (!error && batch->started < threads) {
        error = pthread_create(&batch->threads[batch->started], NULL, batch_main, batch);
        batch->started += !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

enum err batch_new(const struct batch_config *config, struct batch **ret, struct why *why)
{
    unsigned threads = config->threads ? config->threads : 1;
    AUTO(batch) batch = xcalloc(1, sizeof(*batch));
    batch->config = *config;
    batch->end = &batch->first;
    batch->threads = xcalloc(threads, sizeof(*batch->threads));
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->arrived, NULL);
    int error = threads_start(batch, threads);
    if (error)
        return fail(why, ERR_NO_MEMORY, "cannot start a thread: %s", strerror(error));
    *ret = TAKE(batch);
    return OK;
}

void batch_submit(struct batch *batch, struct batch_unit *unit)
{
    unit->next = NULL;
    pthread_mutex_lock(&batch->lock);
    bool first = !batch->first;
    *batch->end = unit;
    batch->end = &unit->next;
    /* Otherwise the thread has not yet taken what it was told of; of several another one may be free. */
    if (first || batch->started > 1)
        pthread_cond_signal(&batch->arrived);
    pthread_mutex_unlock(&batch->lock);
}

bool batch_is_own_thread(const struct batch *batch)
{
    for (unsigned i = 0; i < batch->started; i++) {
        if (pthread_equal(pthread_self(), batch->threads[i]))
            return true;
    }
    return false;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    pthread_mutex_lock(&batch->lock);
    batch->ending = true;
    pthread_cond_broadcast(&batch->arrived);
    pthread_mutex_unlock(&batch->lock);
    for (unsigned i = 0; i < batch->started; i++)
        pthread_join(batch->threads[i], NULL);
    pthread_cond_destroy(&batch->arrived);
    pthread_mutex_destroy(&batch->lock);
    free(batch->threads);
    free(batch);
}
