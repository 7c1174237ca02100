/* SPDX-License-Identifier: Apache-2.0 */
/* The program chancery-signer as the supervisor starts it, in a site of its own. */
#pragma once
#include "tests/unit/signer/helper.h"

#include "ipc/channel.h"
#include "signer/journal.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct running {
    struct site site;
    pid_t pid;
    int fd, ready;
    int64_t sealed_at;                                       /* when the journal's one entry was made; 0: it has none */
    char *more[9];                                           /* arguments beside the usual ones */
};

static inline void put_unlock(const struct site *site)
{
    struct why why;
    AUTO_STR dir = xasprintf("%s/etc/secrets/signer", site->dir);
    AUTO_STR path = xasprintf("%s/unlock", dir);
    ASSERT_OK(dir_make(dir, 0700, &why), &why);
    ASSERT_OK(file_write(path, BYTES_LIT(UNLOCK "\n"), 0400, &why), &why);
}

/* What init leaves: without it the role refuses to start. */
static inline void put_journal(const struct site *site, int64_t sealed_at)
{
    struct why why;
    struct journal *journal = NULL;
    uint64_t offset;
    AUTO_STR path = xasprintf("%s/lib/signer/journal", site->dir);
    ASSERT_OK(journal_open(path, NULL, NULL, &journal, &why), &why);
    const struct journal_entry entry = { sealed_at, BYTES_LIT("issuing"), SEAL_CERTIFICATE,
                                         BYTES_LIT("0123456789abcdef0123"), BYTES_LIT("\x30\x00") };
    if (sealed_at)
        ASSERT_OK(journal_append(journal, &entry, &offset, &why), &why);
    journal_free(journal);
}

static inline pid_t start(char *const *arguments)
{
    const char *program = getenv("CHANCERY_SIGNER"); /* set by meson */
    assert_non_null(program);
    pid_t pid = fork();
    if (pid == 0) {
        execv(program, arguments);
        _exit(127);
    }
    return pid;
}

/* Really the site's clock is the system's: the program has no other. */
static inline void running_start(struct running *running)
{
    int pair[2], ready[2];
    char peer[32], ready_fd[16], byte;
    site_make(&running->site);
    running->site.clock = clock_system;
    running->site.clock.held = time(NULL);
    put_unlock(&running->site);
    put_journal(&running->site, running->sealed_at);
    AUTO_STR config = xasprintf("%s/chancery.conf", running->site.dir);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(ready), 0);
    snprintf(peer, sizeof(peer), "ca=%d", pair[0]);
    snprintf(ready_fd, sizeof(ready_fd), "%d", ready[1]);
    assert_int_equal(fcntl(pair[1], F_SETFD, FD_CLOEXEC), 0);
    char *arguments[sizeof(running->more) / sizeof(*running->more) + 7] = {
        "chancery-signer", "--config", config, "--ready", ready_fd, "--peer", peer,
    };
    memcpy(arguments + 7, running->more, sizeof(running->more));
    running->pid = start(arguments);
    close(pair[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(read(ready[0], &byte, 1), 0); /* said once, then closed */
    close(ready[0]);
    running->fd = pair[1];
}

static inline int running_end(struct running *running)
{
    int status = 0;
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    site_close(&running->site);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline struct channel *channel_over(int fd)
{
    struct why why;
    struct channel *channel = NULL;
    const struct channel_config config = { .fd = fd, .principal = "ca", .max_frame = LIMIT_CRL_FRAME_BYTES };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    return channel;
}

