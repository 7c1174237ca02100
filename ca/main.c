/* SPDX-License-Identifier: Apache-2.0 */
/* The role `ca`: policy, store and challenges; parses only what peer roles send it, signs nothing itself. */
#include "ca/role.h"

#include "base/log.h"
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct role role = { 0 };
    struct why why = { 0 };
    enum err err = role_begin(argc, argv, "ca", &role, &why);
    if (err != OK) {
        log_error(NULL, "ca can't start: %s", why.text);
        role_end(&role);
        return err == ERR_USAGE ? 2 : EXIT_FAILURE;
    }
    AUTO(ca_role) serving = NULL;
    err = ca_role_new(&role, &serving, &why);
    if (err != OK)
        log_error(NULL, "ca can't start: %s", why.text);
    int status = err == OK ? ca_role_serve(serving) : EXIT_FAILURE;
    ca_role_free(TAKE(serving));
    role_end(&role);
    return status;
}
