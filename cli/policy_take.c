/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a policy file, judged one by one and then against each other. */
#include "cli/policy_take.h"

#include "base/fault.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/san.h"
#include <ctype.h>
#include <strings.h>

#define DEFAULT_RSA_BITS 2048 /* what Windows makes when KeyLength is not there */

static enum err refuse(const struct policy_row *row, const struct ini_entry *entry, const char *allowed,
                       struct why *why)
{
    return fail(why, ERR_CONFIG, "line %d: %s is \"%.*s\"; allowed is %s", entry->line, row->name,
                (int)entry->value.len, (const char *)entry->value.data, allowed);
}

static bool value_is(const struct ini_entry *entry, const char *word)
{
    return ini_is(buf_bytes(&entry->value), word);
}

static bool number_of(const struct ini_entry *entry, int64_t *ret)
{
    AUTO_STR text = xstrndup((const char *)entry->value.data, entry->value.len);
    bool hex = strncasecmp(text, "0x", 2) == 0;
    const char *digits = hex ? text + 2 : text;
    char *end;
    if (!isxdigit((unsigned char)*digits) || strlen(digits) > 8)
        return false;
    *ret = strtoll(digits, &end, hex ? 16 : 10);
    return *end == '\0' && end != digits;
}

static void note_no_effect(struct policy_reading *reading, const struct policy_row *row)
{
    struct buf *list = &reading->policy->no_effect;
    buf_printf(list, "%s%s", list->len ? ", " : "", row->name);
}

POLICY_TAKE(any)
{
    (void)entry, (void)why;
    note_no_effect(reading, row);
    return OK;
}

POLICY_TAKE(flag)
{
    if (!value_is(entry, "TRUE") && !value_is(entry, "FALSE"))
        return refuse(row, entry, "TRUE or FALSE", why);
    note_no_effect(reading, row);
    return OK;
}

/* A new key is made, and it never leaves for an archive: to say nothing of it would be to promise it. */
POLICY_TAKE(false)
{
    if (!value_is(entry, "FALSE"))
        return refuse(row, entry, "FALSE", why);
    note_no_effect(reading, row);
    return OK;
}

POLICY_TAKE(signature)
{
    (void)reading;
    if (!value_is(entry, "$Windows NT$") && !value_is(entry, "$Chicago$"))
        return refuse(row, entry, "$Windows NT$", why);
    return OK;
}

/* The guides print these where the reader's own name belongs. */
static bool is_placeholder(const char *subject)
{
    return strcasestr(subject, "Subject Name in CN format") ||
           strcasestr(subject, "onderwerpnaam in CN-indeling");
}

POLICY_TAKE(subject)
{
    struct why inner = { 0 };
    AUTO_STR text = xstrndup((const char *)entry->value.data, entry->value.len);
    if (!FAULT(policy_placeholder) && is_placeholder(text))
        return fail(
            why, ERR_CONFIG,
            "line %d: %s is still the placeholder \"%s\"; write the name that the certificate shall have, as "
            "C=NL,O=Example,CN=host.example",
            entry->line, row->name, text);
    enum err err = name_from_text(text, &reading->policy->subject, &inner);
    return err == OK ? OK : fail(why, ERR_CONFIG, "line %d: %s: %s", entry->line, row->name, inner.text);
}

POLICY_TAKE(key_length)
{
    if (!number_of(entry, &reading->key_length) || reading->key_length < 1)
        return refuse(row, entry, "a number of bits", why);
    reading->length_line = entry->line;
    return OK;
}

POLICY_TAKE(key_spec)
{
    reading->signs_only = value_is(entry, "2") || value_is(entry, "AT_SIGNATURE");
    if (!reading->signs_only && !value_is(entry, "1") && !value_is(entry, "AT_KEYEXCHANGE") &&
        !value_is(entry, "0") && !value_is(entry, "AT_NONE"))
        return refuse(row, entry, "1 (AT_KEYEXCHANGE), 2 (AT_SIGNATURE) or 0 (AT_NONE)", why);
    return OK;
}

POLICY_TAKE(key_algorithm)
{
    static const struct {
        const char *name;
        enum key_kind kind;
    } known[] = {
        { "RSA", KEY_RSA },
        { "ECDSA_P256", KEY_EC_P256 },
        { "ECDSA_P384", KEY_EC_P384 },
        { "ECDSA_P521", KEY_EC_P521 },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (value_is(entry, known[i].name)) {
            reading->policy->key.kind = known[i].kind;
            return OK;
        }
    }
    return refuse(row, entry, "RSA, ECDSA_P256, ECDSA_P384 or ECDSA_P521", why);
}

/* The DWORD that Windows has for it is the BIT STRING's first octet, and 8000 its second one: bits from the left. */
POLICY_TAKE(key_usage)
{
    int64_t value;
    uint16_t bits = 0;
    if (!number_of(entry, &value) || value < 1 || (value & ~INT64_C(0x80FF)) != 0)
        return refuse(row, entry,
                      "a sum of 0x80 (digitalSignature), 0x40, 0x20 (keyEncipherment) … 0x01 and 0x8000",
                      why);
    for (int bit = 0; bit < 8; bit++) {
        if (value & (0x80 >> bit))
            bits |= (uint16_t)(1 << bit);
    }
    if (value & 0x8000)
        bits |= KU_DECIPHER_ONLY;
    reading->policy->key_usage = bits;
    reading->policy->has_key_usage = true;
    reading->usage_line = entry->line;
    return OK;
}

POLICY_TAKE(request_type)
{
    (void)reading;
    if (!FAULT(policy_request_type) && !value_is(entry, "PKCS10"))
        return refuse(row, entry, "PKCS10", why);
    return OK;
}

/* The digest follows the key; SHA-1 and MD5 are not made at all. */
POLICY_TAKE(hash)
{
    if (!value_is(entry, "sha256") && !value_is(entry, "sha384") && !value_is(entry, "sha512"))
        return refuse(row, entry, "sha256, sha384 or sha512", why);
    note_no_effect(reading, row);
    return OK;
}

POLICY_TAKE(purpose)
{
    struct policy *policy = reading->policy;
    AUTO_STR dotted = xstrndup((const char *)entry->value.data, entry->value.len);
    AUTO_BUF oid = { 0 };
    if (!oid_from_dotted(dotted, &oid))
        return refuse(row, entry, "an object identifier as 1.3.6.1.5.5.7.3.2", why);
    if (policy->purpose_count == LIMIT_POLICY_PURPOSES)
        return fail(why, ERR_LIMIT, "line %d: more than %d purposes", entry->line, LIMIT_POLICY_PURPOSES);
    for (size_t i = 0; i < policy->purpose_count; i++) {
        if (bytes_equal(buf_bytes(&policy->purposes[i]), buf_bytes(&oid)))
            return fail(why, ERR_CONFIG, "line %d: %s %s is there twice", entry->line, row->name, dotted);
    }
    policy->purposes[policy->purpose_count++] = TAKE_BUF(oid);
    return OK;
}

/* --- subjectAltName: "dns=a.example&url=http://b.example/&" --- */

static enum err name_put(struct policy_reading *reading, struct bytes text, int line, struct why *why)
{
    static const char *const kinds[][2] = {
        { "dns", "dns" }, { "email", "email" }, { "url", "uri" }, { "ipaddress", "ip" }, { "upn", "upn" }
    };
    const uint8_t *equals = memchr(text.data, '=', text.len);
    size_t len = equals ? (size_t)(equals - text.data) : 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (!ini_is(bytes_of(text.data, len), kinds[i][0]))
            continue;
        struct why inner = { 0 };
        AUTO_STR name =
            xasprintf("%s:%.*s", kinds[i][1], (int)(text.len - len - 1), (const char *)equals + 1);
        enum err err = san_put_text(&reading->policy->names, name, &inner);
        return err == OK ? OK : fail(why, ERR_CONFIG, "line %d: %s", line, inner.text);
    }
    return fail(why, ERR_CONFIG,
                "line %d: the name \"%.*s\" begins with none of dns= email= url= ipaddress= upn=", line,
                (int)text.len, (const char *)text.data);
}

static enum err names_put(struct policy_reading *reading, struct bytes text, int line, struct why *why)
{
    reading->names_open = !text.len || text.data[text.len - 1] == '&';
    while (text.len) {
        const uint8_t *end = memchr(text.data, '&', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        TRY(name_put(reading, bytes_of(text.data, len), line, why));
        len += end != NULL;
        text = bytes_of(text.data + len, text.len - len);
    }
    return OK;
}

#define NAMES_TEXT "{text}"
POLICY_TAKE(names)
{
    struct bytes value = buf_bytes(&entry->value);
    size_t len = strlen(NAMES_TEXT);
    if (value.len < len || !ini_is(bytes_of(value.data, len), NAMES_TEXT))
        return refuse(row, entry, "\"" NAMES_TEXT "\" and names behind it", why);
    reading->has_names = true;
    return names_put(reading, bytes_of(value.data + len, value.len - len), entry->line, why);
}

POLICY_TAKE(more_names)
{
    if (!reading->has_names)
        return fail(why, ERR_CONFIG,
                    "line %d: %s continues nothing: 2.5.29.17 = \"" NAMES_TEXT "\" must stand before it",
                    entry->line, row->name);
    if (!reading->names_open)
        return fail(why, ERR_CONFIG, "line %d: the names before it must end in '&'", entry->line);
    return names_put(reading, buf_bytes(&entry->value), entry->line, why);
}

/* --- entries against each other --- */

static enum err finish_key(struct policy_reading *reading, struct why *why)
{
    static const int curve_bits[] = { [KEY_EC_P256] = 256, [KEY_EC_P384] = 384, [KEY_EC_P521] = 521 };
    struct key_spec *key = &reading->policy->key;
    int64_t bits = reading->key_length;
    if (key->kind != KEY_RSA) {
        if (reading->length_line && bits != curve_bits[key->kind])
            return fail(why, ERR_CONFIG, "line %d: KeyLength is %lld, a key of %s has %d",
                        reading->length_line, (long long)bits, key_kind_name(key->kind),
                        curve_bits[key->kind]);
        return OK;
    }
    if (!reading->length_line)
        bits = DEFAULT_RSA_BITS;
    if (bits < LIMIT_RSA_BITS_MIN || bits > LIMIT_RSA_BITS_MAX)
        return fail(why, ERR_WEAK_KEY, "line %d: KeyLength is %lld; allowed is %d to %d",
                    reading->length_line, (long long)bits, LIMIT_RSA_BITS_MIN, LIMIT_RSA_BITS_MAX);
    key->rsa_bits = (int)bits;
    return OK;
}

static enum err finish_usage(const struct policy_reading *reading, struct why *why)
{
    const struct policy *policy = reading->policy;
    if (!(policy->key_usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)))
        return OK;
    if (reading->signs_only)
        return fail(why, ERR_CONFIG,
                    "line %d: KeyUsage asks for encipherment, KeySpec for a key that only signs",
                    reading->usage_line);
    if (policy->key.kind != KEY_RSA)
        return fail(why, ERR_CONFIG,
                    "line %d: KeyUsage asks for encipherment, which a key of %s cannot do (RFC 8813)",
                    reading->usage_line, key_kind_name(policy->key.kind));
    return OK;
}

static enum err finish_names(const struct policy_reading *reading, struct why *why)
{
    AUTO_BUF whole = { 0 };
    if (!reading->policy->names.len)
        return OK;
    san_put_end(&whole, buf_bytes(&reading->policy->names));
    return san_check(buf_bytes(&whole), why);
}

enum err policy_finish(struct policy_reading *reading, struct why *why)
{
    struct policy *policy = reading->policy;
    if (!policy->subject.len)
        TRY(name_from_text("", &policy->subject, why));
    if (name_is_empty(buf_bytes(&policy->subject)) && !policy->names.len)
        return fail(why, ERR_CONFIG, "[NewRequest] has no Subject, and no names stand in for it");
    TRY(finish_key(reading, why));
    TRY(finish_names(reading, why));
    return finish_usage(reading, why);
}
