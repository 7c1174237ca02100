/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed connections: slots under one lock; opening and closing happen outside it. */
#include "store/connections.h"

#include "base/bytes.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct slot {
    void *connection;
    uint64_t generation;
    bool borrowed;
};
struct connections {
    const struct connection_ops *ops;
    void *owner;
    pthread_mutex_t lock;
    pthread_cond_t given;
    uint64_t generation; /* raised by drain: what was opened under a lower one is not kept */
    size_t size;
    struct slot slots[];
};

struct connections *connections_new(const struct connection_ops *ops, void *owner, int size)
{
    assert(size > 0);
    struct connections *all = xcalloc(1, sizeof(*all) + (size_t)size * sizeof(struct slot));
    all->ops = ops;
    all->owner = owner;
    all->size = (size_t)size;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->given, NULL);
    return all;
}

void connections_free(struct connections *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->size; i++) {
        assert(!all->slots[i].borrowed);
        if (all->slots[i].connection)
            all->ops->close(all->slots[i].connection);
    }
    pthread_cond_destroy(&all->given);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* One that is open comes before one that would have to be opened. */
static struct slot *slot_free(struct connections *all)
{
    struct slot *closed = NULL;
    for (size_t i = 0; i < all->size; i++) {
        if (all->slots[i].borrowed)
            continue;
        if (all->slots[i].connection)
            return &all->slots[i];
        closed = closed ? closed : &all->slots[i];
    }
    return closed;
}

static void slot_release(struct connections *all, struct slot *slot)
{
    pthread_mutex_lock(&all->lock);
    slot->borrowed = false;
    pthread_cond_signal(&all->given);
    pthread_mutex_unlock(&all->lock);
}

enum err connections_take(struct connections *all, void **ret_connection, struct why *why)
{
    struct slot *slot;
    pthread_mutex_lock(&all->lock);
    while (!(slot = slot_free(all)))
        pthread_cond_wait(&all->given, &all->lock);
    slot->borrowed = true;
    if (!slot->connection)
        slot->generation = all->generation;
    pthread_mutex_unlock(&all->lock);
    if (!slot->connection) {
        enum err err = all->ops->open(all->owner, &slot->connection, why);
        if (err != OK) {
            slot->connection = NULL;
            slot_release(all, slot);
            return err;
        }
    }
    *ret_connection = slot->connection;
    return OK;
}

void connections_give(struct connections *all, void *connection, bool keep)
{
    struct slot *slot = NULL;
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < all->size; i++) {
        if (all->slots[i].borrowed && all->slots[i].connection == connection)
            slot = &all->slots[i];
    }
    assert(slot);
    if (slot->generation != all->generation)
        keep = false;
    pthread_mutex_unlock(&all->lock);
    if (!keep) {
        all->ops->close(connection);
        slot->connection = NULL;
    }
    slot_release(all, slot);
}

void connections_drain(struct connections *all)
{
    pthread_mutex_lock(&all->lock);
    all->generation++;
    for (size_t i = 0; i < all->size; i++) {
        if (all->slots[i].borrowed || !all->slots[i].connection)
            continue;
        all->ops->close(all->slots[i].connection);
        all->slots[i].connection = NULL;
    }
    pthread_mutex_unlock(&all->lock);
}
