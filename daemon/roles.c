/* SPDX-License-Identifier: Apache-2.0 */
/* The role table. A new role is a row here and an executable beside the others. */
#include "daemon/roles.h"

#include "base/auto.h"
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

static const struct role_row rows[] = {
    { .name = "signer", .user = "chancery-signer", .peer = "ca", .stop_order = 3 },
    { .name = "ca",
      .user = "chancery-ca",
      .clients = { "scep", "va", "mdm", "cli" },
      .peer = "signer",
      .stop_order = 2 },
    { .name = "scep", .user = "chancery-scep", .clients = { "cli" }, .asks = "ca", .stop_order = 1 },
    { .name = "va", .user = "chancery-va", .clients = { "cli" }, .asks = "ca", .stop_order = 1 },
    { .name = "mdm", .user = "chancery-mdm", .clients = { "cli" }, .asks = "ca", .stop_order = 1 },
};

const struct role_row *role_row_at(size_t index)
{
    return index < sizeof(rows) / sizeof(*rows) ? &rows[index] : NULL;
}

const struct role_row *role_row_find(const char *name)
{
    for (size_t i = 0; role_row_at(i); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

enum err role_executable(const char *name, char **ret_path, struct why *why)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0)
        return fail(why, ERR_IO, "cannot tell where this program is: %s", strerror(errno));
    self[len] = '\0';
    const char *folder = dirname(self);
    AUTO_STR installed = xasprintf("%s/../libexec/chancery/chancery-%s", folder, name);
    AUTO_STR built = xasprintf("%s/../%s/chancery-%s", folder, name, name);
    if (access(installed, X_OK) == 0)
        *ret_path = TAKE(installed);
    else if (access(built, X_OK) == 0)
        *ret_path = TAKE(built);
    else
        return fail(why, ERR_NOT_FOUND, "no executable for role %s: neither %s nor %s", name, installed,
                    built);
    return OK;
}
