/* SPDX-License-Identifier: Apache-2.0 */
/* Authorities, as the administrator of this host sees and limits them. */
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/authority_store.h"
#include "ca/right.h"
#include "ca/verbs.h"
#include <stdlib.h>

#define COUNT_MAX 1000000000 /* of a limit: as good as none */
#define SIGNER(column)                                                                                       \
    "(SELECT s." column " FROM authority_signer s WHERE s.issuer_id = authority.issuer_id "                  \
    "AND s.authority = authority.name AND s.good_until IS NULL)"
#define COLUMN_LIST                                                                                          \
    "SELECT issuer_id, name, templates, suffixes, denied, eku, per_device, issues, revocations, "            \
    "changed_at, "                                                                                           \
    "changed_by, " SIGNER("thumbprint") ", " SIGNER("not_after") " FROM authority WHERE issuer_id = $1 "

static const struct verb_column columns[] = {
    { "ca", COLUMN_TEXT },
    { "name", COLUMN_TEXT },
    { "templates", COLUMN_TEXT },
    { "suffixes", COLUMN_TEXT },
    { "denied", COLUMN_TEXT },
    { "eku", COLUMN_TEXT },
    { "device", COLUMN_INT },
    { "issues", COLUMN_INT },
    { "revocations", COLUMN_INT },
    { "changed", COLUMN_TIME },
    { "changed_by", COLUMN_TEXT },
    { "signer", COLUMN_TEXT },
    { "signer_expires", COLUMN_TIME },
};

enum err verb_authority_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct record record;
    struct issuer *issuer;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    struct verb_listing listing = {
        COLUMN_LIST "ORDER BY name", S_ARGS(S_TEXT(issuer->name)), COLUMNS(columns), 0, "", { 0 }
    };
    return verb_list(role, &listing, ret, why);
}

static enum err show(struct ca *ca, const struct issuer *issuer, const char *name, struct buf *ret,
                     struct why *why)
{
    AUTO_STR absent = xasprintf("ca %s has no authority %.80s", issuer->name, name);
    struct verb_listing listing = { COLUMN_LIST "AND name = $2",
                                    S_ARGS(S_TEXT(issuer->name), S_TEXT(name)),
                                    COLUMNS(columns),
                                    1,
                                    absent,
                                    { 0 } };
    return verb_list(ca, &listing, ret, why);
}

enum err verb_authority_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct record record;
    struct issuer *issuer;
    AUTO_STR name = NULL;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    TRY(verb_field(&record, "name", &name, why));
    return show(role, issuer, name, ret, why);
}

/* -1: it is not said. */
static enum err number_get(const struct record *record, const char *name, int64_t *ret, struct why *why)
{
    *ret = -1;
    return verb_number(record, name, (struct verb_range){ 0, COUNT_MAX }, ret, why);
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7F)
            return false;
    }
    return true;
}

/* "a, b": a blank around a word is none of its own, or a denied name behind one would never be met. */
static void words_append(struct buf *out, char *text)
{
    for (char *word = strsep(&text, ","); word; word = strsep(&text, ",")) {
        word += strspn(word, " ");
        size_t len = strlen(word);
        while (len && word[len - 1] == ' ')
            len--;
        if (out->len && len)
            buf_append_byte(out, ',');
        buf_append(out, bytes_of(word, len));
    }
}

static enum err list_get(const struct record *record, const char *name, char **ret, struct why *why)
{
    struct bytes text;
    AUTO_BUF words = { 0 };
    if (!record_find(record, name, &text))
        return OK;
    if (text.len > LIMIT_RULE_BYTES)
        return fail(why, ERR_USAGE, "%s has %zu octets, allowed: 0 to %d", name, text.len, LIMIT_RULE_BYTES);
    if (!is_printable(text))
        return fail(why, ERR_USAGE, "%s has a control character in it", name);
    AUTO_STR copy = xstrndup((const char *)text.data, text.len);
    if (FAULT(authority_blanks))
        buf_append(&words, text);
    else
        words_append(&words, copy);
    *ret = xstrdup(buf_text(&words));
    return OK;
}

static enum err values_get(const struct record *record, struct authority_limits *ret, struct why *why)
{
    TRY(verb_field(record, "name", &ret->name, why));
    AUTO_STR principal = xasprintf("authority/%s", ret->name);
    if (strcmp(ret->name, "*") == 0)
        return fail(why, ERR_USAGE, "* is no authority: name one");
    TRY(principal_check(principal, why));
    TRY(list_get(record, "templates", &ret->templates, why));
    TRY(list_get(record, "suffixes", &ret->suffixes, why));
    TRY(list_get(record, "denied", &ret->denied, why));
    TRY(list_get(record, "eku", &ret->eku, why));
    TRY(number_get(record, "device", &ret->per_device, why));
    TRY(number_get(record, "issues", &ret->issues, why));
    return number_get(record, "revocations", &ret->revocations, why);
}

static enum err change_with(struct ca *ca, const struct record *record, struct authority_change *change,
                            struct buf *ret, struct why *why)
{
    static const char *const done[] = { "added", "changed", "removed" };
    struct issuer *issuer;
    struct bytes text;
    TRY(verb_issuer(ca, record, &issuer, why));
    TRY(values_get(record, &change->values, why));
    change->issuer = issuer;
    change->pins = record_find(record, "certificate", &text);
    if (change->pins)
        TRY(verb_certificate(record, "certificate", &change->certificate, why));
    bool gone = change->how == AUTHORITY_REMOVE;
    if (gone)
        TRY(show(ca, issuer, change->values.name, ret, why)); /* what it was */
    TRY(authority_change(ca, change, why));
    log_info(NULL, "authority %s name=%s ca=%s by=%s", done[change->how], change->values.name, issuer->name,
             change->actor);
    return gone ? OK : show(ca, issuer, change->values.name, ret, why);
}

static enum err change(struct ca *ca, const struct ipc_caller *caller, enum authority_how how,
                       struct bytes body, struct buf *ret, struct why *why)
{
    struct record record;
    AUTO_STR actor = principal_of(caller->principal);
    struct authority_change change = { .actor = actor, .how = how };
    AUTO_BUF answer = { 0 };
    TRY(record_get(body, &record, why));
    enum err err = change_with(ca, &record, &change, &answer, why);
    authority_limits_free(&change.values);
    buf_free(&change.certificate);
    if (err == OK)
        *ret = TAKE_BUF(answer);
    return err;
}

enum err verb_authority_add(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    return change(role, caller, AUTHORITY_ADD, body, ret, why);
}

enum err verb_authority_set(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    return change(role, caller, AUTHORITY_SET, body, ret, why);
}

enum err verb_authority_remove(void *role, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret, struct why *why)
{
    return change(role, caller, AUTHORITY_REMOVE, body, ret, why);
}
