/* SPDX-License-Identifier: Apache-2.0 */
/* libpq reads its own conninfo and environment; what it found is only sorted here. */
#include "store/reach.h"

#include "base/auto.h"
#include <libpq-fe.h>
#include <stdlib.h>

static void file_add(struct store_reach *reach, char *owned)
{
    if (reach->file_count < sizeof(reach->files) / sizeof(*reach->files))
        reach->files[reach->file_count++] = owned;
    else
        free(owned);
}

/* "5432", or one for each host: "5432,5433"; empty is the default. */
static enum err ports_add(struct store_reach *reach, const char *text, struct why *why)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        long port = len ? strtol(at, NULL, 10) : 5432;
        if (port < 1 || port > 65535 || reach->port_count == STORE_REACH_MAX)
            return fail(why, ERR_CONFIG, "store: port \"%.40s\"; allowed are 1 to %d numbers from 1 to 65535",
                        text, STORE_REACH_MAX);
        reach->ports[reach->port_count++] = (uint16_t)port;
        at += len;
        if (!*at)
            return OK;
    }
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && *options->val ? options->val : NULL;
    }
    return NULL;
}

static enum err sort(const PQconninfoOption *said, const PQconninfoOption *otherwise, struct store_reach *ret,
                     struct why *why)
{
    static const char *const files[] = {
        "passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"
    };
    const char *port = value_of(said, "port");
    TRY(ports_add(ret, port ? port : value_of(otherwise, "port") ? value_of(otherwise, "port") : "", why));
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const char *file = value_of(said, files[i]);
        file = file ? file : value_of(otherwise, files[i]);
        if (file)
            file_add(ret, xstrdup(file));
    }
    const char *home = getenv("HOME");
    if (home) {
        file_add(ret, xasprintf("%s/.postgresql", home));
        file_add(ret, xasprintf("%s/.pgpass", home));
    }
    return OK;
}

enum err store_reach_of(const char *conninfo, struct store_reach *ret, struct why *why)
{
    char *text = NULL;
    struct store_reach reach = { 0 };
    PQconninfoOption *said = PQconninfoParse(conninfo, &text), *otherwise = PQconndefaults();
    /* libpq's text may quote the conninfo, and with it a password. */
    enum err err =
        said ? sort(said, otherwise, &reach, why) : fail(why, ERR_CONFIG, "store is no PostgreSQL conninfo");
    PQconninfoFree(said);
    PQconninfoFree(otherwise);
    PQfreemem(text);
    if (err != OK)
        store_reach_free(&reach);
    else
        *ret = reach;
    return err;
}

void store_reach_free(struct store_reach *reach)
{
    for (size_t i = 0; i < reach->file_count; i++)
        free(reach->files[i]);
    *reach = (struct store_reach){ 0 };
}

void store_reach_allow(const struct store_reach *reach, struct sandbox_policy *policy)
{
    sandbox_add_resolver(policy);
    for (size_t i = 0; i < reach->file_count; i++)
        sandbox_add_optional(policy, reach->files[i], SANDBOX_READ);
    for (size_t i = 0; i < reach->port_count; i++)
        sandbox_add_port(policy, reach->ports[i]);
}
