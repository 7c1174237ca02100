/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/partition.h"

#include "base/fault.h"

#define COUNT_SETTING "crl_partitions"
#define URLS_SETTING  "crl_partition_urls" /* one in each line */

struct fixing {
    struct store_tx *tx;
    const struct issuer *issuer;
    int64_t now;
    bool has_issued;
    int64_t count; /* as kept */
    char *urls;    /* as kept; "" where there are none */
};

static enum err setting_get(const struct fixing *fixing, const char *name, const char *absent, char **ret,
                            struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(fixing->tx, "SELECT value FROM ca_setting WHERE issuer_id = $1 AND name = $2",
                    S_ARGS(S_TEXT(fixing->issuer->name), S_TEXT(name)), &rows, why));
    *ret = xstrdup(store_rows_count(rows) ? store_str(rows, 0, 0) : absent);
    return OK;
}

static enum err setting_put(const struct fixing *fixing, const char *name, const char *value, struct why *why)
{
    return store_exec(fixing->tx,
                      "INSERT INTO ca_setting (issuer_id, name, value, changed_at) VALUES ($1, $2, $3, $4) "
                      "ON CONFLICT (issuer_id, name) DO UPDATE SET value = $3, changed_at = $4",
                      S_ARGS(S_TEXT(fixing->issuer->name), S_TEXT(name), S_TEXT(value), S_INT(fixing->now)),
                      NULL, why);
}

static enum err kept_read(struct fixing *fixing, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    AUTO_STR count = NULL;
    TRY(store_query(fixing->tx, "SELECT serial FROM certificate WHERE issuer_id = $1 LIMIT 1",
                    S_ARGS(S_TEXT(fixing->issuer->name)), &rows, why));
    fixing->has_issued = store_rows_count(rows) > 0;
    TRY(setting_get(fixing, COUNT_SETTING, "1", &count, why));
    fixing->count = strtoll(count, NULL, 10);
    return setting_get(fixing, URLS_SETTING, "", &fixing->urls, why);
}

static enum err count_fix(const struct fixing *fixing, struct why *why)
{
    int64_t count = fixing->issuer->partitions.count;
    if (count == fixing->count || FAULT(partition_count))
        return OK;
    if (fixing->has_issued)
        return fail(why, ERR_CONFIG,
                    "ca %s: crl_partitions is %lld, and the certificates in its store name CRLs of %lld; "
                    "allowed is %lld for good (RFC 5280 4.2.1.13)",
                    fixing->issuer->name, (long long)count, (long long)fixing->count,
                    (long long)fixing->count);
    AUTO_STR value = xasprintf("%lld", (long long)count);
    return setting_put(fixing, COUNT_SETTING, value, why);
}

/* Is the URL a line of the list? */
static bool has_line(const char *list, const char *url)
{
    size_t len = strlen(url);
    for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, url, len) == 0 && (at[len] == '\n' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* A CRL counts for a certificate only if they have a URL in common (RFC 5280 6.3.3 (b)(2)(i)). Those that have been configured
   ever since are in every certificate: one of them has to stay. */
static enum err urls_fix(const struct fixing *fixing, struct why *why)
{
    const struct issuer *issuer = fixing->issuer;
    AUTO_BUF common = { 0 };
    for (size_t i = 0; i < issuer->cdp_count; i++) {
        if (!fixing->has_issued || has_line(fixing->urls, issuer->cdp[i]))
            buf_printf(&common, "%s%s", common.len ? "\n" : "", issuer->cdp[i]);
    }
    if (!common.len && !FAULT(partition_urls))
        return fail(
            why, ERR_CONFIG,
            "ca %s: cdp_urls begins with \"%.120s\" and has none of the URLs that all certificates in its "
            "store have; allowed is a list with \"%.*s\" in it (RFC 5280 6.3.3)",
            issuer->name, issuer->cdp_count ? issuer->cdp[0] : "", (int)strcspn(fixing->urls, "\n"),
            fixing->urls);
    const char *text = common.len ? buf_text(&common) : "";
    return strcmp(text, fixing->urls) == 0 ? OK : setting_put(fixing, URLS_SETTING, text, why);
}

static enum err issuer_fix(struct fixing *fixing, struct why *why)
{
    TRY(kept_read(fixing, why));
    TRY(count_fix(fixing, why));
    return crl_is_partitioned(&fixing->issuer->partitions) ? urls_fix(fixing, why) : OK;
}

static enum err fix_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct ca *ca = arg;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < ca->issuer_count; i++) {
        struct fixing fixing = { .tx = tx, .issuer = ca->issuers[i], .now = clock_now(ca->clock) };
        err = issuer_fix(&fixing, why);
        free(fixing.urls);
    }
    return err;
}

enum err partitions_fix(struct ca *ca, struct why *why)
{
    return store_write(ca->store, fix_work, ca, why);
}
