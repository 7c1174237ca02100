/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of roles: one thing, or several at the same time. */
#pragma once
#include "base/wake.h"
#include "cli/command.h"

struct channel;
struct cli_question {
    const char *role, *verb;
    struct bytes body;                                       /* a record's DER */
    int timeout_ms;                                          /* of the answer; who does not say hello is given up before */
    enum err err; struct why why;                            /* what came of it */
    struct buf answer;                                       /* of OK: the answer's body */
    struct channel *channel; struct await ended;             /* while it is being asked */
};
/* Asks all at once, and waits for all. Each says what came of it; an error names the role, and the remedy is what helps here. */
NODISCARD enum err cli_ask(struct cli *cli, struct cli_question *questions, size_t count, struct why *why);
/* One, whose error is the caller's: as cli_call, with a time of its own. */
NODISCARD enum err cli_ask_one(struct cli *cli, struct cli_question *question, struct why *why);
