/* SPDX-License-Identifier: Apache-2.0 */
/* chanceryd -c FILE: judges the configuration, takes the site's lock, and supervises. */
#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "daemon/site_check.h"
#include "daemon/supervisor.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int usage(FILE *to, int status)
{
    fputs("usage: chanceryd -c FILE\n"
          "  -c, --config FILE  the configuration, chancery.conf(5)\n"
          "  -t, --test         judge the configuration and exit\n"
          "      --version      print the version and exit\n",
          to);
    return status;
}

/* One supervisor per run directory: two would fight over sockets and stores. The lock goes with the process.
 */
static enum err take_lock(const struct config *config, struct why *why)
{
    const char *run_dir = config_str(config_top(config), "run_dir");
    TRY(dir_make(run_dir, 0755, why));
    AUTO_STR path = xasprintf("%s/chanceryd.lock", run_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return fail(why, ERR_CONFLICT, "another chanceryd serves from %s (it holds %s)", run_dir, path);
    }
    return OK;
}

static enum err check_mode(const struct config *config, struct why *why)
{
    bool system_mode = strcmp(config_str(config_top(config), "mode"), "system") == 0;
    if (system_mode && geteuid() != 0)
        return fail(why, ERR_CONFIG,
                    "mode = \"system\" must be started as root, and this is uid %d; use mode = \"user\" "
                    "to run everything as one user",
                    (int)geteuid());
    if (!system_mode && geteuid() == 0)
        return fail(why, ERR_CONFIG,
                    "mode = \"user\" must not be started as root: every role would be root; start it as "
                    "an ordinary user, or use mode = \"system\"");
    return OK;
}

/* As whoever starts it, for only they see the roles' files as they will be. */
static enum err test(const struct config *config, struct why *why)
{
    struct why inner = { 0 };
    if (check_mode(config, &inner) == OK)
        return site_check(config, why);
    log_warn(NULL, "the roles' files are not looked at: %s", inner.text);
    return roles_check(config, why);
}

static int serve(const char *path, bool test_only)
{
    struct why why = { 0 };
    AUTO(config) config = NULL;
    char absolute[PATH_MAX];
    if (!realpath(path, absolute)) {
        log_error(NULL, "does not start: cannot find %s: %s", path, strerror(errno));
        return 1;
    }
    enum err err = config_load(absolute, &config, &why);
    if (err == OK)
        err = test_only ? test(config, &why) : check_mode(config, &why);
    if (err == OK && test_only)
        return 0;
    if (err == OK)
        err = take_lock(config, &why);
    if (err != OK) {
        log_error(NULL, "does not start: %s", why.text);
        return 1;
    }
    if (strcmp(config_str(config_top(config), "mode"), "user") == 0)
        log_warn(
            NULL,
            "user mode: all roles share one user, so isolation between them is weaker than in system mode");
    if (sandbox_harden(&why) != OK) {
        log_error(NULL, "does not start: %s", why.text);
        return 1;
    }
    return supervisor_run(config);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "test", no_argument, NULL, 't' },
                                             { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'V' },
                                             { 0 } };
    const char *path = NULL;
    bool test_only = false;
    umask(077);
    log_open("chanceryd", LOG_LEVEL_INFO);
    for (int option; (option = getopt_long(argc, argv, "c:th", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 't':
            test_only = true;
            break;
        case 'h':
            return usage(stdout, 0);
        case 'V':
            puts("chanceryd " CHANCERY_VERSION);
            return 0;
        default:
            return usage(stderr, 2);
        }
    }
    if (!path || optind != argc)
        return usage(stderr, 2);
    return serve(path, test_only);
}
