/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between callers and the one writer thread. Units live on their callers' stacks. */
#include "store/group.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

struct group {
    const struct group_ops *ops;
    void *driver;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct group_unit *first, **end;
    bool ending;
};

static void group_wait(struct group *group)
{
    pthread_mutex_lock(&group->lock);
    while (!group->first && !group->ending)
        pthread_cond_wait(&group->arrived, &group->lock);
    pthread_mutex_unlock(&group->lock);
}

/* Takes up to GROUP_UNITS_MAX units off the queue; NULL: the end. */
static struct group_unit *group_take(struct group *group)
{
    group_wait(group);
    (void)
        sched_yield(); /* others who are about to submit share this flush; nobody waits when there are none */
    pthread_mutex_lock(&group->lock);
    struct group_unit *units = group->first, **last = &group->first;
    for (int taken = 0; *last && taken < GROUP_UNITS_MAX; taken++)
        last = &(*last)->next;
    struct group_unit *rest = *last;
    *last = NULL;
    group->first = rest;
    if (!rest)
        group->end = &group->first;
    pthread_mutex_unlock(&group->lock);
    return units;
}

static void group_wake(struct group_unit *units)
{
    while (units) {
        struct group_unit *next = units->next; /* its caller is gone as soon as it is woken */
        wake_send(&units->finished);
        units = next;
    }
}

static bool group_is_idle(struct group *group)
{
    pthread_mutex_lock(&group->lock);
    bool idle = !group->first;
    pthread_mutex_unlock(&group->lock);
    return idle;
}

static void *group_main(void *arg)
{
    struct group *group = arg;
    struct group_unit *units;
    while ((units = group_take(group))) {
        group->ops->flush(group->driver, units);
        group_wake(units);
        group->ops->settle(group->driver, group_is_idle(group));
    }
    return NULL;
}

enum err group_start(const struct group_ops *ops, void *driver, struct group **ret, struct why *why)
{
    struct group *group = xcalloc(1, sizeof(*group));
    group->ops = ops;
    group->driver = driver;
    group->end = &group->first;
    pthread_mutex_init(&group->lock, NULL);
    pthread_cond_init(&group->arrived, NULL);
    /* Signals belong to the role's main thread. */
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    int error = pthread_create(&group->thread, NULL, group_main, group);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        pthread_cond_destroy(&group->arrived);
        pthread_mutex_destroy(&group->lock);
        free(group);
        return fail(why, ERR_STORE, "cannot start the writer thread: %s", strerror(error));
    }
    *ret = group;
    return OK;
}

void group_free(struct group *group)
{
    if (!group)
        return;
    pthread_mutex_lock(&group->lock);
    group->ending = true;
    pthread_cond_signal(&group->arrived);
    pthread_mutex_unlock(&group->lock);
    pthread_join(group->thread, NULL);
    pthread_cond_destroy(&group->arrived);
    pthread_mutex_destroy(&group->lock);
    free(group);
}

enum err group_submit(struct group *group, store_work work, void *arg, struct why *why)
{
    if (pthread_equal(pthread_self(), group->thread))
        return fail(why, ERR_INTERNAL, "store_write inside a unit of store_write");
    struct group_unit unit = { .work = work, .arg = arg };
    wake_open(&unit.finished);
    pthread_mutex_lock(&group->lock);
    bool first = !group->first;
    *group->end = &unit;
    group->end = &unit.next;
    pthread_mutex_unlock(&group->lock);
    if (first) /* otherwise the writer has not yet taken what it was told of */
        pthread_cond_signal(&group->arrived);
    wake_wait(&unit.finished);
    wake_close(&unit.finished);
    if (why && unit.err != OK)
        *why = unit.why;
    return unit.err;
}
