/* SPDX-License-Identifier: Apache-2.0 */
/* The running role: configuration to listeners, reload, status, stop. */
#include "scep/service.h"

#include "base/log.h"
#include "base/log_file.h"
#include "http/front.h"
#include "http/tls_keeper.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "scep/crs.h"
#include "scep/operation.h"
#include "scep/ra_keeper.h"
#include "scep/scep.h"

#define CA_TIMEOUT_MS                                                                                        \
    10000 /* a device's own patience is about 30 s; two commits and a signature take milliseconds */
#define DAY_S         86400LL
#define WARN_EVERY_MS 86400000 /* complain about certificates that end soon once a day */

struct service {
    struct role *role;
    struct scep *scep;
    struct log_file *plugin_log; /* NULL: no endpoint is managed */
    struct front *front;
    struct crs *crs;
    struct front *crs_front; /* NULL: crp_listen has no address */
    unsigned draining;
    struct ipc_server *ipc;
    struct loop_timer *warn_timer;
    struct ra_keeper *keeper;
    struct tls_keeper *tls;      /* NULL: no HTTPS listener */
    pthread_mutex_t reload_lock; /* one reload at a time, from SIGHUP or the command line */
};

/* --- making it --- */

static enum err plugin_log_open(struct service *service, struct why *why)
{
    const struct config *config = service->role->config;
    AUTO_STR path = config_log_path(config, "scep", "NDESPlugin.log");
    for (size_t i = 0; i < config_count(config, "endpoint"); i++) {
        if (validator_is_policy_module(config_str(config_at(config, "endpoint", i), "validator")))
            return log_file_open(path, "plugin log", &service->plugin_log, why);
    }
    return OK;
}

static enum err scep_make(struct service *service, struct why *why)
{
    struct role *role = service->role;
    AUTO(ca_client) ca = NULL;
    struct endpoint_set *endpoints = NULL;
    TRY(endpoint_set_load(role->config, &role->unlock, role->gate, &endpoints, why));
    enum err err = ca_client_open(role, CA_TIMEOUT_MS, &ca, why);
    if (err != OK) {
        endpoint_set_unref(endpoints);
        return err;
    }
    const struct config_section *section = config_at(role->config, "scep", 0);
    const struct scep_config config = {
        .clock = role->clock,
        .pool = role->pool,
        .ca = TAKE(ca),
        .endpoints = endpoints,
        .budget = { .per_address = (unsigned)config_int(section, "max_failed_decryptions_per_address"),
                    .per_key = (unsigned)config_int(section, "max_failed_decryptions") },
        .refusal_lines = (unsigned)config_int(section, "refusal_log_lines"),
        .plugin_log = service->plugin_log,
    };
    return scep_new(&config, &service->scep, why);
}

static void warn_daily(void *arg)
{
    struct service *service = arg;
    struct endpoint_set *set = scep_endpoints(service->scep);
    endpoint_set_warn(set, clock_now(service->role->clock));
    endpoint_set_unref(set);
}

/* --- reload --- */

/* Reads the file again; on any failure what is served stays as it was. From any thread. */
static enum err endpoints_reload(struct service *service, struct why *why)
{
    struct role *role = service->role;
    AUTO(config) fresh = NULL;
    struct endpoint_set *set = NULL;
    TRY(role_config_again(role, &fresh, why));
    TRY(endpoint_set_load(fresh, &role->unlock, role->gate, &set, why));
    endpoint_set_warn(set, clock_now(role->clock));
    scep_endpoints_replace(service->scep, set);
    return OK;
}

static enum err reload(struct service *service, struct why *why)
{
    pthread_mutex_lock(&service->reload_lock);
    enum err err = endpoints_reload(service, why);
    pthread_mutex_unlock(&service->reload_lock);
    if (err == OK)
        log_info(NULL, "reloaded endpoints");
    else
        log_error(NULL, "not reloaded, the old configuration stays: %s error=%s", why->text,
                  err_row(err)->name);
    return err;
}

/* Whose client certificates count is read again, too. Loop thread. */
static void crs_reload(struct service *service)
{
    struct why why = { 0 };
    AUTO_BUF anchors = { 0 };
    front_reload(service->crs_front);
    enum err err = crs_anchors(service->role->config, &anchors, &why);
    if (err == OK)
        err = front_trust(service->crs_front, buf_bytes(&anchors), &why);
    if (err != OK)
        log_error(NULL, "the CA of client certificates is not reloaded, the old one stays: %s", why.text);
}

static void fronts_reload(void *arg)
{
    struct service *service = arg;
    front_reload(service->front);
    if (service->crs_front)
        crs_reload(service);
}

void service_reload(void *arg)
{
    struct service *service = arg;
    struct why why = { 0 };
    fronts_reload(service);
    if (service->plugin_log && log_file_reopen(service->plugin_log, &why) != OK)
        log_error(NULL, "%s; the one that is open is written on", why.text);
    enum err logged = reload(service, &why);
    (void)logged;
}

/* --- what the command line asks --- */

static enum err reload_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body, (void)ret_body;
    struct service *service = arg;
    loop_post(service->role->loop, fronts_reload, service);
    return reload(service, why);
}

static void status_put(const struct service *service, const struct endpoint *endpoint, struct buf *out)
{
    size_t mark = record_begin(out);
    record_put_str(out, "endpoint", endpoint->name);
    record_put_str(out, "path", endpoint->paths[endpoint->path_count - 1]);
    record_put_str(out, "ra_set", endpoint->ra->name);
    record_put_int(out, "ra_generation", ra_set_recipient(endpoint->ra)->generation);
    record_put_int(out, "ra_generations", (int64_t)endpoint->ra->count);
    record_put_time(out, "ra_not_after", ra_set_end(endpoint->ra));
    record_put_time(out, "root_not_after", endpoint->root.cert.not_after);
    record_put_str(out, "state", ra_keeper_state(service->keeper, endpoint->ra));
    record_end(out, mark);
}

/* The listeners have one certificate. */
static int64_t tls_not_after(const struct service *service)
{
    int64_t devices = front_tls_not_after(service->front);
    return devices || !service->crs_front ? devices : front_tls_not_after(service->crs_front);
}

static void crs_put(const struct service *service, struct buf *out)
{
    if (!service->crs)
        return;
    const struct crs_counters counters = crs_count(service->crs);
    record_put_int(out, "crp_verified", (int64_t)counters.verified);
    record_put_int(out, "crp_refused", (int64_t)counters.refused);
    record_put_int(out, "crp_notified", (int64_t)counters.notified);
}

static void counters_put(const struct service *service, const char *sandbox, struct buf *out)
{
    struct scep *scep = service->scep;
    size_t mark = record_begin(out);
    record_put_str(out, "endpoint", "");
    record_put_int(out, "issued", (int64_t)atomic_load(&scep->counters.issued));
    record_put_int(out, "pending", (int64_t)atomic_load(&scep->counters.pending));
    record_put_int(out, "answered", (int64_t)atomic_load(&scep->counters.answered));
    record_put_int(out, "refused", (int64_t)atomic_load(&scep->counters.refused));
    record_put_int(out, "unreadable", (int64_t)atomic_load(&scep->counters.unreadable));
    record_put_int(out, "unavailable", (int64_t)atomic_load(&scep->counters.unavailable));
    record_put_int(out, "failed_decryptions_this_hour", budget_spent(scep->budget, clock_mono_ms()));
    record_put_time(out, "tls_not_after", tls_not_after(service));
    crs_put(service, out);
    record_put_str(out, "sandbox", sandbox);
    record_end(out, mark);
}

static enum err status_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body, (void)why;
    struct service *service = arg;
    struct endpoint_set *set = scep_endpoints(service->scep);
    size_t mark = records_begin(ret_body);
    for (size_t i = 0; i < endpoint_set_count(set); i++)
        status_put(service, endpoint_set_at(set, i), ret_body);
    char sandbox[64];
    sandbox_state_text(&service->role->sandbox, sandbox);
    counters_put(service, sandbox, ret_body);
    records_end(ret_body, mark);
    endpoint_set_unref(set);
    return OK;
}

static enum err ra_show_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                             struct buf *ret_body, struct why *why)
{
    struct service *service = arg;
    (void)caller, (void)body;
    return ra_keeper_show(service->keeper, ret_body, why);
}

static enum err ra_renew_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                              struct buf *ret_body, struct why *why)
{
    struct service *service = arg;
    (void)caller;
    return ra_keeper_renew(service->keeper, body, ret_body, why);
}

static enum err tls_show_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                              struct buf *ret_body, struct why *why)
{
    struct service *service = arg;
    (void)caller, (void)body;
    return tls_keeper_show(service->tls, ret_body, why);
}

static enum err tls_renew_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret_body, struct why *why)
{
    struct service *service = arg;
    (void)caller, (void)body;
    return tls_keeper_renew(service->tls, ret_body, why);
}

const struct ipc_verb scep_verbs[] = {
    { "status", "cli", status_verb, NULL },     { "reload", "cli", reload_verb, NULL },
    { "ra_show", "cli", ra_show_verb, NULL },   { "ra_renew", "cli", ra_renew_verb, NULL },
    { "tls_show", "cli", tls_show_verb, NULL }, { "tls_renew", "cli", tls_renew_verb, NULL },
};
const size_t scep_verb_count = sizeof(scep_verbs) / sizeof(*scep_verbs);

/* --- begin and end --- */

/* It reads its own keys and certificates, makes the RA set's next ones, writes its access log, and takes connections: no more is
   left to whoever captures it. */
static enum err confine(struct role *role, struct why *why)
{
    AUTO_STR state = config_role_path(role->config, "scep", "");
    AUTO_STR logs = config_log_path(role->config, "scep", "");
    AUTO_STR keys = config_role_path(role->config, "scep", "keys");
    AUTO_STR certs = config_role_path(role->config, "scep", "certs");
    struct sandbox_policy policy = { .accepts = true };
    sandbox_add(&policy, state, SANDBOX_READ);
    sandbox_add(&policy, keys, SANDBOX_STORE);
    sandbox_add(&policy, certs, SANDBOX_STORE);
    sandbox_add(&policy, logs, SANDBOX_LOG);
    return role_confine(role, &policy, why);
}

static enum err keeper_reload(void *arg, struct why *why)
{
    return reload(arg, why);
}

static enum err keeper_open(struct service *service, struct why *why)
{
    const struct config_section *section = config_at(service->role->config, "scep", 0);
    const struct ra_keeper_config config = { .role = service->role,
                                             .scep = service->scep,
                                             .before_s = config_int(section, "ra_renew_before") * DAY_S,
                                             .reload = keeper_reload,
                                             .arg = service };
    return ra_keeper_new(&config, &service->keeper, why);
}

static enum err crs_open(struct service *service, struct why *why)
{
    struct role *role = service->role;
    AUTO_BUF anchors = { 0 };
    if (!config_list_count(config_at(role->config, "scep", 0), "crp_listen"))
        return OK;
    TRY(crs_new(service->scep, role->config, &service->crs, why));
    TRY(crs_anchors(role->config, &anchors, why));
    const struct front_config front = { .role = role,
                                        .handler = crs_handle,
                                        .handler_arg = service->crs,
                                        .crp = true,
                                        .client_anchors = buf_bytes(&anchors) };
    return front_new(&front, &service->crs_front, why);
}

static void tls_renewed(void *arg)
{
    struct service *service = arg;
    front_tls_renewed(service->front);
    if (service->crs_front)
        front_tls_renewed(service->crs_front);
}

static void tls_keeper_begin(struct service *service)
{
    const struct tls_keeper_config config = {
        .role = service->role, .ca = service->scep->ca, .use = tls_renewed, .arg = service
    };
    if (tls_not_after(service))
        service->tls = tls_keeper_new(&config);
}

static enum err service_open(struct service *service, struct why *why)
{
    TRY(confine(service->role, why));
    TRY(plugin_log_open(service, why));
    TRY(scep_make(service, why));
    const struct front_config front = { .role = service->role,
                                        .handler = operation_handle,
                                        .handler_arg = service->scep };
    TRY(front_new(&front, &service->front, why));
    TRY(crs_open(service, why));
    TRY(keeper_open(service, why));
    tls_keeper_begin(service);
    const struct role_verbs served = { .list = scep_verbs, .count = scep_verb_count, .arg = service };
    TRY(role_listen(service->role, &served, &service->ipc, why));
    warn_daily(service);
    service->warn_timer = loop_every(service->role->loop, WARN_EVERY_MS, warn_daily, service);
    return OK;
}

enum err service_new(struct role *role, struct service **ret, struct why *why)
{
    AUTO(service) service = xcalloc(1, sizeof(*service));
    service->role = role;
    pthread_mutex_init(&service->reload_lock, NULL);
    TRY(service_open(service, why));
    *ret = TAKE(service);
    return OK;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    loop_timer_free(service->warn_timer);
    ipc_server_free(service->ipc);
    ra_keeper_free(service->keeper);
    tls_keeper_free(service->tls);
    front_free(service->crs_front);
    front_free(service->front);
    crs_free(service->crs);
    scep_free(service->scep);
    log_file_free(service->plugin_log);
    pthread_mutex_destroy(&service->reload_lock);
    free(service);
}

static void drained(void *arg)
{
    struct service *service = arg;
    if (--service->draining == 0)
        loop_stop(service->role->loop);
}

void service_stop(void *arg)
{
    struct service *service = arg;
    service->draining = 1 + (service->crs_front != NULL);
    front_drain(service->front, drained, service);
    if (service->crs_front)
        front_drain(service->crs_front, drained, service);
}
