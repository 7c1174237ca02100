/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/plugin_log.h"

#include "base/log.h"
#include "base/log_file.h"
#include "scep/transaction.h"
#include <stdio.h>

static bool is_logged(const struct transaction *tx)
{
    return tx->scep->plugin_log && tx->endpoint->policy_module &&
           (tx->type == SCEP_PKCS_REQ || tx->type == SCEP_RENEWAL_REQ);
}

/* Each with the time and the transaction: lines of several devices stand among each other. */
static void lines_write(const struct transaction *tx, const char *const *lines, size_t count)
{
    char when[21], context[2 * sizeof(tx->ctx)];
    AUTO_BUF text = { 0 };
    clock_rfc3339(clock_now(tx->scep->clock), when);
    log_escape(tx->ctx, strlen(tx->ctx), context, sizeof(context));
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s %s %s\n", when, context, lines[i]);
    log_file_write(tx->scep->plugin_log, buf_bytes(&text));
}

void plugin_log_asking(const struct transaction *tx)
{
    static const char *const lines[] = { "Calling VerifyRequest ...",
                                         "Sending request to certificate registration point." };
    if (is_logged(tx))
        lines_write(tx, lines, sizeof(lines) / sizeof(*lines));
}

void plugin_log_answered(const struct transaction *tx, enum err err)
{
    static const char *const granted[] = { "Verify challenge returns true", "Exiting VerifyRequest with 0x0",
                                           "Calling Notifyrequest ...", "Exiting Notify with 0x0" };
    static const char *const refused[] = { "Verify challenge returns false",
                                           "Exiting VerifyRequest with 0x0" };
    char failed[64];
    const char *const unanswered[] = { failed };
    if (!is_logged(tx))
        return;
    snprintf(failed, sizeof(failed), "Exiting VerifyRequest with 0x%x", err_row(err)->hresult);
    if (err == OK)
        lines_write(tx, granted, sizeof(granted) / sizeof(*granted));
    else if (err_row(err)->retryable)
        lines_write(tx, unanswered, 1);
    else
        lines_write(tx, refused, sizeof(refused) / sizeof(*refused));
}
