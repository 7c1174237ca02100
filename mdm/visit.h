/* SPDX-License-Identifier: Apache-2.0 */
/* What a check-in moves: results and what the device has move its deployments, and what is due then is what it is told to do. */
#pragma once
#include "mdm/deployment.h"

struct result { const char *id, *code, *detail; bool done; };
struct deployment_visit {
    const char *device;
    int64_t now;
    const struct result *results; size_t result_count;
    bool told_installed;                                     /* device_installed is what it has now */
    struct deployments orders;                               /* filled: what it is told to do, roots first */
};
void deployment_visit_free(struct deployment_visit *visit);
/* In a unit of work, afresh each time it runs. */
NODISCARD enum err deployment_visit(struct store_tx *tx, struct deployment_visit *visit, struct why *why);

/* What the device said last that it has, laid against one deployment. */
NODISCARD enum err deployment_match(struct store_tx *tx, struct deployment *of, int64_t now, struct why *why);
