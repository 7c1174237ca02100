/* SPDX-License-Identifier: Apache-2.0 */
/* Linux: what a role gives up before it serves. */
#include "base/sandbox.h"

#include "base/fault.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum err sandbox_harden(struct why *why)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return fail(why, ERR_INTERNAL, "cannot forbid core files: %s", strerror(errno));
    if (!FAULT(dumpable) && prctl(PR_SET_DUMPABLE, 0) != 0)
        return fail(why, ERR_INTERNAL, "cannot become undumpable: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(why, ERR_INTERNAL, "cannot renounce new privileges: %s", strerror(errno));
    return OK;
}
