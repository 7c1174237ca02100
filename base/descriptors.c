/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_NOFILE. */
#include "base/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

enum err descriptors_reserve(size_t count, const char *what, struct why *why)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return fail(why, ERR_INTERNAL, "cannot read the limit of open files: %s", strerror(errno));
    if (limit.rlim_cur >= count)
        return OK;
    if (limit.rlim_max < count)
        return fail(why, ERR_CONFIG,
                    "%s needs %zu open files, and this process may have %llu: set it lower, or raise the "
                    "hard limit (LimitNOFILE= of the unit, ulimit -Hn)",
                    what, count, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = count;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return fail(why, ERR_CONFIG, "%s needs %zu open files, and the limit cannot be raised: %s", what,
                    count, strerror(errno));
    return OK;
}
