/* SPDX-License-Identifier: Apache-2.0 */
/* What only scep profiles have: the key that the device makes, and where it asks. */
#include "mdm/profile_check_part.h"

#include "base/fault.h"
#include "mdm/url.h"
#include "x509/extension.h"
#include <inttypes.h>

#define USAGES (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)

static void check_key_usage(const struct profile_checking *checking)
{
    uint16_t usage = checking->profile->key_usage;
    AUTO_BUF text = { 0 };
    if (!usage)
        problem_absent(checking->problems, "key_usage", "digitalSignature, keyEncipherment or both");
    if (!(usage & ~USAGES) || FAULT(profile_key_usage))
        return;
    key_usage_append_text(&text, usage);
    problem_add(checking->problems, "key_usage", buf_bytes(&text),
                "must be digitalSignature, keyEncipherment or both");
}

static void check_key_size(const struct profile_checking *checking)
{
    int64_t bits = checking->profile->key_size;
    AUTO_STR text = xasprintf("%" PRId64, bits);
    if (!bits)
        problem_absent(checking->problems, "key_size", "1024, 2048 or 4096");
    else if (bits != 1024 && bits != 2048 && bits != 4096)
        problem_add(checking->problems, "key_size", bytes_str(text), "must be 1024, 2048 or 4096");
    else if (bits < LIMIT_RSA_BITS_MIN)
        problem_warn(checking->problems, "key_size", bytes_str(text),
                     "too short to be safe: a template refuses it unless its minimum of %d was lowered",
                     LIMIT_RSA_BITS_MIN);
}

static void check_hash(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    const char *name = word_name(&profile_hash_words, (int)profile->hash);
    AUTO_BUF having = { 0 };
    platforms_append_having(&having, SETTING_HASH);
    if (!platform_has(profile->platform, SETTING_HASH)) {
        if (profile->hash != HASH_NONE)
            problem_add(checking->problems, "hash_algorithm", bytes_str(name),
                        "a setting of %s, this profile is for %s", buf_text(&having),
                        word_name(&platform_words, (int)profile->platform));
        return;
    }
    if (profile->hash == HASH_NONE)
        problem_absent(checking->problems, "hash_algorithm", "must be SHA-1 or SHA-2");
    else if (profile->hash == HASH_SHA_1)
        problem_warn(checking->problems, "hash_algorithm", bytes_str(name),
                     "is broken: for devices that know nothing better");
}

/* Windows Hello makes keys of one size, and signs with SHA-256 (ClientCertificateInstall CSP). */
static void check_passport(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    AUTO_STR bits = xasprintf("%" PRId64, profile->key_size);
    if (profile->key_storage != KEY_STORAGE_PASSPORT)
        return;
    if (profile->key_size && profile->key_size != 2048)
        problem_add(checking->problems, "key_size", bytes_str(bits),
                    "must be 2048 with key_storage_provider passport-else-fail");
    if (profile->hash == HASH_SHA_1)
        problem_add(checking->problems, "hash_algorithm", BYTES_LIT("SHA-1"),
                    "must be SHA-2 with key_storage_provider passport-else-fail");
}

static void check_urls(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    if (problems_have(checking->problems, "scep_server_urls"))
        return;
    if (!profile->url_count)
        problem_absent(checking->problems, "scep_server_urls",
                       "at least one, as https://scep.example.com/certsrv/mscep/mscep.dll");
    for (size_t i = 0; i < profile->url_count; i++) {
        struct bytes url = bytes_str(profile->urls[i]);
        AUTO_STR path = xasprintf("scep_server_urls[%zu]", i);
        const char *broken = FAULT(profile_url) ? NULL : url_rule_broken(url);
        if (broken)
            problem_add(checking->problems, path, url, "%s", broken);
        for (size_t j = 0; j < i; j++)
            if (strcmp(profile->urls[i], profile->urls[j]) == 0)
                problem_add(checking->problems, path, url, "is there twice");
    }
}

void profile_check_scep(const struct profile_checking *checking)
{
    profile_check_certificate(checking);
    check_key_usage(checking);
    check_key_size(checking);
    check_hash(checking);
    check_passport(checking);
    profile_check_purposes(checking, true);
    profile_check_root(checking, true);
    check_urls(checking);
}
