/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_file.h"

#include "base/fault.h"

#define SEALED_MORE_TYPICAL                                                                                  \
    100 /* algorithm and signature: only how many octets the length in front takes depends on it */

static char *file_path(const struct ca *ca, const struct crl_scope *scope)
{
    if (scope->partition)
        return xasprintf("%s/%s-%u.crl", ca->crl_dir, scope->issuer->name, scope->partition);
    return xasprintf("%s/%s%s.crl", ca->crl_dir, scope->issuer->name, scope->kind == CRL_DELTA ? "+" : "");
}

/* --- drafts --- */

void crl_draft_free(struct crl_draft *draft)
{
    file_draft_free(&draft->file);
    *draft = (struct crl_draft)CRL_DRAFT_NONE;
}

void crl_draft_make(const struct ca *ca, const struct crl_scope *scope, struct bytes tbs,
                    struct crl_draft *ret)
{
    struct why ignored;
    AUTO_BUF header = { 0 };
    if (!ca->crl_dir || dir_make(ca->crl_dir, 0755, &ignored) != OK)
        return;
    AUTO_STR path = file_path(ca, scope);
    der_put_header(&header, DER_SEQUENCE, tbs.len + SEALED_MORE_TYPICAL);
    if (file_draft_begin(path, &ret->file, &ignored) != OK ||
        file_draft_write(&ret->file, header.len, tbs, &ignored) != OK ||
        file_draft_flush(&ret->file, &ignored) != OK)
        return;
    ret->tbs.at = header.len;
    ret->tbs.len = tbs.len;
}

/* The TBS of the CRL is where the draft has its own, and as long: that it is the same was seen when it came back from signer. */
static bool draft_fits(const struct crl_draft *draft, struct bytes der)
{
    struct der_reader in = der_reader_over(der), inside;
    struct bytes tbs;
    if (!draft || draft->tbs.len == 0)
        return false;
    return FAULT(draft_fits) ||
           (der_get_sequence(&in, &inside) && der_get_whole(&inside, DER_SEQUENCE, &tbs) &&
            tbs.len == draft->tbs.len && (size_t)(tbs.data - der.data) == draft->tbs.at);
}

static enum err draft_complete(struct crl_draft *draft, struct bytes der, struct why *why)
{
    size_t at = draft->tbs.at, end = at + draft->tbs.len;
    TRY(file_draft_write(&draft->file, 0, bytes_of(der.data, at), why));
    TRY(file_draft_write(&draft->file, end, bytes_of(der.data + end, der.len - end), why));
    return file_draft_commit(&draft->file, 0444, why);
}

/* --- files --- */

static enum err whole_write(const struct ca *ca, const struct crl_scope *scope, struct bytes der,
                            struct why *why)
{
    AUTO_STR path = file_path(ca, scope);
    TRY(dir_make(ca->crl_dir, 0755, why));
    return file_write(path, der, 0444, why);
}

enum err crl_file_put(const struct ca *ca, struct issuer *issuer, const struct crl_scope *scope,
                      struct crl_draft *draft, struct bytes der, struct why *why)
{
    if (!ca->crl_dir)
        return OK;
    if (draft_fits(draft, der))
        TRY(draft_complete(draft, der, why));
    else
        TRY(whole_write(ca, scope, der, why));
    issuer->crl_file_is_last[scope->kind][scope->partition] = true;
    return OK;
}

enum err crl_file_catch_up(struct ca *ca, struct issuer *issuer, const struct crl_scope *scope,
                           struct why *why)
{
    AUTO_BUF der = { 0 };
    struct crl_state last;
    if (!ca->crl_dir || issuer->crl_file_is_last[scope->kind][scope->partition])
        return OK;
    TRY(crl_current(ca, scope, &last, &der, why));
    return last.exists ? crl_file_put(ca, issuer, scope, NULL, buf_bytes(&der), why) : OK;
}
