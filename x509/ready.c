/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/ready.h"

void *ready_take(struct ready *ready)
{
    pthread_mutex_lock(&ready->lock);
    void *item = ready->count ? ready->items[--ready->count] : NULL;
    pthread_mutex_unlock(&ready->lock);
    return item;
}

bool ready_give(struct ready *ready, void *item)
{
    pthread_mutex_lock(&ready->lock);
    bool kept = ready->count < READY_MAX;
    if (kept)
        ready->items[ready->count++] = item;
    pthread_mutex_unlock(&ready->lock);
    return kept;
}
