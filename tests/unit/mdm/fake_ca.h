/* SPDX-License-Identifier: Apache-2.0 */
/* A ca that answers what an authority asks, with a real CRP key. One for each test. */
#pragma once
#include "challenge/challenge.h"
#include "mdm/ca_link.h"
#include "tests/unit/mdm/agents.h"

struct fake_ca {
    enum err err;                                            /* of every answer, unless OK */
    struct kept_key *crp;
    struct buf successor;                                    /* the last one that was sent, DER */
    unsigned calls, crp_calls, successors;
    bool deaf;                                               /* acknowledgements get lost */
    enum err revoking;                                       /* what a revocation is answered with */
    struct buf told;                                         /* "end DEVICE PROFILE VERSION [AT]\n", "revoke SERIAL REASON\n" */
    struct buf outbox[16]; size_t outbox_count; int64_t next_event;   /* records; empty ones are acknowledged */
};
extern struct fake_ca fake_ca;
/* As agents_begin, with a link to that ca, whose CRP certificates are known already. */
int fake_ca_begin(void **state);
int fake_ca_end(void **state);
/* A day count later: keys are kept as in the service's housekeeping. */
void fake_ca_keep(void);
/* Opens a challenge that was made for it, as ca does; views into *ret. */
enum err fake_ca_open(const char *text, struct challenge_opened *ret, struct why *why);
/* A row of its outbox; NULL and 0 for what is not there. */
struct fake_event { const char *kind, *device, *profile, *challenge, *serial, *error, *reason; int64_t version;
                    struct bytes certificate; };
void fake_ca_tells(const struct fake_event *event);
/* What happens by itself in the service: heeds the outbox and does the errands. */
void fake_ca_exchange(void);
#define F(name) cmocka_unit_test_setup_teardown(name, fake_ca_begin, fake_ca_end)
