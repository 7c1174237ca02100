/* SPDX-License-Identifier: Apache-2.0 */
/* This host's mailer, run without a shell. */
#include "cli/send.h"

#include "base/fault.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
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

static enum err mailer_wait(const char *program, pid_t pid, bool written, struct why *why)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return fail(why, ERR_IO, "cannot wait for %s: %s", program, strerror(errno));
    }
    if (WIFSIGNALED(status))
        return fail(why, ERR_UNAVAILABLE, "%s ended by signal %d", program, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return fail(why, ERR_UNAVAILABLE, "%s ended with status %d", program, WEXITSTATUS(status));
    return written ? OK : fail(why, ERR_UNAVAILABLE, "%s did not take the whole message", program);
}

enum err send_sendmail(const char *program, const struct mail *mail, struct why *why)
{
    int ends[2];
    pid_t pid;
    signal(SIGPIPE, SIG_IGN); /* a mailer that ends early is told by its status */
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(why, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    enum err err = mailer_start(program, mail, ends, &pid, why);
    close(ends[0]);
    bool written = err == OK && write_all(ends[1], mail->text);
    close(ends[1]);
    return err == OK ? mailer_wait(program, pid, written, why) : err;
}
