/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing the context; finding issuers and endpoints in it; the ring of refusals. */
#include "ca/ca.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/authority_signer.h"
#include "ca/right_store.h"
#include "ca/template_cache.h"
#include "ca/validator.h"
#include <stdio.h>
#include <unistd.h>

struct ca *ca_new(const struct ca_params *params)
{
    struct ca *ca = xcalloc(1, sizeof(*ca));
    char node[LIMIT_NAME_BYTES + 1] = "";
    if (gethostname(node, sizeof(node) - 1) != 0 || !*node)
        snprintf(node, sizeof(node), "localhost");
    ca->clock = params->clock;
    ca->store = params->store;
    ca->sealer = params->sealer;
    ca->crp = params->crp;
    ca->crp_log = params->crp_log;
    ca->templates = template_cache_new(params->store);
    ca->rights = rights_new();
    ca->signers = authority_signers_new();
    ca->node = xstrdup(node);
    ca->crl_dir = params->crl_dir ? xstrdup(params->crl_dir) : NULL;
    if (params->challenge_key)
        ca->challenge_key = secret_dup(secret_bytes(params->challenge_key));
    pthread_mutex_init(&ca->refusals_lock, NULL);
    return ca;
}

static void strings_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

static char **strings_dup(const char *const *list, size_t count)
{
    char **copy = xcalloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = xstrdup(list[i]);
    return copy;
}

static void issuer_free(struct issuer *issuer)
{
    if (!issuer)
        return;
    strings_free(issuer->cdp, issuer->cdp_count);
    strings_free(issuer->aia, issuer->aia_count);
    strings_free(issuer->ocsp, issuer->ocsp_count);
    strings_free(issuer->allowed_eku, issuer->allowed_eku_count);
    strings_free(issuer->delta, issuer->delta_count);
    public_key_free(issuer->key);
    buf_free(&issuer->der);
    pthread_mutex_destroy(&issuer->crl_lock);
    free(issuer->name);
    free(issuer);
}
AUTO_DECLARE(issuer)

static void endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    for (int i = 0; i < SLOT_COUNT; i++)
        free(endpoint->slots[i]);
    secret_wipe(endpoint->static_mac, sizeof(endpoint->static_mac));
    pthread_mutex_destroy(&endpoint->lock);
    free(endpoint->static_path);
    free(endpoint->requester);
    free(endpoint->name);
    free(endpoint);
}
AUTO_DECLARE(endpoint)

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    for (size_t i = 0; i < ca->endpoint_count; i++)
        endpoint_free(ca->endpoints[i]);
    for (size_t i = 0; i < ca->issuer_count; i++)
        issuer_free(ca->issuers[i]);
    free(ca->endpoints);
    free(ca->issuers);
    template_cache_free(ca->templates);
    rights_free(ca->rights);
    authority_signers_free(ca->signers);
    secret_free(&ca->challenge_key);
    pthread_mutex_destroy(&ca->refusals_lock);
    free(ca->crl_dir);
    free(ca->node);
    free(ca);
}

static enum err issuer_load(struct issuer *issuer, struct why *why)
{
    TRY(cert_parse(buf_bytes(&issuer->der), &issuer->cert, why));
    if (!issuer->cert.is_ca)
        return fail(why, ERR_CONFIG, "the certificate of ca %s is not a CA's (RFC 5280 4.2.1.9)",
                    issuer->name);
    TRY(public_key_parse(issuer->cert.spki, &issuer->key, why));
    issuer->algorithm = public_key_signature_algorithm(issuer->key);
    issuer->aki = issuer->cert.ski;
    if (!issuer->aki.len) {
        TRY(spki_key_identifier(issuer->cert.spki, issuer->key_id, why));
        issuer->aki = BYTES_ARR(issuer->key_id);
    }
    return OK;
}

enum err ca_add_issuer(struct ca *ca, const struct issuer_params *params, struct why *why)
{
    if (ca_find_issuer(ca, bytes_str(params->name)))
        return fail(why, ERR_CONFIG, "ca %s is there twice", params->name);
    AUTO(issuer) issuer = xcalloc(1, sizeof(*issuer));
    pthread_mutex_init(&issuer->crl_lock, NULL);
    issuer->name = xstrdup(params->name);
    issuer->der = buf_dup(params->certificate);
    issuer->backdate_s = params->backdate_s;
    issuer->crl_validity_s = params->crl_validity_s;
    issuer->crl_overlap_s = params->crl_overlap_s;
    issuer->validity_max_s = params->validity_max_s;
    issuer->allowed_eku =
        strings_dup(params->allowed_eku, issuer->allowed_eku_count = params->allowed_eku_count);
    issuer->cdp = strings_dup(params->cdp, issuer->cdp_count = params->cdp_count);
    issuer->partitions = (struct crl_partitions){ params->crl_partitions ? params->crl_partitions : 1,
                                                  (const char *const *)issuer->cdp, issuer->cdp_count };
    issuer->aia = strings_dup(params->aia, issuer->aia_count = params->aia_count);
    issuer->ocsp = strings_dup(params->ocsp, issuer->ocsp_count = params->ocsp_count);
    issuer->delta_validity_s = params->delta_validity_s;
    issuer->delta = strings_dup(params->delta, issuer->delta_count = params->delta_count);
    TRY(issuer_load(issuer, why));
    struct issuer **more = realloc(ca->issuers, (ca->issuer_count + 1) * sizeof(*more));
    if (!more)
        die("out of memory");
    ca->issuers = more;
    ca->issuers[ca->issuer_count++] = TAKE(issuer);
    return OK;
}

enum err ca_add_endpoint(struct ca *ca, const struct endpoint_params *params, struct why *why)
{
    const char *name = params->name;
    const char *validator = params->validator ? params->validator : "";
    if (ca_find_endpoint(ca, bytes_str(name)))
        return fail(why, ERR_CONFIG, "endpoint %s is there twice", name);
    AUTO(endpoint) endpoint = xcalloc(1, sizeof(*endpoint));
    pthread_mutex_init(&endpoint->lock, NULL);
    endpoint->name = xstrdup(name);
    endpoint->requester = xasprintf("endpoint/%s", name);
    endpoint->issuer = ca_find_issuer(ca, bytes_str(params->issuer));
    if (!endpoint->issuer)
        return fail(why, ERR_CONFIG, "endpoint %s names the ca %s, which is not configured", name,
                    params->issuer);
    endpoint->validator = validator_find(validator);
    if (!endpoint->validator)
        return fail(why, ERR_CONFIG,
                    "endpoint %s has the validator \"%s\"; allowed: static, one-time, managed, manual", name,
                    validator);
    endpoint->allow_sha1 = params->allow_sha1;
    endpoint->challenge_lifetime_s = params->challenge_lifetime_s;
    endpoint->challenges_outstanding = params->challenges_outstanding;
    endpoint->pending_max = params->pending_max;
    endpoint->static_path = params->static_path ? xstrdup(params->static_path) : NULL;
    for (int i = 0; i < SLOT_COUNT; i++)
        endpoint->slots[i] = params->slots[i] && *params->slots[i] ? xstrdup(params->slots[i]) : NULL;
    if (!FAULT(validator_ready))
        TRY(endpoint->validator->open(ca, endpoint, why));
    struct endpoint **more = realloc(ca->endpoints, (ca->endpoint_count + 1) * sizeof(*more));
    if (!more)
        die("out of memory");
    ca->endpoints = more;
    ca->endpoints[ca->endpoint_count++] = TAKE(endpoint);
    return OK;
}

enum err ca_check_slots(struct ca *ca, struct why *why)
{
    for (size_t i = 0; i < ca->endpoint_count; i++) {
        const struct endpoint *endpoint = ca->endpoints[i];
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            if (!endpoint->slots[slot])
                continue;
            AUTO(template) template = NULL;
            TRY(template_of_slot(ca, endpoint, (enum slot)slot, &template, why));
            if (!template
                     ->published) /* an administrator's way to stop an endpoint: no reason to stop the role */
                log_warn(NULL,
                         "endpoint %s, %s: template %s is not published, so that nothing is issued by it",
                         endpoint->name, slot_name((enum slot)slot), template->name);
        }
    }
    return OK;
}

struct issuer *ca_find_issuer(const struct ca *ca, struct bytes name)
{
    for (size_t i = 0; i < ca->issuer_count; i++) {
        if (bytes_equal(bytes_str(ca->issuers[i]->name), name))
            return ca->issuers[i];
    }
    return NULL;
}

struct endpoint *ca_find_endpoint(const struct ca *ca, struct bytes name)
{
    for (size_t i = 0; i < ca->endpoint_count; i++) {
        if (bytes_equal(bytes_str(ca->endpoints[i]->name), name))
            return ca->endpoints[i];
    }
    return NULL;
}

enum err ca_reload(struct ca *ca, struct why *why)
{
    enum err worst = rights_reload(ca, why), signers = authority_signers_reload(ca, why);
    worst = signers != OK ? signers : worst;
    template_cache_forget(ca->templates);
    for (size_t i = 0; i < ca->endpoint_count; i++) {
        enum err err = ca->endpoints[i]->validator->open(ca, ca->endpoints[i], why);
        worst = err != OK ? err : worst;
    }
    return worst;
}

void ca_note_refusal(struct ca *ca, struct bytes endpoint, struct bytes peer, const struct why *why)
{
    struct refusal refusal = { .at = clock_now(ca->clock), .err = why->err };
    log_escape((const char *)endpoint.data, endpoint.len, refusal.endpoint, sizeof(refusal.endpoint));
    log_escape((const char *)peer.data, peer.len, refusal.peer, sizeof(refusal.peer));
    log_escape(why->text, strlen(why->text), refusal.reason, sizeof(refusal.reason));
    pthread_mutex_lock(&ca->refusals_lock);
    ca->refusals[ca->refusal_total++ % CA_REFUSALS] = refusal;
    pthread_mutex_unlock(&ca->refusals_lock);
}

/* The row is there but for the first time; RETURNING would cost more than the update and the look together. */
enum err counter_next(struct store_tx *tx, const char *issuer, const char *name, int64_t *ret,
                      struct why *why)
{
    AUTO(store_rows) rows = NULL;
    const struct store_args counter = S_ARGS(S_TEXT(issuer), S_TEXT(name));
    int64_t changed = 0;
    TRY(store_exec(tx, "UPDATE counter SET value = value + 1 WHERE issuer_id = $1 AND name = $2", counter,
                   &changed, why));
    if (changed == 0)
        TRY(store_exec(tx,
                       "INSERT INTO counter (issuer_id, name, value) VALUES ($1, $2, 1) "
                       "ON CONFLICT (issuer_id, name) DO UPDATE SET value = counter.value + 1",
                       counter, NULL, why));
    TRY(store_query(tx, "SELECT value FROM counter WHERE issuer_id = $1 AND name = $2", counter, &rows, why));
    if (store_rows_count(rows) != 1)
        return fail(why, ERR_STORE, "counter %s of %s gave no value", name, issuer);
    *ret = store_int(rows, 0, 0);
    return OK;
}

enum err counter_raise(struct store_tx *tx, const char *issuer, const char *name, int64_t value,
                       bool *ret_raised, struct why *why)
{
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "INSERT INTO counter (issuer_id, name, value) VALUES ($1, $2, $3) "
                   "ON CONFLICT (issuer_id, name) DO UPDATE SET value = $3 WHERE counter.value < $3",
                   S_ARGS(S_TEXT(issuer), S_TEXT(name), S_INT(value)), &changed, why));
    *ret_raised = changed == 1;
    return OK;
}
