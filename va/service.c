/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: configuration to listeners, rounds, reload, status, stop. */
#include "va/service.h"

#include "base/log.h"
#include "http/front.h"
#include "ipc/ca_client.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "va/route.h"
#include "va/status_watch.h"

#define CA_TIMEOUT_MS                                                                                        \
    5000 /* ca answers in milliseconds; whoever asks OCSP waits no longer than some seconds */

struct service {
    struct role *role;
    struct va *va;
    struct status_watch *watch;
    struct front *front;
    struct ipc_server *ipc;
    struct loop_timer *timer;
    atomic_bool in_round; /* one at a time */
};

/* --- making it --- */

/* It makes its own keys, reads the certificates and CRLs that are laid down for it, writes its access log, and takes connections: no more is
   left to whoever captures it. */
static enum err confine(struct role *role, struct why *why)
{
    AUTO_STR keys = config_role_path(role->config, "va", "keys");
    AUTO_STR certs = config_role_path(role->config, "va", "certs");
    AUTO_STR state = config_role_path(role->config, "va", "");
    AUTO_STR logs = config_log_path(role->config, "va", "");
    struct sandbox_policy policy = { .accepts = true };
    sandbox_add(&policy, state, SANDBOX_READ);
    sandbox_add(&policy, keys, SANDBOX_STORE);
    sandbox_add(&policy, certs, SANDBOX_STORE);
    sandbox_add(&policy, logs, SANDBOX_LOG);
    return role_confine(role, &policy, why);
}

/* A CA whose signer would not seal an OCSP certificate has no OCSP. */
static bool has_ocsp(const struct config_section *ca)
{
    for (size_t i = 0; i < config_list_count(ca, "allowed_eku"); i++) {
        const char *eku = config_list_at(ca, "allowed_eku", i);
        AUTO_BUF content = { 0 };
        if (oid_by_name(eku) == OID_KP_OCSP_SIGNING ||
            (oid_from_dotted(eku, &content) && oid_is(buf_bytes(&content), OID_KP_OCSP_SIGNING)))
            return true;
    }
    return false;
}

static enum err authority_add(struct va *va, const struct config_section *ca, struct why *why)
{
    const char *urls[CONFIG_LIST_MAX];
    size_t count = config_list_count(ca, "cdp_urls");
    for (size_t i = 0; i < count; i++)
        urls[i] = config_list_at(ca, "cdp_urls", i);
    const struct authority_params params = { config_title(ca),
                                             has_ocsp(ca),
                                             { (unsigned)config_int(ca, "crl_partitions"), urls, count } };
    return va_add_authority(va, &params, why);
}

static enum err va_make(struct service *service, struct why *why)
{
    const struct role *role = service->role;
    const struct config_section *section = config_at(role->config, "va", 0);
    AUTO_STR published = config_role_path(role->config, "va", "published");
    struct ca_client *ca = NULL;
    TRY(ca_client_open(role, CA_TIMEOUT_MS, &ca, why));
    const struct va_config config = { .clock = role->clock,
                                      .pool = role->pool,
                                      .ca = ca,
                                      .published_dir = published,
                                      .cache_entries = (size_t)config_int(section, "ocsp_cache_entries"),
                                      .validity_s = config_int(section, "ocsp_validity"),
                                      .max_age_s = config_int(section, "ocsp_max_age") };
    TRY(va_new(&config, &service->va, why));
    for (size_t i = 0; i < config_count(role->config, "ca"); i++) {
        TRY(authority_add(service->va, config_at(role->config, "ca", i), why));
    }
    return OK;
}

static struct key_spec key_spec_of(const char *name)
{
    static const struct {
        const char *name;
        struct key_spec spec;
    } known[] = { { "P-256", { KEY_EC_P256, 0 } },
                  { "RSA-2048", { KEY_RSA, 2048 } },
                  { "RSA-3072", { KEY_RSA, 3072 } } };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(known[i].name, name) == 0)
            return known[i].spec;
    }
    die("option ocsp_key is %s, which the option table has and va does not", name);
}

static void watch_make(struct service *service)
{
    const struct role *role = service->role;
    AUTO_STR keys = config_role_path(role->config, "va", "keys");
    AUTO_STR certs = config_role_path(role->config, "va", "certs");
    const struct status_watch_config config = { .va = service->va,
                                                .keys_dir = keys,
                                                .certs_dir = certs,
                                                .unlock = &role->unlock,
                                                .gate = role->gate,
                                                .ocsp_key = key_spec_of(config_str(
                                                    config_at(role->config, "va", 0), "ocsp_key")) };
    service->watch = status_watch_new(&config);
}

/* --- rounds --- */

static void round_run(void *arg, struct pool_place *place)
{
    (void)place;
    struct service *service = arg;
    status_watch_round(service->watch);
    atomic_store(&service->in_round, false);
}

static void round_begin(void *arg)
{
    struct service *service = arg;
    if (atomic_exchange(&service->in_round, true))
        return;
    if (!pool_submit(service->role->pool, round_run, service))
        atomic_store(&service->in_round, false); /* the next one tries again */
}

void service_rounds_begin(struct service *service)
{
    const struct config_section *section = config_at(service->role->config, "va", 0);
    int ms = (int)config_int(section, "poll_interval") * 1000;
    service->timer = loop_every(service->role->loop, ms, round_begin, service);
}

/* --- what the command line asks --- */

static enum err reload_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body, (void)ret_body, (void)why;
    struct service *service = arg;
    loop_post(service->role->loop, front_reload, service->front);
    loop_post(service->role->loop, round_begin, service);
    return OK;
}

static void crl_put(struct authority *authority, enum download which, const char *number, const char *end,
                    struct buf *out)
{
    record_put_int(out, number, authority_crl_number(authority, which));
    record_put_time(out, end, authority_crl_ends(authority, which));
}

static void authority_put(struct service *service, struct authority *authority, struct buf *out)
{
    AUTO(responder) responder = authority_responder(authority);
    size_t mark = record_begin(out);
    record_put_str(out, "ca", authority_name(authority));
    record_put_time(out, "ocsp_not_after", responder ? responder_not_after(responder) : 0);
    crl_put(authority, DOWNLOAD_CRL, "crl_number", "crl_next_update", out);
    crl_put(authority, DOWNLOAD_DELTA, "delta_number", "delta_next_update", out);
    record_put_int(out, "cached", (int64_t)cache_count(service->va->cache, authority_index(authority)));
    record_end(out, mark);
}

static void published_put(void *arg, const struct published_file *file)
{
    struct buf *out = arg;
    size_t mark = record_begin(out);
    record_put_str(out, "file", file->name);
    record_put_time(out, file->is_crl ? "crl_not_after" : "certificate_not_after", file->ends);
    record_end(out, mark);
}

static void counters_put(struct service *service, struct buf *out)
{
    struct va_counters *counters = &service->va->counters;
    char sandbox[64];
    size_t mark = record_begin(out);
    sandbox_state_text(&service->role->sandbox, sandbox);
    record_put_time(out, "ca_heard", status_watch_heard(service->watch));
    record_put_int(out, "published", (int64_t)published_count(service->va->published));
    record_put_int(out, "from_cache", (int64_t)atomic_load(&counters->from_cache));
    record_put_int(out, "signed", (int64_t)atomic_load(&counters->signed_now));
    record_put_int(out, "unknown", (int64_t)atomic_load(&counters->unknown));
    record_put_int(out, "refused", (int64_t)atomic_load(&counters->refused));
    record_put_int(out, "later", (int64_t)atomic_load(&counters->later));
    record_put_str(out, "sandbox", sandbox);
    record_end(out, mark);
}

static enum err status_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body, (void)why;
    struct service *service = arg;
    size_t mark = records_begin(ret_body);
    for (size_t i = 0; i < service->va->authority_count; i++)
        authority_put(service, service->va->authorities[i], ret_body);
    published_each(service->va->published, published_put, ret_body);
    counters_put(service, ret_body);
    records_end(ret_body, mark);
    return OK;
}

const struct ipc_verb va_verbs[] = {
    { "status", "cli", status_verb, NULL },
    { "reload", "cli", reload_verb, NULL },
};
const size_t va_verb_count = sizeof(va_verbs) / sizeof(*va_verbs);

/* --- begin and end --- */

static enum err service_open(struct service *service, struct why *why)
{
    TRY(confine(service->role, why));
    TRY(va_make(service, why));
    watch_make(service);
    status_watch_round(service->watch);
    const struct front_config front = { .role = service->role,
                                        .handler = route_handle,
                                        .handler_arg = service->va };
    TRY(front_new(&front, &service->front, why));
    const struct role_verbs served = { .list = va_verbs, .count = va_verb_count, .arg = service };
    return role_listen(service->role, &served, &service->ipc, why);
}

enum err service_new(struct role *role, struct service **ret, struct why *why)
{
    AUTO(service) service = xcalloc(1, sizeof(*service));
    service->role = role;
    TRY(service_open(service, why));
    *ret = TAKE(service);
    return OK;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    loop_timer_free(service->timer);
    ipc_server_free(service->ipc);
    front_free(service->front);
    status_watch_free(service->watch);
    va_free(service->va);
    free(service);
}

void service_reload(void *arg)
{
    struct service *service = arg;
    front_reload(service->front);
    round_begin(service);
}

void service_stop(void *arg)
{
    struct service *service = arg;
    loop_timer_free(TAKE(service->timer));
    front_stop(service->front);
}
