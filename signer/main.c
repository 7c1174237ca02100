/* SPDX-License-Identifier: Apache-2.0 */
/* The role signer: one inherited socket, two verbs: seal, and what it says of itself. */
#include "base/limits.h"
#include "base/log.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "signer/signer.h"
#include <unistd.h>

struct service {
    struct role *role;
    struct signer *signer;
    struct ipc_server *server;
};

/* One call of ca that is being sealed. */
struct seal_call {
    struct ipc_call *call;
    struct seal_request request;
};

static void on_sealed(void *arg, enum err err, struct bytes der, const struct why *why)
{
    struct seal_call *sealing = arg;
    const struct seal_request *request = &sealing->request;
    static const char *const kinds[] = {
        [SEAL_CERTIFICATE] = "certificate", [SEAL_CRL] = "crl", [SEAL_DELTA_CRL] = "delta-crl"
    };
    const char *kind = request->kind ? kinds[request->kind] : "unreadable";
    AUTO_BUF body = { 0 };
    if (err != OK) {
        log_warn(NULL, "refused peer=%s ca=%.*s kind=%s error=%s: %s",
                 ipc_call_caller(sealing->call)->principal, (int)request->ca.len,
                 request->ca.len ? (const char *)request->ca.data : "", kind, err_row(err)->name, why->text);
    } else {
        log_debug(NULL, "sealed ca=%.*s kind=%s bytes=%zu", (int)request->ca.len,
                  (const char *)request->ca.data, kind, der.len);
        seal_answer_put(&body, request->kind, der);
    }
    ipc_call_answer(sealing->call, err, buf_bytes(&body), why);
    free(sealing);
}

static void seal(void *arg, struct ipc_call *call)
{
    struct service *service = arg;
    struct seal_call *sealing = xcalloc(1, sizeof(*sealing));
    struct why why = { 0 };
    sealing->call = call;
    enum err err = seal_request_get(ipc_call_body(call), &sealing->request, &why);
    if (err == OK)
        signer_seal_start(service->signer, &sealing->request, on_sealed, sealing);
    else
        on_sealed(sealing, err, BYTES_NONE, &why);
}

static enum err status(void *arg, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct service *service = arg;
    char sandbox[64];
    (void)caller, (void)body, (void)why;
    sandbox_state_text(&service->role->sandbox, sandbox);
    size_t list = records_begin(ret);
    signer_status_put(service->signer, ret);
    size_t mark = record_begin(ret);
    record_put_str(ret, "sandbox", sandbox);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

static const struct ipc_verb verbs[] = { { "seal", "ca", NULL, seal }, { "status", "ca", status, NULL } };

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
    struct why clock = { 0 };
    if (signer_clock_check(service->signer, &clock) != OK)
        log_error(NULL, "alarm: %s", clock.text);
    secret_free(
        &role->unlock); /* the keys are open now, and so is the journal: from here on it opens nothing */
    const struct sandbox_policy nothing = { 0 };
    TRY(role_confine(role, &nothing, why));
    const struct ipc_server_config config = { .loop = role->loop,
                                              .pool = role->pool,
                                              .verbs = verbs,
                                              .verb_count = sizeof(verbs) / sizeof(*verbs),
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
