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
    slot->borrowed = false;
    pthread_cond_signal(&all->given);
}

/* The slot is ours while it is borrowed, but its fields are only touched under the lock: others search through them. */
static enum err slot_open(struct connections *all, struct slot *slot, void **ret_connection, struct why *why)
{
    void *connection = NULL;
    enum err err = all->ops->open(all->owner, &connection, why);
    pthread_mutex_lock(&all->lock);
    if (err == OK)
        slot->connection = connection;
    else
        slot_release(all, slot);
    pthread_mutex_unlock(&all->lock);
    if (err == OK)
        *ret_connection = connection;
    return err;
}

enum err connections_take(struct connections *all, void **ret_connection, struct why *why)
{
    struct slot *slot;
    pthread_mutex_lock(&all->lock);
    while (!(slot = slot_free(all)))
        pthread_cond_wait(&all->given, &all->lock);
    slot->borrowed = true;
    void *connection = slot->connection;
    if (!connection)
        slot->generation = all->generation;
    pthread_mutex_unlock(&all->lock);
    if (!connection)
        return slot_open(all, slot, ret_connection, why);
    *ret_connection = connection;
    return OK;
}

/* Its slot, emptied unless it is kept; NULL: kept. */
static struct slot *slot_take_back(struct connections *all, void *connection, bool keep)
{
    struct slot *slot = NULL;
    for (size_t i = 0; i < all->size; i++) {
        if (all->slots[i].borrowed && all->slots[i].connection == connection)
            slot = &all->slots[i];
    }
    assert(slot);
    if (keep && slot->generation == all->generation) {
        slot_release(all, slot);
        return NULL;
    }
    slot->connection = NULL; /* before it is closed: its address may come back at once */
    return slot;
}

void connections_give(struct connections *all, void *connection, bool keep)
{
    pthread_mutex_lock(&all->lock);
    struct slot *emptied = slot_take_back(all, connection, keep);
    pthread_mutex_unlock(&all->lock);
    if (!emptied)
        return;
    all->ops->close(connection);
    pthread_mutex_lock(&all->lock);
    slot_release(all, emptied);
    pthread_mutex_unlock(&all->lock);
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
