/* SPDX-License-Identifier: Apache-2.0 */
/* Opening for a role what it asks for. */
#include "daemon/grant.h"

#include "base/auto.h"
#include "config/config.h"
#include "net/broker.h"
#include "net/listener.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err config_open(const struct config *config, int *ret_fd, struct why *why)
{
    *ret_fd = open(config_path(config), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return *ret_fd >= 0 ? OK : fail(why, ERR_IO, "cannot open %s: %s", config_path(config), strerror(errno));
}

/* Never waits: a role whose backlog is full is "busy", and the asking role asks again. */
static enum err server_connect(const struct config *config, const struct role_row *role, int *ret_fd,
                               struct why *why)
{
    if (!role->asks)
        return fail(why, ERR_NOT_AUTHORISED, "role %s asks no other role", role->name);
    AUTO_STR path = config_socket_path(config, role->asks, role->name);
    return connect_unix_now(path, ret_fd, why);
}

bool grant_answer(const struct config *config, const struct role_row *role, int broker_fd)
{
    struct broker_question question;
    struct why why = { 0 };
    bool ended;
    int fd = -1;
    if (!broker_read(broker_fd, &question, &ended))
        return !ended;
    enum err err = ERR_NOT_AUTHORISED;
    if (question.want == BROKER_CONFIG)
        err = config_open(config, &fd, &why);
    else if (question.want == BROKER_SERVER)
        err = server_connect(config, role, &fd, &why);
    else
        (void)fail(&why, err, "role %s asks for what there is not", role->name);
    broker_answer(broker_fd, &question, err == OK ? fd : -1, &why);
    if (fd >= 0)
        close(fd);
    return true;
}
