/* SPDX-License-Identifier: Apache-2.0 */
/* An authority's limits, laid against what it asks for. */
#include "ca/authority.h"

#include "base/fault.h"
#include "x509/name.h"
#include "x509/oid.h"
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define HOUR_S 3600

void authority_limits_free(struct authority_limits *authority)
{
    free(authority->name);
    free(authority->templates);
    free(authority->suffixes);
    free(authority->denied);
    free(authority->eku);
    *authority = (struct authority_limits){ 0 };
}

const char *authority_of(const char *principal)
{
    static const char prefix[] = "authority/";
    size_t len = sizeof(prefix) - 1;
    return strncmp(principal, prefix, len) == 0 ? principal + len : NULL;
}

/* --- lists --- */

/* Goes on with the words until one is found. */
static bool list_any(const char *list, bool (*matches)(const char *word, const void *what), const void *what)
{
    AUTO_STR copy = xstrdup(list);
    char *rest = copy;
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        if (*word && matches(word, what))
            return true;
    }
    return false;
}

static bool is_word(const char *word, const void *what)
{
    return strcmp(word, what) == 0;
}

static bool is_purpose(const char *word, const void *what)
{
    const struct bytes *oid = what;
    enum oid known = oid_by_name(word);
    AUTO_BUF dotted = { 0 };
    if (known != OID_UNKNOWN)
        return bytes_equal(oid_bytes(known), *oid);
    return oid_from_dotted(word, &dotted) && bytes_equal(buf_bytes(&dotted), *oid);
}

static bool is_no_purpose(const char *word, const void *what)
{
    AUTO_BUF dotted = { 0 };
    (void)what;
    return oid_by_name(word) == OID_UNKNOWN && !oid_from_dotted(word, &dotted);
}

static bool is_no_suffix(const char *word, const void *what)
{
    static const char kinds[] = ",dns,email,uri,ip,upn,";
    const char *colon = strchr(word, ':');
    (void)what;
    if (!colon)
        return true;
    AUTO_STR kind = xasprintf(",%.*s,", (int)(colon - word), word);
    return !strstr(kinds, kind);
}

enum err authority_check(const struct authority_limits *authority, struct why *why)
{
    if (authority->eku && list_any(authority->eku, is_no_purpose, NULL))
        return fail(why, ERR_USAGE, "\"%s\" has a word that is no key purpose", authority->eku);
    if (authority->suffixes && list_any(authority->suffixes, is_no_suffix, NULL))
        return fail(why, ERR_USAGE,
                    "\"%s\" has a word that is not KIND:SUFFIX; kinds: dns, email, uri, ip, upn",
                    authority->suffixes);
    return OK;
}

/* --- names --- */

struct named {
    const char *kind; /* "dns"; of a subject "" */
    const char *text;
};

/* The host of a URI (RFC 3986 3.2.2), which alone says whose it is (RFC 5280 4.2.1.10); "" when it has none. */
static char *uri_host(const char *uri)
{
    const char *begin = strstr(uri, "://");
    if (!begin || strcspn(uri, "/?#") < (size_t)(begin - uri))
        return xstrdup("");
    begin += 3;
    size_t len = strcspn(begin, "/?#");
    const char *user = memrchr(begin, '@', len);
    if (user) {
        len -= (size_t)(user + 1 - begin);
        begin = user + 1;
    }
    const char *port = memchr(begin, ':', len);
    return xstrndup(begin, port ? (size_t)(port - begin) : len);
}

static bool text_ends_in(const char *text, const char *suffix)
{
    size_t len = strlen(suffix), whole = strlen(text);
    if (len > whole || strcasecmp(text + whole - len, suffix) != 0)
        return false;
    return len == whole || strchr(".@", suffix[0]) || strchr(".@", text[whole - len - 1]);
}

/* "dns:example.net" and "dns:.example.net": that name itself (of the first), and what ends in it after a dot or an @. */
static bool ends_in(const char *word, const void *what)
{
    const struct named *name = what;
    const char *colon = strchr(word, ':');
    if (!colon || strlen(name->kind) != (size_t)(colon - word) ||
        strncmp(word, name->kind, (size_t)(colon - word)) != 0)
        return false;
    if (!colon[1])
        return true;
    if (strcmp(name->kind, "ip") == 0)
        return strcasecmp(name->text, colon + 1) == 0;
    if (strcmp(name->kind, "uri") != 0)
        return text_ends_in(name->text, colon + 1);
    AUTO_STR host = uri_host(name->text);
    return text_ends_in(host, colon + 1);
}

static char *lower(const char *text)
{
    char *copy = xstrdup(text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

static bool is_denied(const char *word, const void *what)
{
    AUTO_STR pattern = lower(word);
    AUTO_STR text = lower(what);
    return pattern_matches(pattern, bytes_str(text));
}

static enum err denied_judge(const struct authority_limits *authority, const char *text, struct why *why)
{
    if (FAULT(authority_denied) || !list_any(authority->denied, is_denied, text))
        return OK;
    return fail(why, ERR_AUTHORITY_LIMIT, "authority %s may not have the name \"%s\": denied are %s",
                authority->name, text, authority->denied);
}

static enum err subject_judge(const struct authority_limits *authority, const struct grant *grant,
                              struct why *why)
{
    struct name_reader in = name_reader_over(buf_bytes(&grant->subject));
    struct name_attribute part;
    while (name_next(&in, &part)) {
        AUTO_BUF value = { 0 };
        if (!name_value_utf8(&part, &value))
            return fail(why, ERR_AUTHORITY_LIMIT, "a subject attribute is not a readable string");
        TRY(denied_judge(authority, buf_text(&value), why));
    }
    return OK;
}

/* "dns:a.example.net, upn:b@example.net" is how san_append_text writes them, one at a time here. */
static enum err san_name_judge(const struct authority_limits *authority, const struct san_name *san,
                               struct why *why)
{
    AUTO_BUF one = { 0 }, text = { 0 };
    der_put(&one, DER_SEQUENCE, san->whole);
    san_append_text(&text, buf_bytes(&one));
    AUTO_STR kind = xstrdup(buf_text(&text));
    char *value = strchr(kind, ':');
    if (!value || (san->kind != SAN_IP && memchr(san->value.data, 0, san->value.len)))
        return fail(why, ERR_AUTHORITY_LIMIT, "a name is not readable");
    *value++ = '\0';
    const struct named name = { kind, value };
    if (!FAULT(authority_suffixes) && !list_any(authority->suffixes, ends_in, &name))
        return fail(why, ERR_AUTHORITY_LIMIT,
                    "authority %s may not have the name %s:%s; its suffixes are \"%s\"", authority->name,
                    kind, value, authority->suffixes);
    return denied_judge(authority, value, why);
}

static enum err names_judge(const struct authority_limits *authority, const struct grant *grant,
                            struct why *why)
{
    struct san_name name;
    TRY(subject_judge(authority, grant, why));
    if (!grant->san.len)
        return OK;
    struct der_reader in = san_reader_over(buf_bytes(&grant->san));
    while (san_next(&in, &name))
        TRY(san_name_judge(authority, &name, why));
    return OK;
}

static enum err purposes_judge(const struct authority_limits *authority, const struct grant *grant,
                               struct why *why)
{
    const char *template = grant->template ? grant->template->name : NULL;
    struct bytes oid;
    for (size_t at = 0; grant_purpose_next(grant, &at, &oid);) {
        if (FAULT(authority_eku) || list_any(authority->eku, is_purpose, &oid))
            continue;
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, oid);
        return fail(why, ERR_AUTHORITY_LIMIT,
                    "by %s%s it would have the purpose %s; those of authority %s are \"%s\"",
                    template ? "template " : "its challenge", template ? template : "", buf_text(&dotted),
                    authority->name, authority->eku);
    }
    return OK;
}

static enum err template_judge(const struct authority_limits *authority, const struct grant *grant,
                               struct why *why)
{
    const char *template = grant->template->name;
    if (!FAULT(authority_templates) && !list_any(authority->templates, is_word, template))
        return fail(why, ERR_AUTHORITY_LIMIT,
                    "authority %s may not have template %s; its templates are \"%s\"", authority->name,
                    template, authority->templates);
    return purposes_judge(authority, grant, why);
}

/* --- in the store --- */

static enum err authority_find(struct store_tx *tx, const char *issuer, const char *name,
                               struct authority_limits *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT templates, suffixes, denied, eku, per_device, issues, revocations FROM authority "
                    "WHERE issuer_id = $1 AND name = $2",
                    S_ARGS(S_TEXT(issuer), S_TEXT(name)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_AUTHORISED, "ca %s has no authority %s", issuer, name);
    *ret = (struct authority_limits){ .name = xstrdup(name),
                                      .templates = xstrdup(store_str(rows, 0, 0)),
                                      .suffixes = xstrdup(store_str(rows, 0, 1)),
                                      .denied = xstrdup(store_str(rows, 0, 2)),
                                      .eku = xstrdup(store_str(rows, 0, 3)),
                                      .per_device = store_int(rows, 0, 4),
                                      .issues = store_int(rows, 0, 5),
                                      .revocations = store_int(rows, 0, 6) };
    return OK;
}

/* One conditional statement counts and limits: an hour begins with the first in it. */
#define COUNT_ONE(counted, since, most)                                                                      \
    "UPDATE authority SET " counted " = CASE WHEN " since " <= $1 THEN 1 ELSE " counted " + 1 END, " since   \
    " = CASE WHEN " since " <= $1 THEN $2 ELSE " since " END WHERE issuer_id = $3 AND name = $4 AND " most   \
    " > 0 AND (" since " <= $1 OR " counted " < " most ")"

#define VALID_OF(whose)                                                                                      \
    "SELECT COUNT(*) FROM certificate WHERE issuer_id = $1 AND authority = $2 AND " whose                    \
    " = $3 AND status IN ('reserved', 'valid') AND not_after >= $4"

/* *ret_changed 0: it has had as many as it may this hour. */
static enum err count_hour(struct store_tx *tx, const struct authority_ask *ask, int64_t *ret_changed,
                           struct why *why)
{
    return store_exec(
        tx, COUNT_ONE("issued", "issued_since", "issues"),
        S_ARGS(S_INT(ask->now - HOUR_S), S_INT(ask->now), S_TEXT(ask->issuer), S_TEXT(ask->name)),
        ret_changed, why);
}

static enum err count_issue(struct store_tx *tx, const struct authority_ask *ask,
                            const struct authority_limits *authority, char *ret_over, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    int64_t changed = 0;
    bool named = ask->device.len && !FAULT(managed_device);
    TRY(store_query(tx, named ? VALID_OF("device") : VALID_OF("identity"),
                    S_ARGS(S_TEXT(ask->issuer), S_TEXT(ask->name),
                           named ? store_text_of(ask->device) : S_BYTES(ask->identity), S_INT(ask->now)),
                    &rows, why));
    if (!FAULT(authority_per_device) && store_int(rows, 0, 0) >= authority->per_device) {
        snprintf(ret_over, AUTHORITY_OVER_BYTES,
                 "authority %.64s: %lld certificates of this device, limit %lld", ask->name,
                 (long long)store_int(rows, 0, 0), (long long)authority->per_device);
        return OK;
    }
    TRY(count_hour(tx, ask, &changed, why));
    if (!FAULT(authority_issues) && changed != 1)
        snprintf(ret_over, AUTHORITY_OVER_BYTES, "authority %.64s: limit of %lld certificates per hour",
                 ask->name, (long long)authority->issues);
    return OK;
}

static enum err pending_judge(struct store_tx *tx, const struct authority_ask *ask, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT COUNT(*) FROM request WHERE issuer_id = $1 AND disposition = 'pending' "
                    "AND authority = $2",
                    S_ARGS(S_TEXT(ask->issuer), S_TEXT(ask->name)), &rows, why));
    if (store_int(rows, 0, 0) >= LIMIT_AUTHORITY_PENDING)
        return fail(why, ERR_RATE, "authority %s has %lld pending requests, limit %d", ask->name,
                    (long long)store_int(rows, 0, 0), LIMIT_AUTHORITY_PENDING);
    return OK;
}

enum err authority_judge(struct store_tx *tx, const struct authority_ask *ask,
                         char ret_over[static AUTHORITY_OVER_BYTES], struct why *why)
{
    AUTO_VAL(authority_limits) authority = { 0 };
    ret_over[0] = '\0';
    TRY(authority_find(tx, ask->issuer, ask->name, &authority, why));
    TRY(template_judge(&authority, ask->grant, why));
    TRY(names_judge(&authority, ask->grant, why));
    TRY(count_issue(tx, ask, &authority, ret_over, why));
    return ret_over[0] ? pending_judge(tx, ask, why) : OK;
}

enum err authority_judge_names(struct store_tx *tx, const struct authority_ask *ask, struct why *why)
{
    AUTO_VAL(authority_limits) authority = { 0 };
    TRY(authority_find(tx, ask->issuer, ask->name, &authority, why));
    TRY(template_judge(&authority, ask->grant, why));
    return names_judge(&authority, ask->grant, why);
}

enum err authority_judge_elsewhere(struct store_tx *tx, const struct authority_ask *ask, struct why *why)
{
    AUTO_VAL(authority_limits) authority = { 0 };
    int64_t changed = 0;
    TRY(authority_find(tx, ask->issuer, ask->name, &authority, why));
    TRY(purposes_judge(&authority, ask->grant, why));
    TRY(names_judge(&authority, ask->grant, why));
    TRY(count_hour(tx, ask, &changed, why));
    if (!FAULT(authority_issues) && changed != 1)
        return fail(why, ERR_RATE, "authority %s: limit of %lld certificates per hour", ask->name,
                    (long long)authority.issues);
    return OK;
}

enum err authority_judge_own(struct store_tx *tx, const struct authority_revoking *revoking, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT 1 FROM certificate WHERE issuer_id = $1 AND serial = $2 AND authority = $3",
                    S_ARGS(S_TEXT(revoking->issuer), S_TEXT(revoking->serial), S_TEXT(revoking->name)), &rows,
                    why));
    if (!FAULT(authority_own) && store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_AUTHORISED,
                    "authority %s did not ask for certificate %s: it can't revoke it", revoking->name,
                    revoking->serial);
    return OK;
}

enum err authority_count_revocation(struct store_tx *tx, const struct authority_revoking *revoking,
                                    struct why *why)
{
    int64_t changed = 0;
    TRY(store_exec(tx, COUNT_ONE("revoked", "revoked_since", "revocations"),
                   S_ARGS(S_INT(revoking->now - HOUR_S), S_INT(revoking->now), S_TEXT(revoking->issuer),
                          S_TEXT(revoking->name)),
                   &changed, why));
    if (!FAULT(authority_revocations) && changed != 1)
        return fail(why, ERR_RATE, "authority %s has revoked as many certificates this hour as it may",
                    revoking->name);
    return OK;
}
