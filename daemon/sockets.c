/* SPDX-License-Identifier: Apache-2.0 */
/* Making the listening sockets, and the folders that only the two ends may enter. */
#include "daemon/sockets.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "config/options.h"
#include "net/listener.h"
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREDECESSOR_WAIT_MS 1000 /* a killed process lets go of its sockets within milliseconds */

static bool is_system(const struct config *config)
{
    return strcmp(config_str(config_top(config), "mode"), "system") == 0;
}

enum err role_ids_of(const struct config *config, const struct role_row *role, struct role_ids *ret,
                     struct why *why)
{
    if (!is_system(config)) {
        *ret = (struct role_ids){ geteuid(), getegid() };
        return OK;
    }
    const struct passwd *user = getpwnam(role->user);
    if (!user)
        return fail(why, ERR_CONFIG,
                    "system mode needs the user %s for role %s, and it does not exist (systemd-sysusers "
                    "makes it from "
                    "packaging/chancery.sysusers)",
                    role->user, role->name);
    *ret = (struct role_ids){ user->pw_uid, user->pw_gid };
    return OK;
}

static enum err add(struct sockets *sockets, struct role_socket socket, struct why *why)
{
    if (sockets->count == SOCKETS_MAX) {
        close(socket.fd);
        return fail(why, ERR_LIMIT, "more than %d listening sockets", SOCKETS_MAX);
    }
    sockets->list[sockets->count++] = socket;
    return OK;
}

/* The site's lock is ours, so whoever still listens may be a role of a supervisor that was killed: it ends with it, but not
   in the same instant. Anybody else stays, and is refused after the wait. */
static enum err listen_when_free(enum err (*listen)(const char *, int *, struct why *), const char *at,
                                 int *ret_fd, struct why *why)
{
    int64_t until = clock_mono_ms() + PREDECESSOR_WAIT_MS;
    enum err err;
    while ((err = listen(at, ret_fd, why)) == ERR_CONFLICT && clock_mono_ms() < until)
        usleep(10 * 1000);
    return err;
}

static enum err open_unix(struct sockets *sockets, const struct config *config, const struct role_row *role,
                          const char *client, struct why *why)
{
    /* Nobody else connects: for a role the supervisor does (daemon/grant.h), and administrators are root, or ourselves. */
    const struct role_ids peer = { geteuid(), getegid() };
    struct role_ids server;
    TRY(role_ids_of(config, role, &server, why));
    AUTO_STR path = config_socket_path(config, role->name, client);
    AUTO_STR copy = xstrdup(path);
    const char *folder = dirname(copy);
    TRY(dir_make(folder, 0710, why));
    int fd;
    TRY(listen_when_free(listen_unix, path, &fd, why));
    /* The folder keeps everybody else out: owner is the server, group ours. The socket's own mode lets both. */
    bool owned = !is_system(config) ||
                 (chown(folder, server.uid, peer.gid) == 0 && chown(path, server.uid, peer.gid) == 0);
    if (!owned || chmod(folder, 0710) != 0 || chmod(path, 0660) != 0) {
        int saved = errno;
        close(fd);
        return fail(why, ERR_IO, "cannot give %s to its two ends: %s", path, strerror(saved));
    }
    return add(sockets, (struct role_socket){ SOCKET_UNIX, role->name, client, fd, (int64_t)peer.uid }, why);
}

static const char *const listen_options[] = { [SOCKET_HTTP] = "http_listen",
                                              [SOCKET_HTTPS] = "https_listen",
                                              [SOCKET_ADMIN] = "admin_listen",
                                              [SOCKET_CRP] = "crp_listen" };
static const char *const kind_names[] = {
    [SOCKET_HTTP] = "http", [SOCKET_HTTPS] = "https", [SOCKET_ADMIN] = "admin", [SOCKET_CRP] = "crp"
};

static enum err open_tcp(struct sockets *sockets, const struct config *config, const struct role_row *role,
                         enum socket_kind kind, struct why *why)
{
    const char *option = listen_options[kind];
    if (!option_find(role->name, option))
        return OK;
    const struct config_section *section = config_at(config, role->name, 0);
    for (size_t i = 0; i < config_list_count(section, option); i++) {
        const char *address = config_list_at(section, option, i);
        int fd, port;
        TRY(listen_when_free(listen_tcp, address, &fd, why));
        TRY(add(sockets, (struct role_socket){ kind, role->name, NULL, fd, -1 }, why));
        TRY(socket_port(fd, &port, why));
        log_info(NULL, "%s listens role=%s address=%s port=%d", kind_names[kind], role->name, address, port);
    }
    return OK;
}

enum err sockets_open(struct sockets *sockets, const struct config *config, const struct role_row *role,
                      struct why *why)
{
    for (size_t i = 0; i < ROLE_CLIENTS_MAX && role->clients[i]; i++)
        TRY(open_unix(sockets, config, role, role->clients[i], why));
    TRY(open_tcp(sockets, config, role, SOCKET_HTTP, why));
    TRY(open_tcp(sockets, config, role, SOCKET_HTTPS, why));
    TRY(open_tcp(sockets, config, role, SOCKET_ADMIN, why));
    return open_tcp(sockets, config, role, SOCKET_CRP, why);
}

void sockets_close(struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->list[i].fd);
    sockets->count = 0;
}
