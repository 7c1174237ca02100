/* SPDX-License-Identifier: Apache-2.0 */
/* This host's mailer, run without a shell. */
#include "cli/send.h"

#include "base/clock.h"
#include "base/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS_BYTES_MAX 254 /* RFC 5321 4.5.3.1.3 */

enum err mail_address_check(const char *address, struct why *why)
{
    size_t len = strlen(address);
    if (len == 0 || len > ADDRESS_BYTES_MAX || *address == '-')
        return fail(why, ERR_USAGE, "\"%.60s\" is no mail address: 1 to %d characters, the first no '-'",
                    address, ADDRESS_BYTES_MAX);
    for (const char *at = address; *at; at++) {
        if (!FAULT(mail_address) && (*at <= ' ' || *at > '~' || strchr("\"\\,;:()<>[]", *at)))
            return fail(why, ERR_USAGE,
                        "\"%.60s\" is no mail address: blanks, quotes, commas, brackets and control "
                        "characters are not taken",
                        address);
    }
    return OK;
}

static enum err mailer_start(const char *program, const struct mail *mail, const int ends[2], pid_t *ret,
                             struct why *why)
{
    const char *const arguments[] = { program, "-i", "-f", mail->from, "--", mail->to, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE); /* ignored here, not there */
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(ret, program, &actions, &attributes, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error == 0 ? OK : fail(why, ERR_UNAVAILABLE, "cannot run %s: %s", program, strerror(error));
}

/* --- until when --- */

static int64_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_mono_ms();
    return FAULT(mailer_timeout) ? INT_MAX : left > 0 ? left : 0;
}

/* What does not go into the pipe is waited for, until then. */
static bool write_until(int fd, struct bytes text, int64_t until_ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return false;
    while (text.len) {
        ssize_t wrote = write(fd, text.data, text.len);
        bool later = wrote < 0 && (errno == EAGAIN || errno == EINTR);
        if (wrote >= 0)
            text = bytes_of(text.data + wrote, text.len - (size_t)wrote);
        else if (!later || poll(&ready, 1, (int)left_ms(until_ms)) == 0)
            return false;
    }
    return true;
}

/* 0 when it still runs then. */
static pid_t wait_until(pid_t pid, int64_t until_ms, int *ret_status)
{
    const struct timespec moment = { .tv_nsec = 20 * 1000 * 1000 };
    for (;;) {
        pid_t ended = waitpid(pid, ret_status, WNOHANG);
        if (ended > 0 || (ended < 0 && errno != EINTR) || left_ms(until_ms) == 0)
            return ended;
        nanosleep(&moment, NULL);
    }
}

static enum err mailer_kill(const struct mailer *mailer, pid_t pid, struct why *why)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    return fail(why, ERR_UNAVAILABLE, "%s did not end within %d ms and was killed", mailer->program,
                mailer->timeout_ms);
}

struct running {
    pid_t pid;
    int64_t until_ms;
    bool written; /* the whole message */
};

static enum err mailer_wait(const struct mailer *mailer, const struct running *running, struct why *why)
{
    const char *program = mailer->program;
    int status = 0;
    pid_t ended = wait_until(running->pid, running->until_ms, &status);
    if (ended < 0)
        return fail(why, ERR_IO, "cannot wait for %s: %s", program, strerror(errno));
    if (ended == 0)
        return mailer_kill(mailer, running->pid, why);
    if (WIFSIGNALED(status))
        return fail(why, ERR_UNAVAILABLE, "%s ended by signal %d", program, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return fail(why, ERR_UNAVAILABLE, "%s ended with status %d", program, WEXITSTATUS(status));
    return running->written ? OK : fail(why, ERR_UNAVAILABLE, "%s did not take the whole message", program);
}

enum err send_sendmail(const struct mailer *given, const struct mail *mail, struct why *why)
{
    const struct mailer mailer = { given->program,
                                   given->timeout_ms ? given->timeout_ms : MAILER_TIMEOUT_MS };
    struct running running = { .until_ms = clock_mono_ms() + mailer.timeout_ms };
    int ends[2];
    signal(SIGPIPE, SIG_IGN); /* a mailer that ends early is told by its status */
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(why, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    enum err err = mailer_start(mailer.program, mail, ends, &running.pid, why);
    close(ends[0]);
    running.written = err == OK && write_until(ends[1], mail->text, running.until_ms);
    close(ends[1]);
    return err == OK ? mailer_wait(&mailer, &running, why) : err;
}
