/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured scep, or anybody at the command line's socket, asks of ca: the first octet picks the verb, the rest is its
   body. The authority behind it is whole: templates, a store, a sealer. */
#include "fuzz/target.h"

#include "base/log.h"
#include "ca/verbs.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/ca/verb_call.h"

#define ROUNDS 20000 /* then a new world: what requests leave behind must not add up for hours */

static struct world *world;
static unsigned rounds;

static void world_end(void)
{
    if (world)
        world_free(TAKE(world));
}

static void world_fresh(void)
{
    if (!world)
        atexit(world_end);
    if (world && rounds++ < ROUNDS)
        return;
    world_end();
    log_level_set(LOG_LEVEL_ERROR + 1);
    world_managed = true;
    world = world_new_unlocked(KEY_EC_P256);
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    PROMISE(CALL("authority_add", &answer, &why, "name", "mdm", "templates", "SCEPDevice") == OK);
    rounds = 0;
}

/* Only these lead to signer. */
static bool may_seal(const char *verb)
{
    static const char *const sealing[] = {
        "request",      "poll",  "request_approve",  "crl_publish",    "cert_revoke",
        "cert_release", "issue", "request_resubmit", "request_submit", "authority_revoke"
    };
    for (size_t i = 0; i < sizeof(sealing) / sizeof(*sealing); i++) {
        if (strcmp(verb, sealing[i]) == 0)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    if (len == 0)
        return 0;
    world_fresh();
    const struct ipc_verb *verb = &ca_verbs[data[0] % ca_verb_count];
    char principal[16];
    const struct ipc_caller caller = verb_caller(verb, principal);
    int seals = atomic_load(&world->seals);
    enum err err = verb_call(verb, world->ca, &caller, bytes_of(data + 1, len - 1), &answer, &why);
    PROMISE(err != OK || der_is_valid(buf_bytes(&answer)));
    PROMISE(err == OK || why.text[0]);
    PROMISE(err != ERR_INTERNAL && err != ERR_STORE);
    PROMISE(atomic_load(&world->seals) == seals || may_seal(verb->name));
    return 0;
}
