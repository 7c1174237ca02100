/* SPDX-License-Identifier: Apache-2.0 */
/* Passphrases and challenges are read here, and come from nowhere else: never from arguments or the
 * environment. */
#include "cli/passphrase.h"

#include "base/limits.h"
#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define PASSPHRASE_MAX                                                                                       \
    (LIMIT_CHALLENGE_BYTES + 1) /* a static challenge may be as long as a device may send */

static enum err read_line(int fd, struct secret *ret, struct why *why)
{
    struct secret line = secret_new(PASSPHRASE_MAX);
    size_t len = 0;
    for (;;) {
        ssize_t got = read(fd, line.data + len, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line.data[len] == '\n')
            break;
        if (++len == PASSPHRASE_MAX) {
            secret_free(&line);
            return fail(why, ERR_LIMIT, "longer than %d bytes", PASSPHRASE_MAX - 1);
        }
    }
    *ret = secret_dup(bytes_of(line.data, len));
    secret_free(&line);
    return OK;
}

static enum err ask(const char *prompt, struct secret *ret, struct why *why)
{
    struct termios before, silent;
    bool quiet = tcgetattr(STDIN_FILENO, &before) == 0;
    if (quiet) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    fprintf(stderr, "%s: ", prompt);
    enum err err = read_line(STDIN_FILENO, ret, why);
    if (quiet)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return err;
}

static enum err ask_twice(const char *prompt, struct secret *ret, struct why *why)
{
    struct secret first = { 0 }, second = { 0 };
    AUTO_STR again = xasprintf("%s, again", prompt);
    TRY(ask(prompt, &first, why));
    enum err err = ask(again, &second, why);
    if (err == OK && !secret_equal(secret_bytes(&first), secret_bytes(&second)))
        err = fail(why, ERR_USAGE, "the two entries differ");
    secret_free(&second);
    if (err != OK) {
        secret_free(&first);
        return err;
    }
    *ret = first;
    return OK;
}

typedef enum err (*asking)(const char *prompt, struct secret *ret, struct why *why);

static enum err read_from(const char *path, const char *prompt, asking on_terminal, struct secret *ret,
                          struct why *why)
{
    struct secret secret = { 0 };
    if (path)
        TRY(secret_read_file(path, PASSPHRASE_MAX, &secret, why));
    else if (isatty(STDIN_FILENO))
        TRY(on_terminal(prompt, &secret, why));
    else
        TRY(read_line(STDIN_FILENO, &secret, why));
    if (secret.len == 0) {
        secret_free(&secret);
        return fail(why, ERR_USAGE, "%s is empty%s%s", prompt, path ? ": " : "", path ? path : "");
    }
    *ret = secret;
    return OK;
}

enum err passphrase_read(const char *path, const char *prompt, struct secret *ret, struct why *why)
{
    return read_from(path, prompt, ask_twice, ret, why);
}

enum err passphrase_read_known(const char *path, const char *prompt, struct secret *ret, struct why *why)
{
    return read_from(path, prompt, ask, ret, why);
}
