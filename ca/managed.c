/* SPDX-License-Identifier: Apache-2.0 */
/* From a challenge's expectations to what is granted. */
#include "ca/managed.h"

#include "base/fault.h"

struct managed *managed_new(const char *authority)
{
    struct managed *managed = xcalloc(1, sizeof(*managed));
    managed->authority = xstrdup(authority);
    return managed;
}

void managed_free(struct managed *managed)
{
    if (!managed)
        return;
    challenge_opened_free(&managed->opened);
    free(managed->authority);
    free(managed);
}

enum err managed_of_row(const struct request_row *row, struct managed **ret, struct why *why)
{
    if (!row->challenge.len || !row->authority) {
        *ret = NULL;
        return OK;
    }
    AUTO(managed) managed = managed_new(row->authority);
    managed->opened.storage = buf_dup(buf_bytes(&row->challenge));
    TRY(challenge_decode(buf_bytes(&managed->opened.storage), &managed->opened.challenge, why));
    *ret = TAKE(managed);
    return OK;
}

struct csr managed_csr(const struct managed *managed, const struct csr *csr)
{
    const struct challenge_expectation *expects = &managed->opened.challenge.expects;
    struct csr asked = *csr;
    if (FAULT(managed_subject))
        return asked;
    asked.subject = expects->subject;
    asked.san = expects->san;
    asked.eku = expects->eku;
    asked.key_usage = expects->key_usage;
    asked.has_key_usage = true;
    return asked;
}

static enum err key_usage_narrow(struct grant *grant, uint16_t expected, struct why *why)
{
    AUTO_BUF wanted = { 0 }, given = { 0 };
    uint16_t most = grant->key_usage;
    grant->key_usage = FAULT(managed_usage) ? most : expected;
    if (!(expected & ~most) || FAULT(managed_usage_inside))
        return OK;
    key_usage_append_text(&wanted, expected);
    key_usage_append_text(&given, most);
    return fail(why, ERR_TEMPLATE_USAGE,
                "the challenge expects the key usage %s; template %s gives this key %s", buf_text(&wanted),
                grant->template->name, most ? buf_text(&given) : "none");
}

static enum err validity_narrow(const struct issuer *issuer, struct grant *grant, int64_t expected,
                                struct why *why)
{
    int64_t most = grant->template->validity_s;
    if (expected > most && !FAULT(managed_validity))
        return fail(why, ERR_TEMPLATE, "the challenge expects a validity of %lld s; template %s gives %lld s",
                    (long long)expected, grant->template->name, (long long)most);
    if (expected && atomic_load(&issuer->attribute_end_date))
        grant->validity_s = expected;
    return OK;
}

enum err managed_narrow(const struct issuer *issuer, struct grant *grant, struct why *why)
{
    const struct challenge_expectation *expects = &grant->managed->opened.challenge.expects;
    TRY(template_purposes_judge(grant->template, expects->eku, why));
    TRY(key_usage_narrow(grant, expects->key_usage, why));
    TRY(validity_narrow(issuer, grant, expects->validity_s, why));
    if (!FAULT(managed_purposes))
        grant->eku = buf_dup(expects->eku);
    return OK;
}
