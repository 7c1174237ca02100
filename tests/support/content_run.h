/* SPDX-License-Identifier: Apache-2.0 */
/* Content that is asked and answered on one thread. */
#pragma once
#include "scep/transaction.h"

static inline enum err content_run(struct transaction *tx, struct outcome *ret, struct why *why)
{
    const char *verb = NULL;
    AUTO_WIPE body = { 0 };
    AUTO_BUF answer = { 0 };
    TRY(content_ask(tx, &verb, &body, why));
    enum err err = ca_call(tx->scep->ca, verb, buf_bytes(&body), &answer, why);
    return content_answered(tx, err, buf_bytes(&answer), ret, why);
}
