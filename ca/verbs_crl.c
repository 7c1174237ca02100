/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs, as administrators see and publish them: the full one, or with the field `kind` the delta; with the field `partition`
   one of several. */
#include "ca/crl_publish.h"
#include "ca/verbs.h"

struct wanted {
    struct issuer *issuer;
    enum crl_kind kind;
    unsigned first, last; /* partitions; 0 to 0: the complete CRL */
};

/* The field `partition`, or all of them. */
static enum err partitions_get(const struct record *record, struct wanted *wanted, struct why *why)
{
    const struct issuer *issuer = wanted->issuer;
    AUTO_STR text = record_str(record, "partition");
    wanted->first = partition_first(issuer);
    wanted->last = partition_last(issuer);
    if (!text)
        return OK;
    int64_t partition = record_int(record, "partition", 0);
    if (!wanted->last)
        return fail(why, ERR_USAGE, "partition is %.20s, and ca %s has one complete CRL", text, issuer->name);
    if (partition < 1 || partition > wanted->last)
        return fail(why, ERR_USAGE, "partition is %.20s, wanted: 1 to %u, the partitions of ca %s", text,
                    wanted->last, issuer->name);
    wanted->first = wanted->last = (unsigned)partition;
    return OK;
}

static enum err wanted_get(struct ca *ca, struct bytes body, struct wanted *ret, struct why *why)
{
    struct record record;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &ret->issuer, why));
    TRY(verb_crl_kind(&record, &ret->kind, why));
    TRY(partitions_get(&record, ret, why));
    if (ret->kind == CRL_DELTA && ret->last)
        return fail(why, ERR_WRONG_STATE, "ca %s has %u partitions, and no delta CRLs with them",
                    ret->issuer->name, partition_last(ret->issuer));
    return OK;
}

enum err verb_crl_kind(const struct record *record, enum crl_kind *ret, struct why *why)
{
    AUTO_STR kind = NULL;
    TRY(verb_word(record, "kind", "full delta", &kind, why));
    *ret = kind && strcmp(kind, "delta") == 0 ? CRL_DELTA : CRL_FULL;
    return OK;
}

static enum err none_yet(const struct crl_scope *scope, struct why *why)
{
    if (scope->partition)
        return fail(why, ERR_NOT_FOUND, "ca %s has published no CRL of partition %u yet", scope->issuer->name,
                    scope->partition);
    return fail(why, ERR_NOT_FOUND, "ca %s has published no %s CRL yet", scope->issuer->name,
                crl_kind_name(scope->kind));
}

static enum err crl_put(struct ca *ca, const struct crl_scope *scope, struct buf *ret, struct why *why)
{
    struct crl_state state;
    TRY(crl_current(ca, scope, &state, NULL, why));
    if (!state.exists)
        return none_yet(scope, why);
    size_t mark = record_begin(ret);
    record_put_str(ret, "ca", scope->issuer->name);
    record_put_str(ret, "kind", crl_kind_name(scope->kind));
    if (scope->partition)
        record_put_int(ret, "partition", scope->partition);
    record_put_int(ret, "number", state.number);
    if (scope->kind == CRL_DELTA)
        record_put_int(ret, "base", state.base_number);
    record_put_time(ret, "this_update", state.this_update);
    record_put_time(ret, "next_update", state.next_update);
    record_put_int(ret, "entries", state.entries);
    record_end(ret, mark);
    return OK;
}

static enum err crls_put(struct ca *ca, const struct wanted *wanted, struct buf *ret, struct why *why)
{
    AUTO_BUF out = { 0 };
    size_t list = records_begin(&out);
    for (unsigned i = wanted->first; i <= wanted->last; i++) {
        const struct crl_scope scope = { wanted->issuer, wanted->kind, i };
        TRY(crl_put(ca, &scope, &out, why));
    }
    records_end(&out, list);
    *ret = TAKE_BUF(out);
    return OK;
}

enum err verb_crl_publish(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct wanted wanted;
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    TRY(wanted.last && wanted.first == wanted.last
            ? crl_publish_partition(role, wanted.issuer, wanted.first, why)
            : crl_publish(role, wanted.issuer, wanted.kind, why));
    return crls_put(role, &wanted, ret, why);
}

enum err verb_crl_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct wanted wanted;
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    return crls_put(role, &wanted, ret, why);
}

enum err verb_crl_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct wanted wanted;
    struct crl_state state;
    AUTO_BUF der = { 0 };
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    if (wanted.first != wanted.last)
        return fail(why, ERR_USAGE, "ca %s has %u CRLs; one of them is wanted: --partition 1 to %u",
                    wanted.issuer->name, wanted.last, wanted.last);
    const struct crl_scope scope = { wanted.issuer, wanted.kind, wanted.first };
    TRY(crl_current(role, &scope, &state, &der, why));
    if (!state.exists || !der.len)
        return none_yet(&scope, why);
    verb_put_pem(ret, "X509 CRL", buf_bytes(&der));
    return OK;
}
