/* SPDX-License-Identifier: Apache-2.0 */
/* chancery-mdm: the management service. Holds the directory; parses what devices and administrators send; its keys open no network. */
#include "base/log.h"
#include "ipc/role.h"
#include "mdm/ldap/session.h"
#include "mdm/service.h"

int main(int argc, char **argv)
{
    struct why why = { 0 };
    struct role role = { 0 };
    struct service *service = NULL;
    session_library_prepare();
    enum err err = role_begin(argc, argv, "mdm", &role, &why);
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
