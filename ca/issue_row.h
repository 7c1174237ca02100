/* SPDX-License-Identifier: Apache-2.0 */
/* Between ca/issue_reserve.c, which makes an attempt at T1, and ca/issue_row.c, which writes the request's row. */
#pragma once
#include "ca/issue.h"

/* One attempt: everything that its unit of work needs, made outside of it. */
struct attempt {
    struct ca *ca;
    const struct reserve_params *params;
    const struct grant *grant;
    struct buf subject, san, peer; /* text */
    uint8_t identity[32], serial_octets[SERIAL_BYTES];
    char serial[2 * SERIAL_BYTES + 1];
    struct buf tbs;
    int64_t now, not_before, not_after;
    unsigned partition; /* whose CRL the TBS names; 0: the complete one */
    enum disposition disposition;
    int64_t pending_max;
    const struct why *reason;
    int64_t request_id;              /* result */
    char over[AUTHORITY_OVER_BYTES]; /* result: why it waits, which then is its disposition */
    bool serial_taken;               /* result */
};

/* Inside the unit of work. A new row; its disposition may become pending, and attempt->over says why. */
NODISCARD enum err request_insert(struct store_tx *tx, struct attempt *attempt, struct why *why);
/* The pending row of params->approved_id is being sealed; whoever was first decides. */
NODISCARD enum err request_approve(struct store_tx *tx, struct attempt *attempt, struct why *why);
/* The same with the failed or denied row of params->approved_id, which takes its request key back: ERR_CONFLICT when the same
   request has another row by now. */
NODISCARD enum err request_resubmit(struct store_tx *tx, struct attempt *attempt, struct why *why);
/* A new row, or the one that the device has for this error already. */
NODISCARD enum err request_refuse(struct store_tx *tx, struct attempt *attempt, struct why *why);
