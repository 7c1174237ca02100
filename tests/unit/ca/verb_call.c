/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the place of ipc/server_call.c: whoever calls a verb waits for its answer, and lends it the thread. */
#include "tests/unit/ca/verb_call.h"

#include "base/wake.h"
#include "ca/verbs.h"
#include <stdio.h>
#include <string.h>

struct ipc_call {
    const struct ipc_caller *caller;
    struct bytes body;
    struct lender lender;
    enum err err;
    struct buf answer;
    struct why why;
};

struct bytes ipc_call_body(const struct ipc_call *call)
{
    return call->body;
}

const struct ipc_caller *ipc_call_caller(const struct ipc_call *call)
{
    return call->caller;
}

void ipc_call_answer(struct ipc_call *call, enum err err, struct bytes body, const struct why *why)
{
    call->err = err;
    call->why = *why;
    if (err == OK)
        buf_append(&call->answer, body);
    lender_end(&call->lender);
}

void ipc_call_go_on(struct ipc_call *call, void (*work)(void *arg), void *arg)
{
    lender_go_on(&call->lender, work, arg);
}

struct ipc_caller verb_caller(const struct ipc_verb *verb, char ret[static 16])
{
    snprintf(ret, 16, "%.*s", (int)strcspn(verb->principals, " "), verb->principals);
    return (struct ipc_caller){ ret };
}

const struct ipc_verb *verb_named(const char *name)
{
    for (size_t i = 0; i < ca_verb_count; i++) {
        if (strcmp(ca_verbs[i].name, name) == 0)
            return &ca_verbs[i];
    }
    die("no verb %s", name);
}

enum err verb_call(const struct ipc_verb *verb, void *role, const struct ipc_caller *caller,
                   struct bytes body, struct buf *ret_body, struct why *why)
{
    TRY(verb_allow(role, verb, caller, body, why));
    if (verb->run)
        return verb->run(role, caller, body, ret_body, why);
    struct ipc_call call = { .caller = caller, .body = body };
    lender_open(&call.lender);
    verb->start(role, &call);
    lender_wait(&call.lender);
    if (call.err != OK)
        return fail(why, call.err, "%s", call.why.text);
    *ret_body = call.answer;
    return OK;
}
