/* SPDX-License-Identifier: Apache-2.0 */
/* The role signer: one inherited socket, one verb. */
#include "base/limits.h"
#include "base/log.h"
#include "ipc/role.h"
#include "signer/signer.h"
#include <unistd.h>

struct service {
    struct role *role;
    struct signer *signer;
    struct ipc_server *server;
};

static enum err seal(void *arg, const struct ipc_caller *caller, struct bytes body, struct buf *ret_body,
                     struct why *why)
{
    struct service *service = arg;
    struct seal_request request = { 0 };
    AUTO_BUF der = { 0 };
    enum err err = seal_request_get(body, &request, why);
    if (err == OK)
        err = signer_seal(service->signer, &request, &der, why);
    const char *kind = request.kind == SEAL_CRL ? "crl" : "certificate";
    if (err != OK) {
        log_warn(NULL, "refused peer=%s ca=%.*s kind=%s error=%s: %s", caller->principal, (int)request.ca.len,
                 request.ca.len ? (const char *)request.ca.data : "", kind, err_row(err)->name, why->text);
        return err;
    }
    log_debug(NULL, "sealed ca=%.*s kind=%s bytes=%zu", (int)request.ca.len, (const char *)request.ca.data,
              kind, der.len);
    seal_answer_put(ret_body, buf_bytes(&der));
    return OK;
}

static const struct ipc_verb verbs[] = { { "seal", "ca", seal, NULL } };

static void on_drained(void *arg)
{
    struct service *service = arg;
    loop_stop(service->role->loop);
}

static void on_stop(void *arg)
{
    struct service *service = arg;
    int64_t seconds = config_int(config_top(service->role->config), "stop_timeout");
    ipc_server_drain(service->server, (int)seconds * 1000, on_drained, service);
}

/* Nobody else may ask: without ca there is nothing left to do. */
static void on_lost(void *arg)
{
    struct service *service = arg;
    log_info(NULL, "ca has left");
    role_stop(service->role);
}

static enum err service_open(struct service *service, struct why *why)
{
    struct role *role = service->role;
    int fd = role_descriptor(role, ROLE_PEER, "ca");
    if (fd < 0)
        return fail(why, ERR_USAGE, "--peer ca=FD is missing; this program is started by chanceryd");
    /* init makes the journal. One that is gone took serials, CRL numbers and the clock's floor with it. */
    AUTO_STR journal = config_role_path(role->config, "signer", "journal");
    if (access(journal, F_OK) != 0)
        return fail(why, ERR_IO,
                    "the journal %s is missing, although there are CA keys: restore it from the backup",
                    journal);
    TRY(signer_open(role->config, &role->unlock, role->gate, role->clock, &service->signer, why));
    secret_free(
        &role->unlock); /* the keys are open now, and so is the journal: from here on it opens nothing */
    const struct sandbox_policy nothing = { 0 };
    TRY(role_confine(role, &nothing, why));
    const struct ipc_server_config config = { .loop = role->loop,
                                              .pool = role->pool,
                                              .verbs = verbs,
                                              .verb_count = 1,
                                              .role = service,
                                              .max_frame = LIMIT_CRL_FRAME_BYTES,
                                              .allowed_uid = -1 };
    TRY(ipc_server_new(&config, &service->server, why));
    return ipc_server_attach(service->server, fd, "ca", on_lost, service, why);
}

int main(int argc, char **argv)
{
    struct role role;
    struct why why = { 0 };
    enum err err = role_begin(argc, argv, "signer", &role, &why);
    if (err != OK) {
        log_error(NULL, "cannot start: %s", why.text);
        return err_row(err)->exit_status;
    }
    struct service service = { .role = &role };
    const struct role_hooks hooks = { .stop = on_stop, .arg = &service };
    err = service_open(&service, &why);
    if (err != OK)
        log_error(NULL, "cannot start: %s", why.text);
    int status = err == OK ? role_serve(&role, &hooks) : err_row(err)->exit_status;
    ipc_server_free(service.server); /* waits for the workers, which use the signer */
    signer_free(service.signer);
    role_end(&role);
    return status;
}
