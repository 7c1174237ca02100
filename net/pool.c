/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads, and the queue in front of them. */
#include "net/pool.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/lanes.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>

struct pool_place {
    struct pool *pool;
    struct lane *lane;
    bool brief;
    bool goes_on; /* it was kept before, and only pool_leave ends it */
    bool *kept; /* of the thread that runs it: by the time work returns, the place may be another's or gone */
    struct pool_place *next; /* in going_on */
    uint64_t turn;
    pool_work work;
    void *arg;
};

struct place_list {
    struct pool_place *first, **end;
};

struct pool {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t some;
    struct lanes *lanes;
    struct place_list going_on, going_on_briefly; /* kept before, and next to run; by turn over both */
    uint64_t next_turn;
    unsigned places, taken;
    unsigned brief_most, brief; /* on threads now; most 0: no bound */
    unsigned asleep;
    bool waking; /* one of those asleep was woken, and has not come yet */
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

static bool brief_too(const struct pool *pool)
{
    return !pool->brief_most || pool->brief < pool->brief_most;
}

/* The one whose turn it is. A brief one that has to wait for others like it keeps back nobody else. NULL: none may. */
static struct place_list *next_going_on(struct pool *pool)
{
    const struct pool_place *brief = brief_too(pool) ? pool->going_on_briefly.first : NULL;
    const struct pool_place *other = pool->going_on.first;
    if (brief && (!other || brief->turn < other->turn))
        return &pool->going_on_briefly;
    return other ? &pool->going_on : NULL;
}

static bool is_ready(struct pool *pool)
{
    return next_going_on(pool) || (pool->taken < pool->places && lanes_ready(pool->lanes, brief_too(pool)));
}

/* One at a time: whoever comes wakes the next if there is more to do. A burst costs one change of threads and not one for
   each job, since whoever is awake takes the next job by itself. */
static void wake_if_needed(struct pool *pool)
{
    if (pool->waking || !pool->asleep || !is_ready(pool))
        return;
    pool->waking = true;
    pthread_cond_signal(&pool->some);
}

static bool is_over(const struct pool *pool)
{
    return pool->ending && pool->taken == 0 && lanes_waiting(pool->lanes) == 0;
}

static void place_list_begin(struct place_list *list)
{
    list->end = &list->first;
}

static void place_list_add(struct place_list *list, struct pool_place *place)
{
    place->next = NULL;
    *list->end = place;
    list->end = &place->next;
}

static struct pool_place *place_list_take(struct place_list *list)
{
    struct pool_place *place = list->first;
    if (!(list->first = place->next))
        list->end = &list->first;
    return place;
}

/* NULL: nothing may start now. *ret_refuse: it is too late for this one. */
static struct pool_place *place_take(struct pool *pool, void (**ret_refuse)(void *arg))
{
    struct lane_job job;
    struct lane *lane;
    struct place_list *going_on = next_going_on(pool);
    *ret_refuse = NULL;
    if (going_on)
        return place_list_take(going_on);
    if (pool->taken == pool->places || !lanes_take(pool->lanes, brief_too(pool), &job, &lane))
        return NULL;
    struct pool_place *place = xcalloc(1, sizeof(*place));
    *place = (struct pool_place){
        .pool = pool, .lane = lane, .brief = job.brief, .work = job.work, .arg = job.arg
    };
    pool->taken++;
    if (is_late(pool, &job))
        *ret_refuse = job.refuse;
    return place;
}

static void place_end(struct pool *pool, struct pool_place *place)
{
    lanes_done(pool->lanes, place->lane);
    free(place);
    pool->taken--;
    if (is_over(pool))
        pthread_cond_broadcast(&pool->some);
}

/* Under the lock, which it gives up meanwhile. */
static void place_run(struct pool *pool, struct pool_place *place, void (*refuse)(void *arg))
{
    bool brief = place->brief, kept = place->goes_on;
    pool->brief += brief;
    place->kept = &kept;
    wake_if_needed(pool);
    pthread_mutex_unlock(&pool->lock);
    if (refuse)
        refuse(place->arg);
    else
        place->work(place->arg, place);
    pthread_mutex_lock(&pool->lock);
    pool->brief -= brief;
    if (!kept)
        place_end(pool, place);
}
static void *worker(void *arg)
{
    struct pool *pool = arg;
    void (*refuse)(void *arg);
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct pool_place *place = place_take(pool, &refuse);
        if (place) {
            place_run(pool, place, refuse);
            continue;
        }
        if (is_over(pool))
            break;
        pool->asleep++;
        pthread_cond_wait(&pool->some, &pool->lock);
        pool->asleep--;
        pool->waking = false;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
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
    place_list_begin(&pool->going_on);
    place_list_begin(&pool->going_on_briefly);
    pool->places = threads;
    pool->brief_most = config->brief;
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

bool pool_submit_from(struct pool *pool, const struct pool_job *job)
{
    struct lane_job displaced;
    const struct lane_job waiting = { .work = job->work,
                                      .refuse = job->refuse,
                                      .arg = job->arg,
                                      .brief = job->brief,
                                      .since_ms = clock_mono_ms() };
    pthread_mutex_lock(&pool->lock);
    enum lanes_put put = pool->ending ? LANES_FULL : lanes_put(pool->lanes, job->from, &waiting, &displaced);
    if (put != LANES_FULL)
        wake_if_needed(pool);
    pthread_mutex_unlock(&pool->lock);
    if (put == LANES_DISPLACED)
        displaced.refuse(displaced.arg);
    return put != LANES_FULL;
}

bool pool_submit(struct pool *pool, pool_work work, void *arg)
{
    return pool_submit_from(pool, &(struct pool_job){ .work = work, .arg = arg });
}

void pool_keep(struct pool_place *place)
{
    *place->kept = true;
}

void pool_go_on(struct pool_place *place, pool_work work, void *arg, bool brief)
{
    struct pool *pool = place->pool;
    place->work = work;
    place->arg = arg;
    place->brief = brief;
    place->goes_on = true;
    pthread_mutex_lock(&pool->lock);
    place->turn = pool->next_turn++;
    place_list_add(brief ? &pool->going_on_briefly : &pool->going_on, place);
    wake_if_needed(pool);
    pthread_mutex_unlock(&pool->lock);
}

void pool_leave(struct pool_place *place)
{
    struct pool *pool = place->pool;
    pthread_mutex_lock(&pool->lock);
    place_end(pool, place);
    wake_if_needed(pool);
    pthread_mutex_unlock(&pool->lock);
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
