/* SPDX-License-Identifier: Apache-2.0 */
/* A few connections that many threads borrow. Opened when first needed, closed when found broken. */
#pragma once
#include "base/auto.h"
#include "base/err.h"

struct connection_ops {
    enum err (*open)(void *owner, void **ret_connection, struct why *why);
    void (*close)(void *connection);
};
struct connections;
struct connections *connections_new(const struct connection_ops *ops, void *owner, int size);
void connections_free(struct connections *all);              /* none is borrowed any more */
AUTO_DECLARE(connections)
/* Waits until one is free. The error is that of open. */
NODISCARD enum err connections_take(struct connections *all, void **ret_connection, struct why *why);
void connections_give(struct connections *all, void *connection, bool keep);
void connections_drain(struct connections *all);             /* closes the idle now and the borrowed when given back */
