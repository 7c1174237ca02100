/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as texts, for the tests of config/. */
#pragma once
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/file.h"
#include "config/config.h"
#include "config/options.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER "mode = user\n" /* so that the tests need not be root */
#define CA   USER "ca \"issuing\" {}\n"

/* Each message begins with the file's name, which differs each time: FILE stands for it in what is expected.
 */
struct loaded {
    enum err err;
    struct why why;
    struct config *config;
    char path[64];
};

static inline struct loaded load_mode(const char *text, size_t len, mode_t mode)
{
    struct loaded loaded = { .path = "/tmp/chancery-config-XXXXXX" };
    int fd = mkstemp(loaded.path);
    assert_true(fd >= 0 && write_all(fd, bytes_of(text, len)) && fchmod(fd, mode) == 0);
    close(fd);
    loaded.err = config_load(loaded.path, &loaded.config, &loaded.why);
    unlink(loaded.path);
    return loaded;
}

static inline struct config *load(const char *text)
{
    struct loaded loaded = load_mode(text, strlen(text), 0600);
    if (loaded.err != OK)
        fail_msg("%s", loaded.why.text);
    return loaded.config;
}

/* The whole message, with FILE for the path. */
static inline void refused(const char *text, const char *message)
{
    struct loaded loaded = load_mode(text, strlen(text), 0600);
    if (loaded.err == OK)
        fail_msg("loaded, but should say: %s", message);
    assert_int_equal(loaded.err, ERR_CONFIG);
    AUTO_BUF masked = { 0 };
    const char *rest = loaded.why.text;
    for (const char *at = strstr(rest, loaded.path); at; at = strstr(rest, loaded.path)) {
        buf_append(&masked, bytes_of(rest, (size_t)(at - rest)));
        buf_append_str(&masked, "FILE");
        rest = at + strlen(loaded.path);
    }
    buf_append_str(&masked, rest);
    assert_string_equal(buf_text(&masked), message);
}
