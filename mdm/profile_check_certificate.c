/* SPDX-License-Identifier: Apache-2.0 */
/* What scep and pkcs profiles have in common. */
#include "mdm/profile_check_part.h"

#include "base/fault.h"
#include "mdm/value_format.h"
#include "x509/cert.h"
#include "x509/oid.h"

#define SUBJECT "subject_name"
#define FORMAT  "subject_name_format"
#define SANS    "subject_alternative_names"

static const char *platform_of(const struct profile_checking *checking)
{
    return word_name(&platform_words, (int)checking->profile->platform);
}

/* A setting that the platform does not have. */
static void refuse_setting(const struct profile_checking *checking, const char *field, const char *got,
                           enum setting setting)
{
    AUTO_BUF having = { 0 };
    platforms_append_having(&having, setting);
    problem_add(checking->problems, field, bytes_str(got), "a setting of %s, this profile is for %s",
                buf_text(&having), platform_of(checking));
}

static void check_kind(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    if (profile->kind == CERTIFICATE_NONE)
        problem_absent(checking->problems, "certificate_type", "must be user or device");
    else if (profile->kind == CERTIFICATE_DEVICE && !FAULT(profile_device_kind) &&
             !platform_has(profile->platform, SETTING_DEVICE_CERTIFICATE))
        refuse_setting(checking, "certificate_type", "device", SETTING_DEVICE_CERTIFICATE);
}

/* --- subject --- */

/* What can be forged is said where it is chosen. Only for texts that are known to be good. */
static void warn_forgeable(const struct profile_checking *checking, const char *field, const char *text)
{
    struct scope scope = profile_scope(checking->profile);
    struct value_format format = { .text = bytes_str(text), .scope = &scope, .refused = "" };
    struct value_piece piece = { 0 };
    struct why why;
    size_t at = 0;
    for (bool more = true; more;) {
        piece.variable = NULL;
        if (value_format_next(&format, &at, &piece, &more, &why) != OK)
            return;
        if (more && piece.variable && piece.variable->forgeable)
            problem_warn(checking->problems, field, bytes_str(text),
                         "{{%s}} can be forged by whoever holds the device", piece.variable->name);
    }
}

static void check_subject_text(const struct profile_checking *checking)
{
    struct scope scope = profile_scope(checking->profile);
    const char *text = profile_subject(checking->profile);
    bool custom = text == checking->profile->subject;
    AUTO_BUF name = { 0 };
    struct why why;
    if (scope.kind == CERTIFICATE_NONE || problems_have(checking->problems, SUBJECT))
        return;
    if (!text) {
        problem_absent(checking->problems, SUBJECT, "a text as CN={{%s}}",
                       scope.kind == CERTIFICATE_DEVICE ? "DeviceName" : "UserName");
        return;
    }
    if (subject_make(text, &scope, NULL, &name, &why) != OK)
        problem_add(checking->problems, SUBJECT, bytes_str(text), "%s", why.text);
    else if (!checking->profile->san_count && name.len == 2 && !problems_have(checking->problems, SANS))
        problem_add(checking->problems, custom ? SUBJECT : FORMAT,
                    bytes_str(custom ? text : "not-configured"),
                    "a certificate without a subject needs a subject alternative name (RFC 5280 4.1.2.6)");
    else
        warn_forgeable(checking, custom ? SUBJECT : FORMAT, text);
}

static void check_subject(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    bool custom = profile->subject_kind == SUBJECT_CUSTOM;
    const char *format = word_name(&subject_kind_words, (int)profile->subject_kind);
    AUTO_BUF formats = { 0 };
    words_append(&formats, &subject_kind_words);
    if (profile->kind == CERTIFICATE_DEVICE && profile->subject_kind != SUBJECT_UNSET && !custom)
        problem_add(checking->problems, FORMAT, bytes_str(format),
                    "must be custom for certificates of a device, or left out");
    else if (profile->kind == CERTIFICATE_USER && profile->subject_kind == SUBJECT_UNSET)
        problem_absent(checking->problems, FORMAT, "must be %s", buf_text(&formats));
    else if (profile->kind == CERTIFICATE_USER && !custom && profile->subject)
        problem_add(checking->problems, SUBJECT, bytes_str(profile->subject),
                    "goes with " FORMAT " custom, which is %s", format);
    else
        check_subject_text(checking);
}

/* --- subject alternative names --- */

static bool san_is_repeated(const struct profile *profile, size_t at)
{
    AUTO_BUF this = { 0 };
    san_row_append(&this, &profile->sans[at]);
    for (size_t i = 0; i < at; i++) {
        AUTO_BUF other = { 0 };
        san_row_append(&other, &profile->sans[i]);
        if (bytes_equal(buf_bytes(&this), buf_bytes(&other)))
            return true;
    }
    return false;
}

static void check_san(const struct profile_checking *checking, size_t at)
{
    const struct san_row *row = &checking->profile->sans[at];
    struct scope scope = profile_scope(checking->profile);
    AUTO_STR path = xasprintf(SANS "[%zu]", at);
    AUTO_BUF names = { 0 }, text = { 0 };
    struct why why;
    san_row_append(&text, row);
    if (san_make(row, 1, &scope, NULL, &names, &why) != OK) {
        problem_add(checking->problems, path, buf_bytes(&text), "%s", why.text);
        return;
    }
    if (san_is_repeated(checking->profile, at))
        problem_add(checking->problems, path, buf_bytes(&text), "is there twice");
    if (row->text)
        warn_forgeable(checking, path, row->text);
    if (row->attribute == SAN_ATTRIBUTE_UPN)
        problem_warn(checking->problems, path, buf_bytes(&text),
                     "who has it signs in by it at a Network Policy Server or RADIUS server");
}

static void check_sans(const struct profile_checking *checking)
{
    if (problems_have(checking->problems, SANS))
        return; /* some of them were not taken, and the others would be counted wrongly */
    for (size_t i = 0; i < checking->profile->san_count; i++)
        check_san(checking, i);
}

/* --- validity --- */

static void check_validity(const struct profile_checking *checking)
{
    const struct validity_period *period = &checking->profile->validity;
    const struct surroundings *around = checking->around;
    AUTO_STR text =
        xasprintf("%lld %s", (long long)period->number, word_name(&validity_unit_words, (int)period->unit));
    if (period->unit == UNIT_NONE)
        return;
    if (!platform_has(checking->profile->platform, SETTING_VALIDITY) && !FAULT(profile_validity)) {
        AUTO_BUF having = { 0 };
        platforms_append_having(&having, SETTING_VALIDITY);
        problem_add(checking->problems, "validity_period", bytes_str(text),
                    "%s always has the template's; a setting of %s", platform_of(checking),
                    buf_text(&having));
        return;
    }
    int64_t seconds = validity_seconds(period);
    if (seconds > LIMIT_CHALLENGE_VALIDITY_S)
        problem_add(checking->problems, "validity_period", bytes_str(text), "%lld days, at most %lld",
                    (long long)(seconds / 86400), (long long)(LIMIT_CHALLENGE_VALIDITY_S / 86400));
    if (!around)
        return;
    if (around->template_validity_s && seconds > around->template_validity_s)
        problem_add(checking->problems, "validity_period", bytes_str(text),
                    "%lld days, the template's %lld must not be exceeded", (long long)(seconds / 86400),
                    (long long)(around->template_validity_s / 86400));
    if (around->ca_not_after && seconds >= around->ca_not_after - around->now)
        problem_add(checking->problems, "validity_period", bytes_str(text),
                    "%lld days, must be less than the %lld that the certification authority has left",
                    (long long)(seconds / 86400), (long long)((around->ca_not_after - around->now) / 86400));
}

void profile_check_certificate(const struct profile_checking *checking)
{
    check_kind(checking);
    check_subject(checking);
    check_sans(checking);
    check_validity(checking);
    profile_check_key_storage(checking);
    if (!checking->profile->renewal_threshold)
        problem_absent(checking->problems, "renewal_threshold",
                       "a whole number, 1 to 99: the part of the lifetime that remains when it is renewed");
}

/* --- the rest --- */

void profile_check_key_storage(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    const char *name = word_name(&key_storage_words, (int)profile->key_storage);
    if (profile->key_storage == KEY_STORAGE_NONE)
        return;
    if (!platform_has(profile->platform, SETTING_KEY_STORAGE))
        refuse_setting(checking, "key_storage_provider", name, SETTING_KEY_STORAGE);
    else if (profile->key_storage == KEY_STORAGE_PASSPORT &&
             !platform_has(profile->platform, SETTING_PASSPORT))
        refuse_setting(checking, "key_storage_provider", name, SETTING_PASSPORT);
}

/* Any purpose at all is none that ca would certify (config: allowed_eku). */
static void check_purpose(const struct profile_checking *checking, size_t at)
{
    const struct key_purpose *purposes = checking->profile->purposes;
    AUTO_STR path = xasprintf("extended_key_usage[%zu].oid", at);
    struct bytes oid = bytes_str(purposes[at].oid);
    AUTO_BUF content = { 0 };
    if (!oid_from_dotted(purposes[at].oid, &content))
        problem_add(checking->problems, path, oid, "must be an object identifier as 1.3.6.1.5.5.7.3.2");
    else if (oid_is(buf_bytes(&content), OID_KP_ANY))
        problem_add(checking->problems, path, oid, "any purpose at all is never certified");
    for (size_t i = 0; i < at; i++)
        if (strcmp(purposes[i].oid, purposes[at].oid) == 0)
            problem_add(checking->problems, path, oid, "is there twice");
}

void profile_check_purposes(const struct profile_checking *checking, bool required)
{
    if (problems_have(checking->problems, "extended_key_usage"))
        return;
    if (required && !checking->profile->purpose_count)
        problem_absent(checking->problems, "extended_key_usage",
                       "at least one; Client Authentication, 1.3.6.1.5.5.7.3.2, in most cases");
    for (size_t i = 0; i < checking->profile->purpose_count; i++)
        check_purpose(checking, i);
}

static bool chain_has(const struct surroundings *around, struct bytes der)
{
    for (size_t i = 0; i < around->chain_count; i++)
        if (bytes_equal(around->chain[i], der))
            return true;
    return FAULT(profile_root_chain);
}

static void check_root_found(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile, *root = checking->around->root;
    struct bytes name = bytes_str(profile->root_certificate);
    if (root->type != PROFILE_TRUSTED)
        problem_add(checking->problems, "root_certificate", name,
                    "must name a trusted-certificate profile, this one is of type %s",
                    word_name(&profile_type_words, (int)root->type));
    else if (root->platform != profile->platform)
        problem_add(checking->problems, "root_certificate", name, "is for %s, this profile is for %s",
                    word_name(&platform_words, (int)root->platform), platform_of(checking));
    else if (checking->around->chain_count == 0)
        problem_warn(checking->problems, "root_certificate", name,
                     "not compared with the certification authority's chain, which is not known here");
    else if (!chain_has(checking->around, buf_bytes(&root->certificate)))
        problem_add(checking->problems, "root_certificate", name,
                    "its certificate is none of the %zu in the certification authority's chain",
                    checking->around->chain_count);
}

void profile_check_root(const struct profile_checking *checking, bool required)
{
    struct bytes name = bytes_str(checking->profile->root_certificate);
    if (!name.len && required)
        problem_absent(checking->problems, "root_certificate",
                       "the name of a trusted-certificate profile, which goes to the same groups");
    if (!name.len || !checking->around)
        return;
    if (checking->around->root)
        check_root_found(checking);
    else
        problem_add(checking->problems, "root_certificate", name, "there is no profile of that name");
}
