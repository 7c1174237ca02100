/* SPDX-License-Identifier: Apache-2.0 */
/* chancery-scep: the SCEP service that devices reach (NDES). Holds the RA keys; parses strangers' bytes. */
#include "base/log.h"
#include "ipc/role.h"
#include "scep/service.h"

int main(int argc, char **argv)
{
    struct why why = { 0 };
    struct role role = { 0 };
    enum err err = role_begin(argc, argv, "scep", &role, &why);
    struct service *service = NULL;
    if (err == OK)
        err = service_new(&role, &service, &why);
    int status = err_row(err)->exit_status;
    if (err == OK) {
        const struct role_hooks hooks = { .reload = service_reload, .stop = service_stop, .arg = service };
        status = role_serve(&role, &hooks);
    } else {
        log_error(NULL, "cannot start: %s error=%s", why.text, err_row(err)->name);
    }
    /* The workers end before what they use. */
    pool_free(TAKE(role.pool));
    service_free(service);
    role_end(&role);
    return status;
}
