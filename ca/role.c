/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: listeners in front, the channel to signer behind, and a minute's housekeeping. */
#include "ca/role.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/wake.h"
#include "ca/authority_signer.h"
#include "ca/bootstrap.h"
#include "ca/challenge.h"
#include "ca/confine.h"
#include "ca/crl_publish.h"
#include "ca/crp.h"
#include "ca/flags.h"
#include "ca/issue.h"
#include "ca/managed_claim.h"
#include "ca/outbox.h"
#include "ca/partition.h"
#include "ca/right_store.h"
#include "ca/schema.h"
#include "ca/settings.h"
#include "ca/verb_allow.h"
#include "ca/verbs.h"
#include "ipc/channel.h"
#include "store/identity.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Below the ten seconds of a whole request (spec D3), and the thirty that `chancery status` waits for ca. */
#define SEAL_TIMEOUT_MS   8000
#define STATUS_TIMEOUT_MS 5000
#define HOUSEKEEPING_MS   60000

struct ca_role {
    struct role *role;
    struct store *store;
    struct secret challenge_key;
    struct channel *signer;
    struct kept_key *crp;
    struct log_file *crp_log;
    struct ca *ca;
    struct ipc_server *server;
    struct loop_timer *timer;
    atomic_bool housekeeping; /* one at a time */
};

/* What seal_start was given, while signer has the call. */
struct channel_sealing {
    sealer_done done;
    void *arg;
};

static void on_seal_answer(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct channel_sealing *sealing = arg;
    struct bytes der = BYTES_NONE;
    struct why found = *why;
    if (err == OK)
        err = seal_answer_get(body, &der, &found);
    sealing->done(sealing->arg, err, der, &found);
    free(sealing);
}

static void seal_start(void *arg, const struct seal_request *request, sealer_done done, void *done_arg)
{
    struct ca_role *serving = arg;
    struct channel_sealing *sealing = xcalloc(1, sizeof(*sealing));
    AUTO_BUF body = { 0 };
    *sealing = (struct channel_sealing){ done, done_arg };
    seal_request_put(&body, request); /* large for a CRL */
    const struct channel_request call = {
        .verb = "seal", .timeout_ms = SEAL_TIMEOUT_MS, .done = on_seal_answer, .arg = sealing
    };
    channel_submit_taken(serving->signer, &call, &body);
}

struct seal_waiting {
    struct await outcome;
    const struct seal_request *request;
    struct buf der;
};

static void on_sealed(void *arg, enum err err, struct bytes sealed, const struct why *why)
{
    struct seal_waiting *waiting = arg;
    if (err == OK)
        seal_answer_join(waiting->request, sealed, &waiting->der);
    await_end(&waiting->outcome, err, why);
}

static enum err seal_by_channel(void *arg, const struct seal_request *request,
                                const struct sealer_meanwhile *meanwhile, struct buf *ret_der,
                                struct why *why)
{
    struct seal_waiting waiting = { .request = request };
    await_open(&waiting.outcome);
    seal_start(arg, request, on_sealed, &waiting);
    if (meanwhile)
        meanwhile->work(meanwhile->arg);
    TRY(await_outcome(&waiting.outcome, why));
    *ret_der = waiting.der;
    return OK;
}

static enum err status_by_channel(void *arg, struct buf *ret_records, struct why *why)
{
    struct ca_role *serving = arg;
    AUTO_BUF question = { 0 };
    record_end(&question, record_begin(&question));
    return channel_call(serving->signer, "status", buf_bytes(&question), STATUS_TIMEOUT_MS, ret_records, why);
}

static void stop_done(void *arg)
{
    struct ca_role *serving = arg;
    loop_stop(serving->role->loop);
}

static void stop(void *arg)
{
    struct ca_role *serving = arg;
    int64_t timeout_s = config_int(config_top(serving->role->config), "stop_timeout");
    ipc_server_drain(serving->server, (int)timeout_s * 1000, stop_done, serving);
}

static void stop_after_loss(void *arg)
{
    struct ca_role *serving = arg;
    if (serving->role->stopping)
        return;
    log_error(NULL, "signer is lost: this role ends, so that both are started anew");
    serving->role->exit_status = EXIT_FAILURE;
    role_stop(serving->role);
}

/* From the channel's reader thread. */
static void signer_lost(void *arg)
{
    struct ca_role *serving = arg;
    loop_post(serving->role->loop, stop_after_loss, serving);
}

static void issuer_keep(struct ca *ca, struct issuer *issuer)
{
    struct why why = { 0 };
    int64_t voided = 0;
    if (issue_void_stale(ca, issuer, &voided, &why) != OK)
        log_error(NULL, "reservations not voided ca=%s reason=\"%s\"", issuer->name, why.text);
    else if (voided)
        log_warn(NULL, "reservations voided ca=%s count=%lld", issuer->name, (long long)voided);
    if (crl_publish_due(ca, issuer, &why) != OK)
        log_error(NULL, "CRL not published ca=%s reason=\"%s\"", issuer->name, why.text);
}

static void managed_keep(struct ca *ca)
{
    struct why why = { 0 };
    if (authority_signers_forget(ca, &why) != OK || authority_signers_reload(ca, &why) != OK)
        log_error(NULL, "signing certificates not read again, those in force stay reason=\"%s\"", why.text);
    if (managed_claims_forget(ca, &why) != OK)
        log_error(NULL, "old claims of challenges not removed reason=\"%s\"", why.text);
    if (outbox_forget(ca, &why) != OK)
        log_error(NULL, "delivered rows of the outbox not removed reason=\"%s\"", why.text);
}

static void housekeeping(void *arg, struct pool_place *place)
{
    (void)place;
    struct ca_role *serving = arg;
    struct why why = { 0 };
    for (size_t i = 0; i < serving->ca->issuer_count; i++)
        issuer_keep(serving->ca, serving->ca->issuers[i]);
    if (rights_reload(serving->ca, &why) != OK)
        log_error(NULL, "rights not read again, those in force stay reason=\"%s\"", why.text);
    if (challenge_forget(serving->ca, &why) != OK)
        log_error(NULL, "old challenges not removed reason=\"%s\"", why.text);
    managed_keep(serving->ca);
    if (kept_key_keep(serving->crp, clock_now(serving->role->clock), &why) != OK)
        log_error(NULL, "CRP key not renewed, the one in use stays reason=\"%s\"", why.text);
    atomic_store(&serving->housekeeping, false);
}

static void housekeeping_begin(void *arg)
{
    struct ca_role *serving = arg;
    if (atomic_exchange(&serving->housekeeping, true))
        return;
    if (!pool_submit(serving->role->pool, housekeeping, serving))
        atomic_store(&serving->housekeeping, false); /* the next minute tries again */
}

static void reload(void *arg)
{
    struct ca_role *serving = arg;
    struct why why = { 0 };
    if (serving->crp_log && log_file_reopen(serving->crp_log, &why) != OK)
        log_error(NULL, "%s; the one that is open is written on", why.text);
    if (ca_reload(serving->ca, &why) != OK)
        log_error(NULL, "reload: %s; the old password stays", why.text);
    else
        log_info(NULL, "endpoint passwords read again");
}

static enum err signer_connect(struct ca_role *serving, struct why *why)
{
    int fd = role_descriptor(serving->role, ROLE_PEER, "signer");
    if (fd < 0)
        return fail(why, ERR_USAGE, "no channel to signer: --peer signer=FD");
    struct channel_config config = { .fd = fd,
                                     .principal = "ca",
                                     .max_frame = LIMIT_CRL_FRAME_BYTES,
                                     .on_lost = signer_lost,
                                     .on_lost_arg = serving };
    return channel_new(&config, &serving->signer, why);
}

/* init makes the store. One that is gone took with it what was issued, what was revoked and which challenges are used: an empty
   one in its place would go on as if nothing had been. */
static enum err store_is_there(const struct config *config, struct why *why)
{
    AUTO_STR path = config_role_path(config, "ca", "store.db");
    if (config_count(config, "ca") == 0 || *config_str(config_at(config, "ca", 0), "store") ||
        access(path, F_OK) == 0)
        return OK;
    return fail(why, ERR_IO, "the store %s is missing, although there is a CA: restore it from the backup",
                path);
}

/* init begins with SQLite; a database of PostgreSQL is taken into use by a start. */
static enum err database_is_ours(struct ca_role *serving, struct why *why)
{
    if (!store_is_remote(serving->store))
        return OK;
    AUTO_STR path = config_role_path(serving->role->config, "ca", "database");
    return store_identity_check(serving->store, &ca_store_identity, serving->role->clock, path, why);
}

/* Made by the first start, also of a site that was there before there was a CRP. */
static enum err crp_begin(struct ca_role *serving, struct why *why)
{
    const struct role *role = serving->role;
    AUTO_STR keys = config_role_path(role->config, "ca", "keys");
    AUTO_STR certs = config_role_path(role->config, "ca", "certs");
    const struct kept_key_source source = { keys, certs, &role->unlock, role->gate };
    return crp_open(&source, clock_now(role->clock), &serving->crp, why);
}

/* A site without managed endpoints has no such log. */
static enum err crp_log_begin(struct ca_role *serving, struct why *why)
{
    const struct config *config = serving->role->config;
    AUTO_STR path = config_log_path(config, "ca", "CertificateRegistrationPoint.log");
    for (size_t i = 0; i < config_count(config, "endpoint"); i++) {
        if (strcmp(config_str(config_at(config, "endpoint", i), "validator"), "managed") == 0)
            return log_file_open(path, "CRP log", &serving->crp_log, why);
    }
    return OK;
}

static enum err context_make(struct ca_role *serving, struct why *why)
{
    const struct config *config = serving->role->config;
    AUTO_STR crl_dir = config_role_path(config, "ca", "crl");
    TRY(store_is_there(config, why));
    TRY(ca_store_open(config, &serving->store, why));
    file_drafts_forget(crl_dir); /* whoever has the store has the folder */
    TRY(database_is_ours(serving, why));
    TRY(challenge_key_load(config, &serving->challenge_key, why));
    TRY(crp_begin(serving, why));
    TRY(crp_log_begin(serving, why));
    struct ca_params params = { .clock = serving->role->clock,
                                .store = serving->store,
                                .sealer = { seal_by_channel, serving, seal_start, status_by_channel },
                                .challenge_key = &serving->challenge_key,
                                .crl_dir = crl_dir,
                                .crp = serving->crp,
                                .crp_log = serving->crp_log };
    serving->ca = ca_new(&params);
    sandbox_state_text(&serving->role->sandbox, serving->ca->sandbox);
    TRY(settings_add_issuers(config, serving->ca, why));
    TRY(partitions_fix(serving->ca, why));
    TRY(flags_load(serving->ca, why));
    TRY(settings_add_endpoints(config, serving->ca, why));
    TRY(template_seed(serving->store, clock_now(serving->role->clock), why));
    TRY(rights_open(serving->ca, why));
    TRY(authority_signers_reload(serving->ca, why));
    return ca_check_slots(serving->ca, why);
}

static enum err listen_all(struct ca_role *serving, struct why *why)
{
    struct role *role = serving->role;
    struct ipc_server_config config = { .loop = role->loop,
                                        .pool = role->pool,
                                        .verbs = ca_verbs,
                                        .verb_count = ca_verb_count,
                                        .allow = verb_allow,
                                        .role = serving->ca,
                                        .max_frame = LIMIT_FRAME_BYTES,
                                        .allowed_uid = -1 };
    TRY(ipc_server_new(&config, &serving->server, why));
    for (size_t i = 0; i < role->descriptor_count; i++) {
        const struct role_descriptor *each = &role->descriptors[i];
        if (each->kind == ROLE_LISTEN)
            TRY(ipc_server_listen(serving->server, each->fd, each->principal, each->uid, why));
    }
    return OK;
}

enum err ca_role_new(struct role *role, struct ca_role **ret, struct why *why)
{
    AUTO(ca_role) serving = xcalloc(1, sizeof(*serving));
    serving->role = role;
    TRY(ca_confine(role, why));
    TRY(context_make(serving, why));
    TRY(signer_connect(serving, why));
    TRY(listen_all(serving, why));
    *ret = TAKE(serving);
    return OK;
}

int ca_role_serve(struct ca_role *serving)
{
    struct role_hooks hooks = { .reload = reload, .stop = stop, .arg = serving };
    housekeeping_begin(serving);
    serving->timer = loop_every(serving->role->loop, HOUSEKEEPING_MS, housekeeping_begin, serving);
    return role_serve(serving->role, &hooks);
}

/* The pool goes first: its work uses everything below. */
void ca_role_free(struct ca_role *serving)
{
    if (!serving)
        return;
    if (serving->timer)
        loop_timer_free(serving->timer);
    pool_free(TAKE(serving->role->pool));
    ipc_server_free(serving->server);
    channel_free(serving->signer);
    ca_free(serving->ca);
    kept_key_free(serving->crp);
    log_file_free(serving->crp_log);
    store_free(serving->store);
    secret_free(&serving->challenge_key);
    free(serving);
}
