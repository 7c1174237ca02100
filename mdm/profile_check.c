/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of it, and the types that are small. */
#include "mdm/profile_check_part.h"

#include "base/fault.h"
#include "x509/cert.h"
#include "x509/name.h"

static void check_general(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    struct bytes name = bytes_str(profile->name);
    AUTO_BUF takers = { 0 };
    if (!name.len)
        problem_absent(checking->problems, "name", "every profile has a name");
    else if (name.data[0] == ' ' || name.data[name.len - 1] == ' ')
        problem_add(checking->problems, "name", name, "must not begin or end with a blank");
    if (profile->type == PROFILE_NONE) {
        words_append(&takers, &profile_type_words);
        problem_absent(checking->problems, "type", "must be %s", buf_text(&takers));
    }
    if (profile->platform == PLATFORM_NONE) {
        words_append(&takers, &platform_words);
        problem_absent(checking->problems, "platform", "must be %s", buf_text(&takers));
    }
}

/* Nothing more is asked of what the platform does not take at all. */
static bool platform_is_right(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    AUTO_BUF takers = { 0 };
    if (profile->type == PROFILE_NONE || profile->platform == PLATFORM_NONE)
        return false;
    if (platform_takes(profile->platform, profile->type) || FAULT(profile_platform))
        return true;
    platforms_append_taking(&takers, profile->type);
    problem_add(checking->problems, "platform", bytes_str(word_name(&platform_words, (int)profile->platform)),
                "%s profiles are for %s", word_name(&profile_type_words, (int)profile->type),
                buf_text(&takers));
    return false;
}

static void check_certificate(const struct profile_checking *checking, struct bytes der)
{
    AUTO_BUF subject = { 0 };
    struct cert cert;
    struct why why;
    if (cert_parse(der, &cert, &why) != OK) {
        AUTO_STR size = xasprintf("%zu octets", der.len);
        problem_add(checking->problems, "certificate", bytes_str(size), "%s", why.text);
        return;
    }
    name_append_text(&subject, cert.subject);
    if (!cert.is_ca && !FAULT(profile_trusted_ca))
        problem_add(checking->problems, "certificate", buf_bytes(&subject),
                    "must be a certificate authority's, with cA in its basicConstraints (RFC 5280 4.2.1.9)");
    else if (cert.has_key_usage && !(cert.key_usage & KU_KEY_CERT_SIGN))
        problem_add(checking->problems, "certificate", buf_bytes(&subject),
                    "must have keyCertSign in its key usage (RFC 5280 4.2.1.3)");
    if (checking->around && cert_is_expired(&cert, checking->around->now))
        problem_warn(checking->problems, "certificate", buf_bytes(&subject), "is expired");
}

static void check_trusted(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    AUTO_BUF takers = { 0 };
    if (profile->certificate.len)
        check_certificate(checking, buf_bytes(&profile->certificate));
    else
        problem_absent(checking->problems, "certificate", "one, as PEM or as the base64 of a .cer file");
    if (profile->store == STORE_NONE || platform_has(profile->platform, SETTING_STORE))
        return;
    platforms_append_having(&takers, SETTING_STORE);
    problem_add(checking->problems, "destination_store",
                bytes_str(word_name(&destination_store_words, (int)profile->store)),
                "a setting of %s, this profile is for %s", buf_text(&takers),
                word_name(&platform_words, (int)profile->platform));
}

static void check_imported(const struct profile_checking *checking)
{
    AUTO_BUF purposes = { 0 };
    profile_check_key_storage(checking);
    if (checking->profile->intended_purpose != PURPOSE_NONE)
        return;
    words_append(&purposes, &intended_purpose_words);
    problem_absent(checking->problems, "intended_purpose", "must be %s", buf_text(&purposes));
}

void profile_check(const struct profile *profile, const struct surroundings *around,
                   struct problems *problems)
{
    static void (*const checks[PROFILE_TYPE_COUNT])(const struct profile_checking *) = {
        [PROFILE_TRUSTED] = check_trusted,
        [PROFILE_SCEP] = profile_check_scep,
        [PROFILE_PKCS] = profile_check_pkcs,
        [PROFILE_IMPORTED] = check_imported,
    };
    struct profile_checking checking = { profile, around, problems };
    if (problems_have(problems, "$"))
        return; /* nothing was read */
    check_general(&checking);
    if (platform_is_right(&checking))
        checks[profile->type](&checking);
}
