/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what a policy file may say. What it does not list is refused: a key that somebody wrote and nobody read would be
   missed only when the certificate is there. */
#include "cli/policy.h"
#include "cli/policy_take.h"

#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"

#define NEW(name, take)                                                                                      \
    {                                                                                                        \
        "NewRequest", name, take, false                                                                      \
    }
static const struct policy_row rows[] = {
    { "Version", "Signature", policy_take_signature, false },
    NEW("Subject", policy_take_subject),
    NEW("KeyLength", policy_take_key_length),
    NEW("KeySpec", policy_take_key_spec),
    NEW("KeyAlgorithm", policy_take_key_algorithm),
    NEW("KeyUsage", policy_take_key_usage),
    NEW("RequestType", policy_take_request_type),
    NEW("PrivateKeyArchive", policy_take_false),
    NEW("UseExistingKeySet", policy_take_false),
    NEW("Exportable", policy_take_flag),
    NEW("ExportableEncrypted", policy_take_flag),
    NEW("MachineKeySet", policy_take_flag),
    NEW("Silent", policy_take_flag),
    NEW("SMIME", policy_take_flag),
    NEW("UserProtected", policy_take_flag),
    NEW("Description", policy_take_any),
    NEW("FriendlyName", policy_take_any),
    NEW("HashAlgorithm", policy_take_hash),
    NEW("KeyContainer", policy_take_any),
    NEW("ProviderName", policy_take_any),
    NEW("ProviderType", policy_take_any),
    { "EnhancedKeyUsageExtension", "OID", policy_take_purpose, true },
    { "Extensions", "2.5.29.17", policy_take_names, false },
    { "Extensions", "_continue_", policy_take_more_names, true },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static bool section_is_known(struct bytes section)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (ini_is(section, rows[i].section))
            return true;
    }
    return false;
}

static enum err refuse_unknown(const struct ini_entry *entry, struct why *why)
{
    bool known = section_is_known(entry->section);
    struct bytes what = known ? entry->name : entry->section;
    return fail(why, ERR_CONFIG, "line %d: %s %s%.*s%s is none that certreq knows here", entry->line,
                known ? "the name" : "the section", known ? "" : "[", (int)what.len, (const char *)what.data,
                known ? "" : "]");
}

static enum err row_of(const struct ini_entry *entry, size_t *ret, struct why *why)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (ini_is(entry->section, rows[i].section) && ini_is(entry->name, rows[i].name)) {
            *ret = i;
            return OK;
        }
    }
    return refuse_unknown(entry, why);
}

static enum err take_entry(struct policy_reading *reading, int *seen, const struct ini_entry *entry,
                           struct why *why)
{
    size_t row;
    TRY(row_of(entry, &row, why));
    if (seen[row] && !rows[row].repeats)
        return fail(why, ERR_CONFIG, "line %d: %s stands in line %d already", entry->line, rows[row].name,
                    seen[row]);
    seen[row] = entry->line;
    return rows[row].take(reading, &rows[row], entry, why);
}

static enum err take_all(struct policy_reading *reading, struct bytes text, struct why *why)
{
    struct ini_reader reader = ini_reader_over(text);
    int seen[ROWS] = { 0 };
    for (;;) {
        AUTO_VAL(ini_entry) entry = { 0 };
        bool more;
        TRY(ini_next(&reader, &entry, &more, why));
        if (!more)
            return OK;
        TRY(take_entry(reading, seen, &entry, why));
    }
}

enum err policy_read(struct bytes file, struct policy *ret, struct why *why)
{
    AUTO_BUF text = { 0 };
    AUTO_VAL(policy) policy = { .key = { .kind = KEY_RSA } };
    struct policy_reading reading = { .policy = &policy };
    TRY(ini_decode(file, &text, why));
    TRY(take_all(&reading, buf_bytes(&text), why));
    TRY(policy_finish(&reading, why));
    *ret = policy;
    policy = (struct policy){ 0 };
    return OK;
}

void policy_free(struct policy *policy)
{
    for (size_t i = 0; i < policy->purpose_count; i++)
        buf_free(&policy->purposes[i]);
    buf_free(&policy->subject);
    buf_free(&policy->names);
    buf_free(&policy->no_effect);
    *policy = (struct policy){ 0 };
}

void policy_put_extensions(const struct policy *policy, struct buf *out)
{
    struct bytes purposes[LIMIT_POLICY_PURPOSES];
    for (size_t i = 0; i < policy->purpose_count; i++)
        purposes[i] = buf_bytes(&policy->purposes[i]);
    if (policy->has_key_usage)
        extension_put_key_usage(out, policy->key_usage);
    if (policy->purpose_count)
        extension_put_eku(out, purposes, policy->purpose_count);
    if (policy->names.len) {
        AUTO_BUF names = { 0 };
        san_put_end(&names, buf_bytes(&policy->names));
        extension_put_san(out, buf_bytes(&names), name_is_empty(buf_bytes(&policy->subject)));
    }
}
