/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration to listeners. */
#include "http/front.h"

#include "base/limits.h"
#include "base/log.h"
#include "http/access_log.h"
#include "http/proxies.h"
#include "http/tls_pair.h"
#include "ipc/role.h"
#include "net/tls.h"

struct front {
    struct role *role;
    bool admin, crp;
    struct buf client_anchors;
    const struct config_section *section;
    struct access_log *access_log;
    struct tls_server *tls; /* NULL: no HTTPS listener */
    struct proxies *proxies;
    struct http_server *http;
};

static struct http_limits limits_of(const struct front *front)
{
    const struct config_section *section = front->section;
    const char *body = front->admin ? "admin_max_body_bytes" : "max_body_bytes";
    size_t connections = (size_t)config_int(section, "max_connections");
    return (struct http_limits){
        .url_bytes = (size_t)config_int(section, "max_url_length"),
        .query_bytes = (size_t)config_int(section, "max_query_length"),
        .field_bytes = (size_t)config_int(section, "max_field_length"),
        .fields = (size_t)config_int(section, "max_fields"),
        .head_bytes = (size_t)config_int(section, "max_request_bytes"),
        .body_bytes = (size_t)config_int(section, body),
        .changes = front->admin,
        .request_ms = (int)config_int(section, "request_timeout"),
        .idle_ms = (int)config_int(section, "idle_timeout"),
        .write_ms = (int)config_int(section, "write_timeout"),
        .handshake_ms = (int)config_int(section, "handshake_timeout"),
        .min_rate = (size_t)config_int(section, "min_rate"),
        .min_rate_after_ms = (int)config_int(section, "min_rate_after"),
        .connections =
            front->crp && connections > LIMIT_CRP_CONNECTIONS ? LIMIT_CRP_CONNECTIONS : connections,
        .connections_per_address = (size_t)config_int(section, "max_connections_per_address"),
    };
}

static enum err tls_open(struct front *front, struct why *why)
{
    struct role *role = front->role;
    AUTO_VAL(tls_pair) pair = { 0 };
    TRY(tls_pair_find(role->config, role->name, &pair, why));
    struct tls_server_config config = { .certificate_path = pair.cert_path,
                                        .key_path = pair.key_path,
                                        .unlock = &role->unlock,
                                        .client_anchors = buf_bytes(&front->client_anchors) };
    return tls_server_new(&config, &front->tls, why);
}

static enum err tls_again(struct front *front, struct why *why)
{
    AUTO_VAL(tls_pair) pair = { 0 };
    TRY(tls_pair_find(front->role->config, front->role->name, &pair, why));
    const struct tls_files files = { pair.cert_path, pair.key_path };
    return tls_server_use(front->tls, &files, why);
}

static enum err proxies_open(struct front *front, struct why *why)
{
    const struct config_section *section = front->section;
    size_t count = config_list_count(section, "trusted_proxies");
    const char **networks = xcalloc(count + 1, sizeof(*networks));
    for (size_t i = 0; i < count; i++)
        networks[i] = config_list_at(section, "trusted_proxies", i);
    bool forwarded = strcmp(config_str(section, "proxy_header"), "forwarded") == 0;
    enum err err = proxies_new(networks, count, forwarded ? PROXY_FORWARDED : PROXY_X_FORWARDED_FOR,
                               &front->proxies, why);
    free(networks);
    return err;
}

static enum err log_make(struct front *front, struct why *why)
{
    struct role *role = front->role;
    const char *name = front->admin ? "admin.log" : front->crp ? "crp.log" : "access.log";
    AUTO_STR path = config_log_path(role->config, role->name, name);
    struct access_log_config config = {
        .path = path,
        .clock = role->clock,
        .sc_bytes = config_bool(front->section, "access_log_sc_bytes"),
    };
    return access_log_open(&config, &front->access_log, why);
}

static int secure_kind(const struct front *front)
{
    return front->admin ? ROLE_ADMIN : front->crp ? ROLE_CRP : ROLE_HTTPS;
}

static enum err listeners_open(struct front *front, struct why *why)
{
    const struct role *role = front->role;
    for (size_t i = 0; i < role->descriptor_count; i++) {
        const struct role_descriptor *descriptor = &role->descriptors[i];
        bool secure = (int)descriptor->kind == secure_kind(front);
        bool plain = descriptor->kind == ROLE_HTTP && !front->admin && !front->crp;
        if (secure && !front->tls)
            TRY(tls_open(front, why));
        if (plain || secure)
            TRY(http_server_listen(front->http, descriptor->fd, secure ? front->tls : NULL, why));
    }
    return OK;
}

enum err front_new(const struct front_config *config, struct front **ret, struct why *why)
{
    AUTO(front) front = xcalloc(1, sizeof(*front));
    struct role *role = config->role;
    front->role = role;
    front->admin = config->admin;
    front->crp = config->crp;
    front->client_anchors = buf_dup(config->client_anchors);
    front->section = config_at(role->config, role->name, 0);
    TRY(log_make(front, why));
    TRY(proxies_open(front, why));
    struct http_server_config server = { .loop = role->loop,
                                         .limits = limits_of(front),
                                         .proxies = front->proxies,
                                         .handler = config->handler,
                                         .handler_arg = config->handler_arg,
                                         .log = front->access_log };
    TRY(http_server_new(&server, &front->http, why));
    TRY(listeners_open(front, why));
    *ret = TAKE(front);
    return OK;
}

void front_free(struct front *front)
{
    if (!front)
        return;
    http_server_free(front->http);
    proxies_free(front->proxies);
    tls_server_free(front->tls);
    access_log_free(front->access_log);
    buf_free(&front->client_anchors);
    free(front);
}

void front_tls_renewed(void *arg)
{
    struct front *front = arg;
    struct why why = { 0 };
    if (front->tls && tls_again(front, &why) != OK)
        log_error(NULL, "TLS certificate not reloaded, the old one stays: %s", why.text);
}

void front_reload(void *arg)
{
    struct front *front = arg;
    struct why why = { 0 };
    front_tls_renewed(front);
    if (access_log_reopen(front->access_log, &why) != OK)
        log_error(NULL, "access log not reopened: %s", why.text);
}

enum err front_trust(struct front *front, struct bytes client_anchors, struct why *why)
{
    return front->tls ? tls_server_trust(front->tls, client_anchors, why) : OK;
}

static void drained(void *arg)
{
    struct front *front = arg;
    loop_stop(front->role->loop);
}

void front_drain(struct front *front, void (*done)(void *arg), void *arg)
{
    int ms = (int)config_int(config_top(front->role->config), "stop_timeout") * 1000;
    http_server_drain(front->http, ms, done, arg);
}

void front_stop(struct front *front)
{
    front_drain(front, drained, front);
}

int64_t front_tls_not_after(struct front *front)
{
    return front->tls ? tls_server_not_after(front->tls) : 0;
}
