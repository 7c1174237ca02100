/* SPDX-License-Identifier: Apache-2.0 */
/* no-landlock COMMAND…: runs it as on a kernel that has no Landlock. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

#define LANDLOCK_CREATE_RULESET 444

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (argc < 2 || !filter ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), LANDLOCK_CREATE_RULESET, 0) != 0 ||
        seccomp_load(filter) != 0) {
        fputs("usage: no-landlock COMMAND…\n", stderr);
        return 2;
    }
    seccomp_release(filter);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
