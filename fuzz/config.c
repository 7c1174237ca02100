/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: any text, through our scanner, libconfuse, the option table and the rules between options. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "config/config.h"
#include "config/options.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each value that a row promises is within the row's bounds. */
static void read_value(const struct config_section *section, const struct option_row *row)
{
    int64_t number = row->type == OPTION_INT ? config_int(section, row->name) : row->min;
    PROMISE(number >= row->min && number <= row->max);
    if (row->type == OPTION_BOOL)
        (void)config_bool(section, row->name);
    for (size_t i = 0; row->type == OPTION_LIST && i < config_list_count(section, row->name); i++)
        PROMISE(config_list_at(section, row->name, i) != NULL);
    if (row->type == OPTION_ENUM)
        PROMISE(words_contain(row->words, config_str(section, row->name)));
    if (row->type == OPTION_STR)
        PROMISE(strlen(config_str(section, row->name)) <= (size_t)row->max);
    PROMISE(config_is_set(section, row->name) == (config_line(section, row->name) > 0));
}

static void read_all(const struct config *config)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        if (!row->section[0])
            read_value(config_top(config), row);
        for (size_t nth = 0; row->section[0] && nth < config_count(config, row->section); nth++)
            read_value(config_at(config, row->section, nth), row);
    }
}

static void load(const char *path)
{
    static const char *const roles[] = { "signer", "ca", "scep" };
    struct why why;
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
        AUTO(config) config = NULL;
        AUTO_BUF whole = { 0 }, slice = { 0 };
        if (config_load(path, &config, &why) != OK) {
            PROMISE(why.text[0]);
            return;
        }
        if (i == 0)
            read_all(config);
        config_show(config, &whole);
        config_keep(config, roles[i]);
        config_show(config, &slice);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char path[64];
    log_level_set(LOG_LEVEL_ERROR);
    int fd = memfd_create("config", MFD_CLOEXEC);
    PROMISE(fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, bytes_of(data, len)));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    load(path);
    close(fd);
    return 0;
}
