/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ca_link.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/record.h"
#include "mdm/crp.h"
#include "mdm/signing.h"
#include <stdatomic.h>
#include <stdio.h>

#define AWAKE_MS 120000 /* a device enrols soon after it was given its challenge */

#define TROUBLE_TEXT 160

struct ca_link {
    struct ca_client *client;
    struct kept_key *signing;
    char **cas;
    size_t ca_count;
    atomic_bool has_crp;
    atomic_llong awake_until;      /* clock_mono_ms */
    char trouble[2][TROUBLE_TEXT]; /* what was logged last, of each part: once is enough */
};

struct ca_link *ca_link_new(const struct ca_link_config *config)
{
    struct ca_link *link = xcalloc(1, sizeof(*link));
    link->client = config->client;
    link->signing = config->signing;
    link->cas = xcalloc(config->ca_count + 1, sizeof(*link->cas));
    for (size_t i = 0; i < config->ca_count; i++)
        link->cas[link->ca_count++] = xstrdup(config->cas[i]);
    return link;
}

void ca_link_free(struct ca_link *link)
{
    if (!link)
        return;
    ca_client_free(link->client);
    kept_key_free(link->signing);
    for (size_t i = 0; i < link->ca_count; i++)
        free(link->cas[i]);
    free(link->cas);
    free(link);
}

struct ca_client *ca_link_client(struct ca_link *link)
{
    return link->client;
}

struct kept_key *ca_link_signing(struct ca_link *link)
{
    return link->signing;
}

size_t ca_link_count(const struct ca_link *link)
{
    return link->ca_count;
}

const char *ca_link_ca(const struct ca_link *link, size_t index)
{
    return link->cas[index];
}

enum err ca_link_ask(struct ca_link *link, const char *verb, struct bytes body, struct buf *ret,
                     struct why *why)
{
    return ca_call(link->client, verb, body, ret, why);
}

void ca_link_wake(struct ca_link *link)
{
    atomic_store(&link->awake_until, (long long)clock_mono_ms() + AWAKE_MS);
}

bool ca_link_has_crp(const struct ca_link *link)
{
    return atomic_load(&link->has_crp);
}

bool ca_link_is_awake(const struct ca_link *link)
{
    return (long long)clock_mono_ms() < atomic_load(&link->awake_until);
}

/* --- the CRP's certificates --- */

struct crp_keeping {
    struct crp_list said, kept;
    bool changed;
};

static enum err crp_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct crp_keeping *it = arg;
    crp_list_free(&it->kept);
    TRY(crp_list_load(tx, 0, &it->kept, why));
    it->changed = !crp_list_equal(&it->said, &it->kept);
    return OK;
}

static enum err crp_change_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct crp_keeping *it = arg;
    return crp_list_save(tx, &it->said, why);
}

static enum err crp_keep(struct mdm *mdm, struct crp_keeping *it, struct why *why)
{
    struct ca_link *link = mdm->link;
    AUTO_BUF body = { 0 }, answer = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", link->ca_count ? link->cas[0] : NULL);
    record_end(&body, mark);
    TRY(ca_link_ask(link, "crp_get", buf_bytes(&body), &answer, why));
    TRY(crp_list_take(buf_bytes(&answer), &it->said, why));
    atomic_store(&link->has_crp, true);
    TRY(store_read(mdm->store, crp_work, it, why));
    if (!it->changed)
        return OK;
    TRY(store_write(mdm->store, crp_change_work, it, why));
    log_info(NULL, "challenges are encrypted to %zu certificates of ca generation=%lld", it->said.count,
             (long long)it->said.of[0].generation);
    return OK;
}

static enum err crp_fetch(struct mdm *mdm, struct why *why)
{
    struct crp_keeping it = { 0 };
    enum err err = crp_keep(mdm, &it, why);
    crp_list_free(&it.said);
    crp_list_free(&it.kept);
    return err;
}

/* --- the next signing key --- */

/* A CA that pinned nothing has no predecessor to believe; an administrator pins there what is in use. */
static enum err succeed_at(struct ca_link *link, const char *ca, struct bytes der, struct why *why)
{
    AUTO_BUF body = { 0 }, text = { 0 }, answer = { 0 };
    base64_append(&text, der);
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", ca);
    record_put(&body, "certificate", buf_bytes(&text));
    record_end(&body, mark);
    return ca_link_ask(link, "authority_successor", buf_bytes(&body), &answer, why);
}

struct taking {
    int64_t taken, now;
};

static enum err taken_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct taking *taking = arg;
    return signing_taken(tx, &taking->taken, why);
}

static enum err take_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct taking *taking = arg;
    return signing_take(tx, taking->taken, taking->now, why);
}

/* The generation behind the one in use, so that each is vouched for by the one before it. */
static const struct kept_generation *next_generation(const struct kept_generations *keys, int64_t taken)
{
    for (size_t i = keys->count; i-- > 0;) {
        if (keys->of[i].generation > taken)
            return &keys->of[i];
    }
    return NULL;
}

static enum err successor_send(struct mdm *mdm, struct why *why)
{
    struct ca_link *link = mdm->link;
    AUTO(kept_generations) keys = kept_key_hold(link->signing);
    struct taking taking = { .now = clock_now(mdm->clock) };
    TRY(store_read(mdm->store, taken_work, &taking, why));
    const struct kept_generation *next = next_generation(keys, taking.taken);
    if (!next)
        return OK;
    for (size_t i = 0; i < link->ca_count; i++)
        TRY(succeed_at(link, link->cas[i], buf_bytes(&next->der), why));
    taking.taken = next->generation;
    TRY(store_write(mdm->store, take_work, &taking, why));
    log_info(NULL, "ca has taken the signing key generation=%d", next->generation);
    return OK;
}

/* --- every minute --- */

static void trouble_log(struct ca_link *link, int part, enum err err, const char *what, const struct why *why)
{
    char *last = link->trouble[part];
    if (err == OK) {
        *last = '\0';
        return;
    }
    if (strncmp(last, why->text, TROUBLE_TEXT - 1) == 0)
        return;
    snprintf(last, TROUBLE_TEXT, "%.*s", TROUBLE_TEXT - 1, why->text);
    log_warn(NULL, "%s: %s error=%s", what, why->text, err_row(err)->name);
}

void ca_link_keep(struct mdm *mdm)
{
    struct ca_link *link = mdm->link;
    struct why why = { 0 };
    if (kept_key_keep(link->signing, clock_now(mdm->clock), &why) != OK)
        log_error(NULL, "signing key not renewed: %s", why.text);
    trouble_log(link, 0, crp_fetch(mdm, &why),
                "ca gave no certificate for challenges; if this service is no authority there: chancery "
                "authority add mdm --certificate FILE (chancery-mdm(8))",
                &why);
    trouble_log(link, 1, successor_send(mdm, &why), "ca has not taken the signing key", &why);
}
