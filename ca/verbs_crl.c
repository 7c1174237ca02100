/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs, as administrators see and publish them: the full one, or with the field `kind` the delta. */
#include "ca/crl_publish.h"
#include "ca/verbs.h"

struct wanted {
    struct issuer *issuer;
    enum crl_kind kind;
};

static enum err wanted_get(struct ca *ca, struct bytes body, struct wanted *ret, struct why *why)
{
    struct record record;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &ret->issuer, why));
    return verb_crl_kind(&record, &ret->kind, why);
}

enum err verb_crl_kind(const struct record *record, enum crl_kind *ret, struct why *why)
{
    AUTO_STR kind = NULL;
    TRY(verb_word(record, "kind", "full delta", &kind, why));
    *ret = kind && strcmp(kind, "delta") == 0 ? CRL_DELTA : CRL_FULL;
    return OK;
}

static enum err none_yet(const struct wanted *wanted, struct why *why)
{
    return fail(why, ERR_NOT_FOUND, "ca %s has published no %s CRL yet", wanted->issuer->name,
                crl_kind_name(wanted->kind));
}

static enum err crl_put(struct ca *ca, const struct wanted *wanted, struct buf *ret, struct why *why)
{
    struct crl_state state;
    TRY(crl_current(ca, wanted->issuer, wanted->kind, &state, NULL, why));
    if (!state.exists)
        return none_yet(wanted, why);
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "ca", wanted->issuer->name);
    record_put_str(ret, "kind", crl_kind_name(wanted->kind));
    record_put_int(ret, "number", state.number);
    if (wanted->kind == CRL_DELTA)
        record_put_int(ret, "base", state.base_number);
    record_put_time(ret, "this_update", state.this_update);
    record_put_time(ret, "next_update", state.next_update);
    record_put_int(ret, "entries", state.entries);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

enum err verb_crl_publish(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct wanted wanted;
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    TRY(crl_publish(role, wanted.issuer, wanted.kind, why));
    return crl_put(role, &wanted, ret, why);
}

enum err verb_crl_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct wanted wanted;
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    return crl_put(role, &wanted, ret, why);
}

enum err verb_crl_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct wanted wanted;
    struct crl_state state;
    AUTO_BUF der = { 0 };
    (void)caller;
    TRY(wanted_get(role, body, &wanted, why));
    TRY(crl_current(role, wanted.issuer, wanted.kind, &state, &der, why));
    if (!state.exists || !der.len)
        return none_yet(&wanted, why);
    verb_put_pem(ret, "X509 CRL", buf_bytes(&der));
    return OK;
}
