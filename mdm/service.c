/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/service.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/tally.h"
#include "http/front.h"
#include "http/tls_keeper.h"
#include "ipc/ca_client.h"
#include "ipc/role.h"
#include "mdm/agent/agent.h"
#include "mdm/api/https.h"
#include "mdm/ca_link.h"
#include "mdm/device_ca.h"
#include "mdm/ldap/keeper.h"
#include "mdm/liaison.h"
#include "mdm/oidc.h"
#include "mdm/schema.h"
#include "mdm/sign_in.h"
#include "mdm/signing.h"
#include "mdm/verbs.h"
#include "store/reach.h"
#include <stdatomic.h>

#define HOUSEKEEPING_MS 60000
#define CA_TIMEOUT_MS   10000

struct service {
    struct role *role;
    struct mdm mdm;
    struct https_way administrators, agents;
    struct loop_timer *timer, *liaison_timer;
    struct liaison *liaison;
    atomic_bool housekeeping, liaising; /* one at a time, of each */
    struct front *devices, *admin;
    struct tls_keeper *tls; /* NULL: no HTTPS listener */
    struct ipc_server *ipc;
    char *oidc_secret; /* the file's path */
    int draining;      /* parts that still have something in flight */
};

/* --- making it --- */

static const char *conninfo_of(const struct role *role)
{
    return config_str(config_at(role->config, "mdm", 0), "store");
}

/* It keeps its store, its keys and its certificates, writes its access logs, and takes connections. A store on PostgreSQL adds to that, and so does
   an OpenID provider. */
static enum err confine(struct role *role, struct why *why)
{
    AUTO_STR state = config_role_path(role->config, "mdm", "");
    AUTO_STR logs = config_log_path(role->config, "mdm", "");
    AUTO_VAL(store_reach) reach = { 0 };
    struct sandbox_policy policy = { .accepts = true };
    const struct config_section *section = config_at(role->config, "mdm", 0);
    const char *issuer = config_str(section, "oidc_issuer"), *ca_file = config_str(section, "oidc_ca_file");
    AUTO_STR keys = config_role_path(role->config, "mdm", "keys");
    AUTO_STR certs = config_role_path(role->config, "mdm", "certs");
    AUTO_STR secrets = config_secret_path(role->config, "mdm", "");
    TRY(dir_make(state, 0700, why));
    TRY(dir_make(keys, 0700, why)); /* of the device CA */
    TRY(dir_make(certs, 0700, why));
    sandbox_add(&policy, state, SANDBOX_STORE);
    sandbox_add(&policy, logs, SANDBOX_LOG);
    sandbox_add_optional(&policy, "/dev/urandom", SANDBOX_READ); /* SQLite's names of temporary files */
    if (*conninfo_of(role))
        TRY(store_reach_of(conninfo_of(role), &reach, why));
    if (*conninfo_of(role) || oidc_port(issuer))
        store_reach_allow(&reach, &policy);
    if (oidc_port(issuer)) {
        const uint16_t ports[] = { oidc_port(issuer),
                                   443 }; /* a provider may have its endpoints on several hosts */
        for (size_t i = 0; i < 2; i++)
            policy.ports[policy.port_count++] = ports[i];
        if (*ca_file)
            sandbox_add(&policy, ca_file, SANDBOX_READ);
    }
    if (config_count(role->config, "directory") > 0)
        sandbox_add(&policy, secrets, SANDBOX_READ); /* passwords to sign in with */
    TRY(ldap_keeper_reach(role->config, &policy, why));
    return role_confine(role, &policy, why);
}

static enum err directory_open(struct service *service, struct why *why)
{
    const struct role *role = service->role;
    const char *conninfo = conninfo_of(role);
    AUTO_STR path = config_role_path(role->config, "mdm", "store.db");
    AUTO_STR identity = config_role_path(role->config, "mdm", "database");
    const struct store_config config = { .kind = *conninfo ? STORE_POSTGRES : STORE_SQLITE,
                                         .path = *conninfo ? conninfo : path,
                                         .schema = "chancery_mdm",
                                         .migrations = mdm_migrations,
                                         .migration_count = mdm_migration_count };
    service->mdm.clock = role->clock;
    TRY(store_open(&config, &service->mdm.store, why));
    return store_identity_check(service->mdm.store, &mdm_store_identity, role->clock, identity, why);
}

static enum err device_ca_make(struct service *service, struct why *why)
{
    struct role *role = service->role;
    AUTO_STR keys = config_role_path(role->config, "mdm", "keys");
    AUTO_STR certs = config_role_path(role->config, "mdm", "certs");
    const struct kept_key_source source = { keys, certs, &role->unlock, role->gate };
    TRY(tally_new(AGENT_REFUSALS_WINDOW_MS, &service->mdm.refused_tokens, why));
    return device_ca_open(&source, config_str(config_top(role->config), "site"), clock_now(role->clock),
                          &service->mdm.device_ca, why);
}

static enum err sign_in_make(struct service *service, struct why *why)
{
    const struct config_section *section = config_at(service->role->config, "mdm", 0);
    const struct session_times times = { config_int(section, "session_idle"),
                                         config_int(section, "session_lifetime") };
    return sign_in_new(&times, &service->mdm.sign_in, why);
}

static enum err oidc_make(struct service *service, struct why *why)
{
    const struct config *config = service->role->config;
    const struct config_section *section = config_at(config, "mdm", 0);
    service->oidc_secret = config_secret_path(config, "mdm", "oidc-client");
    const struct oidc_settings settings = { .issuer = config_str(section, "oidc_issuer"),
                                            .client = config_str(section, "oidc_client_id"),
                                            .redirect = config_str(section, "oidc_redirect"),
                                            .ca_file = config_str(section, "oidc_ca_file"),
                                            .name_claim = config_str(section, "oidc_name_claim"),
                                            .groups_claim = config_str(section, "oidc_groups_claim"),
                                            .secret_path = service->oidc_secret,
                                            .section = section };
    return oidc_new(&settings, &service->mdm.oidc, why);
}

static enum err ca_link_make(struct service *service, struct why *why)
{
    struct role *role = service->role;
    const struct config_section *section = config_at(role->config, "mdm", 0);
    AUTO_STR keys = config_role_path(role->config, "mdm", "keys");
    AUTO_STR certs = config_role_path(role->config, "mdm", "certs");
    const struct kept_key_source source = { keys, certs, &role->unlock, role->gate };
    const char *cas[CONFIG_LIST_MAX];
    struct ca_link_config link = { .cas = cas, .ca_count = config_list_count(section, "ca") };
    for (size_t i = 0; i < link.ca_count; i++)
        cas[i] = config_list_at(section, "ca", i);
    service->mdm.challenge_lifetime_s = config_int(section, "challenge_lifetime");
    AUTO(ca_client) client = NULL;
    TRY(ca_client_open(role, CA_TIMEOUT_MS, &client, why));
    TRY(signing_open(&source, clock_now(role->clock), &link.signing, why));
    link.client = TAKE(client);
    service->mdm.link = ca_link_new(&link);
    service->liaison = liaison_new(&service->mdm);
    return OK;
}

/* A device's certificate opens nothing on the administrators' listeners, nor the other way round: they are servers apart. */
static enum err fronts_open(struct service *service, struct why *why)
{
    struct pool *pool = service->role->pool;
    AUTO_BUF anchors = { 0 };
    device_ca_anchors(service->mdm.device_ca, &anchors);
    service->administrators = (struct https_way){ &service->mdm, pool, api_https_serve };
    service->agents = (struct https_way){ &service->mdm, pool, agent_https_serve };
    const struct front_config devices = { .role = service->role,
                                          .handler = https_handle,
                                          .handler_arg = &service->agents,
                                          .client_anchors = buf_bytes(&anchors) };
    const struct front_config admin = {
        .role = service->role, .handler = https_handle, .handler_arg = &service->administrators, .admin = true
    };
    TRY(front_new(&devices, &service->devices, why));
    return front_new(&admin, &service->admin, why);
}

static void tls_renewed(void *arg)
{
    struct service *service = arg;
    front_tls_renewed(service->devices);
    front_tls_renewed(service->admin);
}

static void tls_keeper_begin(struct service *service)
{
    const struct tls_keeper_config config = {
        .role = service->role, .ca = ca_link_client(service->mdm.link), .use = tls_renewed, .arg = service
    };
    if (service_tls_not_after(service))
        service->tls = tls_keeper_new(&config);
}

/* --- every minute --- */

static void trust_anew(void *arg)
{
    struct service *service = arg;
    AUTO_BUF anchors = { 0 };
    struct why why = { 0 };
    device_ca_anchors(service->mdm.device_ca, &anchors);
    if (front_trust(service->devices, buf_bytes(&anchors), &why) != OK)
        log_error(NULL, "the device CA's new certificate is not in use until a restart: %s", why.text);
}

static enum err sweep_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct service *service = arg;
    return sessions_sweep(tx, sign_in_times(service->mdm.sign_in), clock_now(service->role->clock), why);
}

static void housekeeping(void *arg, struct pool_place *place)
{
    (void)place;
    struct service *service = arg;
    struct why why = { 0 };
    bool changed = false;
    if (device_ca_keep(service->mdm.device_ca, clock_now(service->role->clock), &changed, &why) != OK)
        log_error(NULL, "device CA not renewed: %s", why.text);
    if (changed)
        loop_post(service->role->loop, trust_anew, service);
    if (store_write(service->mdm.store, sweep_work, service, &why) != OK)
        log_error(NULL, "sessions that are over not removed: %s", why.text);
    atomic_store(&service->housekeeping, false);
}

static void housekeeping_begin(void *arg)
{
    struct service *service = arg;
    if (atomic_exchange(&service->housekeeping, true))
        return;
    if (!pool_submit(service->role->pool, housekeeping, service))
        atomic_store(&service->housekeeping, false); /* the next minute tries again */
}

static void liaise(void *arg, struct pool_place *place)
{
    (void)place;
    struct service *service = arg;
    liaison_run(service->liaison);
    atomic_store(&service->liaising, false);
}

static void liaison_begin(void *arg)
{
    struct service *service = arg;
    if (!liaison_is_due(service->liaison) || atomic_exchange(&service->liaising, true))
        return;
    if (!pool_submit(service->role->pool, liaise, service))
        atomic_store(&service->liaising, false);
}

static enum err service_open(struct service *service, struct why *why)
{
    TRY(oidc_make(service, why)); /* reads a secret, which nothing reads later */
    TRY(confine(service->role, why));
    TRY(directory_open(service, why));
    TRY(device_ca_make(service, why));
    TRY(sign_in_make(service, why));
    TRY(ca_link_make(service, why));
    TRY(fronts_open(service, why));
    tls_keeper_begin(service);
    service->mdm.directories = ldap_keeper_new(service->role, service->mdm.store);
    const struct role_verbs served = {
        .list = mdm_verbs, .count = mdm_verb_count, .arg = service, .max_frame = LIMIT_API_FRAME_BYTES
    };
    return role_listen(service->role, &served, &service->ipc, why);
}

enum err service_new(struct role *role, struct service **ret, struct why *why)
{
    AUTO(service) service = xcalloc(1, sizeof(*service));
    service->role = role;
    TRY(service_open(service, why));
    service->timer = loop_every(role->loop, HOUSEKEEPING_MS, housekeeping_begin, service);
    service->liaison_timer = loop_every(role->loop, LIAISON_TICK_MS, liaison_begin, service);
    *ret = TAKE(service);
    return OK;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    if (service->timer)
        loop_timer_free(service->timer);
    if (service->liaison_timer)
        loop_timer_free(service->liaison_timer);
    ipc_server_free(service->ipc);
    tls_keeper_free(service->tls);
    front_free(service->admin);
    front_free(service->devices);
    device_ca_free(service->mdm.device_ca);
    liaison_free(service->liaison);
    ca_link_free(service->mdm.link);
    oidc_free(service->mdm.oidc);
    free(service->oidc_secret);
    sign_in_free(service->mdm.sign_in);
    ldap_keeper_free(service->mdm.directories);
    tally_free(service->mdm.refused_tokens);
    store_free(service->mdm.store);
    free(service);
}

/* --- while it runs --- */

struct mdm *service_mdm(struct service *service)
{
    return &service->mdm;
}

struct role *service_role(struct service *service)
{
    return service->role;
}

struct tls_keeper *service_tls(struct service *service)
{
    return service->tls;
}

int64_t service_tls_not_after(struct service *service)
{
    int64_t devices = front_tls_not_after(service->devices);
    return devices ? devices : front_tls_not_after(service->admin);
}

void service_reload(void *arg)
{
    struct service *service = arg;
    front_reload(service->devices);
    front_reload(service->admin);
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
    int ms = (int)config_int(config_top(service->role->config), "stop_timeout") * 1000;
    service->draining = 3;
    ldap_keeper_stop(service->mdm.directories);
    front_drain(service->devices, drained, service);
    front_drain(service->admin, drained, service);
    ipc_server_drain(service->ipc, ms, drained, service);
}
