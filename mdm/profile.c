/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/profile.h"

#define DAY_S 86400

static const char *const store_names[] = {
    [STORE_NONE] = NULL,
    [STORE_COMPUTER_ROOT] = "computer-root",
    [STORE_COMPUTER_INTERMEDIATE] = "computer-intermediate",
    [STORE_USER_INTERMEDIATE] = "user-intermediate",
};
static const char *const storage_names[] = {
    [KEY_STORAGE_NONE] = NULL,           [KEY_STORAGE_TPM_ELSE_SOFTWARE] = "tpm-else-software",
    [KEY_STORAGE_TPM] = "tpm-else-fail", [KEY_STORAGE_PASSPORT] = "passport-else-fail",
    [KEY_STORAGE_SOFTWARE] = "software",
};
static const char *const hash_names[] = {
    [HASH_NONE] = NULL,
    [HASH_SHA_1] = "SHA-1",
    [HASH_SHA_2] = "SHA-2",
};
static const char *const purpose_names[] = {
    [PURPOSE_NONE] = NULL,
    [PURPOSE_UNASSIGNED] = "unassigned",
    [PURPOSE_SMIME_ENCRYPTION] = "smimeEncryption",
    [PURPOSE_SMIME_SIGNING] = "smimeSigning",
};
static const char *const unit_names[] = {
    [UNIT_NONE] = NULL,
    [UNIT_DAYS] = "days",
    [UNIT_MONTHS] = "months",
    [UNIT_YEARS] = "years",
};
const struct words destination_store_words = WORDS(store_names);
const struct words key_storage_words = WORDS(storage_names);
const struct words profile_hash_words = WORDS(hash_names);
const struct words intended_purpose_words = WORDS(purpose_names);
const struct words validity_unit_words = WORDS(unit_names);

int64_t validity_seconds(const struct validity_period *period)
{
    static const int64_t days[UNIT_COUNT] = { [UNIT_DAYS] = 1, [UNIT_MONTHS] = 30, [UNIT_YEARS] = 365 };
    return period->number * days[period->unit] * DAY_S;
}

void profile_free(struct profile *profile)
{
    free(profile->name);
    free(profile->description);
    buf_free(&profile->certificate);
    free(profile->subject);
    for (size_t i = 0; i < profile->san_count; i++)
        san_row_free(&profile->sans[i]);
    free(profile->root_certificate);
    for (size_t i = 0; i < profile->purpose_count; i++) {
        free(profile->purposes[i].name);
        free(profile->purposes[i].oid);
    }
    for (size_t i = 0; i < profile->url_count; i++)
        free(profile->urls[i]);
    free(profile->authority);
    free(profile->authority_name);
    free(profile->template_name);
    *profile = (struct profile){ 0 };
}

struct scope profile_scope(const struct profile *profile)
{
    return (struct scope){ .kind = profile->kind, .platform = profile->platform };
}

const char *profile_subject(const struct profile *profile)
{
    bool custom = profile->kind == CERTIFICATE_DEVICE || profile->subject_kind == SUBJECT_CUSTOM;
    return custom ? profile->subject : subject_kind_text(profile->subject_kind);
}

enum destination_store profile_store(const struct profile *profile)
{
    bool knows = platform_has(profile->platform, SETTING_STORE);
    return knows && profile->store == STORE_NONE ? STORE_COMPUTER_ROOT : profile->store;
}
