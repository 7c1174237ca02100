/* SPDX-License-Identifier: Apache-2.0 */
/* chancery-va: the validation authority. Holds OCSP keys; parses strangers' bytes; keeps nothing but a cache. */
#include "base/log.h"
#include "ipc/role.h"
#include "va/service.h"

int main(int argc, char **argv)
{
    struct why why = { 0 };
    struct role role = { 0 };
    enum err err = role_begin(argc, argv, "va", &role, &why);
    struct service *service = NULL;
    if (err == OK)
        err = service_new(&role, &service, &why);
    int status = err_row(err)->exit_status;
    if (err == OK) {
        const struct role_hooks hooks = { .reload = service_reload, .stop = service_stop, .arg = service };
        service_rounds_begin(service);
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
