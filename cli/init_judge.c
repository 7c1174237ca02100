/* SPDX-License-Identifier: Apache-2.0 */
/* What a site would be, judged before there is a file of it: a key that was made cannot be made again. */
#include "cli/init.h"

#include "base/fault.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_PATH "the configuration that these options make"

static enum err text_in_memory(struct bytes text, int *ret_fd, struct why *why)
{
    int fd = memfd_create("chancery.conf", MFD_CLOEXEC);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot keep the configuration in memory: %s", strerror(errno));
    if (fchmod(fd, 0644) != 0 || write(fd, text.data, text.len) != (ssize_t)text.len ||
        lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return fail(why, ERR_IO, "cannot keep the configuration in memory: %s", strerror(errno));
    }
    *ret_fd = fd;
    return OK;
}

static enum err config_judge(const struct init_site *site, struct why *why)
{
    AUTO_BUF text = { 0 };
    struct config *config = NULL;
    int fd = -1;
    init_config_text(site, &text);
    TRY(text_in_memory(buf_bytes(&text), &fd, why));
    enum err err = config_load_open(fd, SHOWN_PATH, &config, why);
    close(fd);
    config_free(config);
    return err;
}

static enum err name_judge(const struct init_site *site, struct why *why)
{
    AUTO_BUF names = { 0 };
    struct why inner = { 0 };
    if (init_names(site->options, &names, &inner) == OK)
        return OK;
    return fail(why, ERR_USAGE, "--external-name \"%.80s\" cannot be in a certificate: %s",
                site->options->external_name, inner.text);
}

enum err init_judge(const struct init_site *site, struct why *why)
{
    AUTO_BUF subject = { 0 };
    struct why inner = { 0 };
    if (FAULT(init_judge))
        return OK;
    TRY(name_judge(site, why));
    if (init_subject(site->options, "Issuing CA", &subject, &inner) != OK)
        return fail(why, ERR_USAGE, "--organisation \"%.80s\" cannot be in a certificate: %s",
                    site->options->organisation, inner.text);
    if (config_judge(site, &inner) != OK)
        return fail(why, inner.err == ERR_CONFIG ? ERR_USAGE : inner.err, "%s", inner.text);
    return OK;
}
