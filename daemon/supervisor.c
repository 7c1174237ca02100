/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one poll: signals and readiness come in, roles are started, restarted and stopped. */
#include "daemon/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "daemon/child.h"
#include "daemon/grant.h"
#include "daemon/notify.h"
#include "daemon/site_check.h"
#include "daemon/spawn.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct supervisor {
    struct config *config;
    struct sockets sockets;
    struct child children[CHILDREN_MAX];
    size_t count;
    int signals;
    bool stopping, announced;
    int exit_status;
};

static struct child *child_named(struct supervisor *s, const char *name)
{
    for (size_t i = 0; name && i < s->count; i++) {
        if (strcmp(s->children[i].role->name, name) == 0)
            return &s->children[i];
    }
    return NULL;
}

static enum err children_make(struct supervisor *s, struct why *why)
{
    const struct config_section *top = config_top(s->config);
    TRY(roles_check(s->config, why));
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        const char *name = config_list_at(top, "roles", i);
        const struct role_row *role = role_row_find(name);
        assert(s->count < CHILDREN_MAX && !child_named(s, name)); /* config_load: each once */
        s->children[s->count] = (struct child){ .role = role, .ready_fd = -1, .broker_fd = -1 };
        TRY(role_ids_of(s->config, role, &s->children[s->count].ids, why));
        s->count++;
        TRY(sockets_open(&s->sockets, s->config, role, why));
    }
    return OK;
}

static void stop_begin(struct supervisor *s, int exit_status)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->exit_status = exit_status;
    notify_stopping();
    log_info(NULL, "stops: what is in flight is finished first");
}

static void start_one(struct supervisor *s, struct child *child, int peer_fd)
{
    struct why why = { 0 };
    int ready[2], broker[2];
    if (pipe2(ready, O_CLOEXEC) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, broker) != 0)
        die("no pipe or socketpair for role %s: %s", child->role->name, strerror(errno));
    const struct spawn spawn = {
        .role = child->role,
        .config_path = config_path(s->config),
        .ids = child->ids,
        .drop = strcmp(config_str(config_top(s->config), "mode"), "system") == 0,
        .sockets = &s->sockets,
        .peer_fd = peer_fd,
        .ready_fd = ready[1],
        .broker_fd = broker[1],
    };
    enum err err = role_spawn(&spawn, &child->pid, &why);
    close(ready[1]);
    close(broker[1]);
    if (err != OK) {
        close(ready[0]);
        close(broker[0]);
        log_error(NULL, "role does not start role=%s: %s", child->role->name, why.text);
        child_died(child, clock_mono_ms());
        if (!child->was_ready)
            stop_begin(s, 1);
        return;
    }
    child_started(child, ready[0], broker[0]);
}

/* A pair starts together, on a socketpair of its own: nothing half-written of a dead peer is left in it. */
static void start_pair(struct supervisor *s, struct child *child, struct child *peer)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        die("no socketpair for role %s: %s", child->role->name, strerror(errno));
    start_one(s, child, ends[0]);
    start_one(s, peer, ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void start_what_is_due(struct supervisor *s, int64_t now)
{
    for (size_t i = 0; i < s->count; i++) {
        struct child *child = &s->children[i], *peer = child_named(s, child->role->peer);
        if (!child_is_due(child, now) || (peer && !child_is_due(peer, now)))
            continue;
        if (peer)
            start_pair(s, child, peer);
        else
            start_one(s, child, -1);
    }
}

/* Roles stop in the order of the table: who asks others stops before whom it asks. */
static void stop_next(struct supervisor *s, int64_t now)
{
    int lowest = 0;
    for (size_t i = 0; i < s->count; i++) {
        int order = s->children[i].role->stop_order;
        if (s->children[i].pid && (lowest == 0 || order < lowest))
            lowest = order;
    }
    int64_t patience = 1000 * config_int(config_top(s->config), "stop_timeout") + 2000;
    for (size_t i = 0; i < s->count; i++) {
        if (s->children[i].pid && s->children[i].role->stop_order == lowest)
            child_stop(&s->children[i], now, patience);
    }
}

static bool all_gone(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->children[i].pid)
            return false;
    }
    return true;
}

static void on_death(struct supervisor *s, struct child *child, int status)
{
    char how[64];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        snprintf(how, sizeof(how), "signal=%d sandbox=forbidden-system-call", SIGSYS);
    else if (WIFSIGNALED(status))
        snprintf(how, sizeof(how), "signal=%d", WTERMSIG(status));
    else
        snprintf(how, sizeof(how), "exit=%d", WEXITSTATUS(status));
    int64_t now = clock_mono_ms();
    bool never_ready = !child->was_ready, wanted = s->stopping || child->term_sent;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        log_error(NULL,
                  "sandbox ended role=%s pid=%d: it made a system call that its sandbox forbids. Take it for "
                  "an attack until the "
                  "kernel's log (audit type=1326, syscall=) shows a harmless one",
                  child->role->name, (int)child->pid);
    child_died(child, now);
    if (wanted) {
        log_info(NULL, "role ended role=%s %s", child->role->name, how);
    } else {
        log_error(NULL, "role died role=%s %s restart_in_ms=%lld", child->role->name, how,
                  (long long)(child->restart_at_ms > now ? child->restart_at_ms - now : 0));
        if (never_ready) {
            log_error(NULL, "role refused to start role=%s: see its line above; everything stops",
                      child->role->name);
            stop_begin(s, 1);
        }
    }
    struct child *peer = child_named(s, child->role->peer);
    if (peer && peer->pid && !s->stopping)
        child_stop(peer, now, 3000); /* its socketpair is dead: it restarts with a new one */
}

static void reap(struct supervisor *s)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        for (size_t i = 0; i < s->count; i++) {
            if (s->children[i].pid == pid)
                on_death(s, &s->children[i], status);
        }
    }
}

static void warn_of_restart(const struct config *running, const struct config *fresh)
{
    AUTO_BUF what = { 0 };
    config_restart_wanted(running, fresh, &what);
    if (what.len)
        log_warn(NULL, "reload does not apply what needs a restart of chanceryd: %s", buf_text(&what));
}

/* The new file is judged before any role is asked to read it; a bad one changes nothing. */
static void reload(struct supervisor *s)
{
    struct why why = { 0 };
    AUTO(config) fresh = NULL;
    if (config_load(config_path(s->config), &fresh, &why) != OK || roles_check(fresh, &why) != OK) {
        log_error(NULL, "reload refused, the old configuration stays: %s", why.text);
        return;
    }
    notify_reloading();
    log_info(NULL, "reloads config=%s", config_path(s->config));
    warn_of_restart(s->config, fresh);
    for (size_t i = 0; i < s->count; i++) {
        /* One that still starts reads the file when it does; it is told again once it serves. */
        if (s->children[i].ready)
            kill(s->children[i].pid, SIGHUP);
        else
            s->children[i].reload_wanted = true;
    }
    notify_ready();
}

static void on_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(s);
        else if (info.ssi_signo == SIGHUP)
            reload(s);
        else
            stop_begin(s, 0);
    }
}

static void announce(struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!s->children[i].ready)
            return;
    }
    if (!s->announced)
        log_info(NULL, "serving roles=%zu pid=%d", s->count, (int)getpid());
    s->announced = true;
    notify_ready();
}

static int wait_ms(const struct supervisor *s, int64_t now)
{
    int64_t until = now + 60000;
    for (size_t i = 0; i < s->count; i++) {
        int64_t wake = child_wakes_at(&s->children[i]);
        /* What is overdue waits for its pair to end, which a signal tells. */
        if (wake > now && wake < until)
            until = wake;
    }
    return until > now ? (int)(until - now) : 0;
}

static void on_ready(struct supervisor *s, struct child *child)
{
    if (!child_read_ready(child))
        return;
    if (child->reload_wanted)
        kill(child->pid, SIGHUP);
    child->reload_wanted = false;
    announce(s);
}

/* signals, then each child's two ends */
#define FDS_MAX (1 + 2 * CHILDREN_MAX)

static void step(struct supervisor *s)
{
    struct pollfd fds[FDS_MAX] = { { .fd = s->signals, .events = POLLIN } };
    for (size_t i = 0; i < s->count; i++) {
        const struct child *child = &s->children[i];
        fds[1 + 2 * i] = (struct pollfd){ .fd = child->ready_fd, .events = POLLIN };
        fds[2 + 2 * i] = (struct pollfd){ .fd = child->broker_fd, .events = POLLIN };
    }
    if (poll(fds, 1 + 2 * s->count, wait_ms(s, clock_mono_ms())) < 0 && errno != EINTR)
        die("poll: %s", strerror(errno));
    for (size_t i = 0; i < s->count; i++) {
        struct child *child = &s->children[i];
        if (fds[1 + 2 * i].revents)
            on_ready(s, child);
        if (fds[2 + 2 * i].revents && !grant_answer(s->config, child->role, child->broker_fd))
            child_hung_up(child); /* it ends; its death tells the rest */
    }
    if (fds[0].revents)
        on_signal(s);
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < s->count; i++)
        child_kill_if_due(&s->children[i], now);
    if (s->stopping)
        stop_next(s, now);
    else
        start_what_is_due(s, now);
}

static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("no signalfd: %s", strerror(errno));
    return fd;
}

int supervisor_run(struct config *config)
{
    struct supervisor s = { .config = config };
    struct why why = { 0 };
    s.signals = signals_open();
    /* The sockets are made: what that took is given up. */
    if (children_make(&s, &why) != OK || sandbox_enter_supervisor(&why) != OK) {
        log_error(NULL, "does not start: %s", why.text);
        s.exit_status = 1;
    } else {
        start_what_is_due(&s, clock_mono_ms());
        while (!s.stopping || !all_gone(&s))
            step(&s);
        log_info(NULL, "stopped");
    }
    sockets_close(&s.sockets);
    close(s.signals);
    return s.exit_status;
}
