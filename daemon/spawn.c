/* SPDX-License-Identifier: Apache-2.0 */
/* fork, drop, exec: what happens in between runs in the child only. */
#include "daemon/spawn.h"

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ARGUMENTS_MAX (2 * SOCKETS_MAX + 14)

struct arguments {
    char *list[ARGUMENTS_MAX];
    size_t count;
};

static void argument(struct arguments *args, char *owned)
{
    if (args->count == ARGUMENTS_MAX - 1)
        die("more than %d arguments for a role", ARGUMENTS_MAX);
    args->list[args->count++] = owned;
}

static void argument_fd(struct arguments *args, const char *option, const char *principal, int fd)
{
    argument(args, xstrdup(option));
    argument(args, principal ? xasprintf("%s=%d", principal, fd) : xasprintf("%d", fd));
}

static const char *const listen_arguments[] = {
    [SOCKET_HTTP] = "--http", [SOCKET_HTTPS] = "--https", [SOCKET_ADMIN] = "--admin", [SOCKET_CRP] = "--crp"
};

static void arguments_build(struct arguments *args, const struct spawn *spawn, const char *executable)
{
    argument(args, xstrdup(executable));
    argument(args, xstrdup("--config"));
    argument(args, xstrdup(spawn->config_path));
    argument_fd(args, "--ready", NULL, spawn->ready_fd);
    argument_fd(args, "--broker", NULL, spawn->broker_fd);
    if (spawn->peer_fd >= 0)
        argument_fd(args, "--peer", spawn->role->peer, spawn->peer_fd);
    for (size_t i = 0; i < spawn->sockets->count; i++) {
        const struct role_socket *socket = &spawn->sockets->list[i];
        if (strcmp(socket->role, spawn->role->name) != 0)
            continue;
        if (socket->kind == SOCKET_UNIX) {
            argument(args, xstrdup("--listen"));
            argument(args,
                     xasprintf("%s=%d,%lld", socket->client, socket->fd, (long long)socket->client_uid));
        } else {
            argument_fd(args, listen_arguments[socket->kind], NULL, socket->fd);
        }
    }
}

static void arguments_free(struct arguments *args)
{
    for (size_t i = 0; i < args->count; i++)
        free(args->list[i]);
}

/* Every descriptor of the supervisor closes on exec; only these are kept. */
static bool keep_open(int fd)
{
    return fd < 0 || fcntl(fd, F_SETFD, 0) == 0;
}

static bool keep_descriptors(const struct spawn *spawn)
{
    bool kept = keep_open(spawn->ready_fd) && keep_open(spawn->broker_fd) && keep_open(spawn->peer_fd);
    for (size_t i = 0; kept && i < spawn->sockets->count; i++) {
        if (strcmp(spawn->sockets->list[i].role, spawn->role->name) == 0)
            kept = keep_open(spawn->sockets->list[i].fd);
    }
    return kept;
}

static bool drop_user(const struct spawn *spawn)
{
    if (!spawn->drop)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(spawn->ids.gid, spawn->ids.gid, spawn->ids.gid) == 0 &&
           setresuid(spawn->ids.uid, spawn->ids.uid, spawn->ids.uid) == 0;
}

_Noreturn static void child(const struct spawn *spawn, char **arguments, pid_t supervisor)
{
    /* Until the role has its own handler a reload is nothing that could end it; "ignore" survives exec. */
    signal(SIGHUP, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    unsetenv("NOTIFY_SOCKET"); /* only the supervisor speaks to the service manager */
    /* After the user changed: that clears the death signal. A supervisor that died in between is noticed. */
    bool ready = drop_user(spawn) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == supervisor &&
                 keep_descriptors(spawn);
    if (ready)
        execv(arguments[0], arguments);
    log_error(NULL, "role cannot start role=%s program=%s: %s", spawn->role->name, arguments[0],
              strerror(errno));
    _exit(127);
}

enum err role_spawn(const struct spawn *spawn, pid_t *ret_pid, struct why *why)
{
    AUTO_STR executable = NULL;
    TRY(role_executable(spawn->role->name, &executable, why));
    struct arguments args = { 0 };
    arguments_build(&args, spawn, executable);
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child(spawn, args.list, self);
    int saved = errno;
    arguments_free(&args);
    if (pid < 0)
        return fail(why, ERR_INTERNAL, "cannot start role %s: %s", spawn->role->name, strerror(saved));
    *ret_pid = pid;
    return OK;
}
