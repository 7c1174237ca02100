/* SPDX-License-Identifier: Apache-2.0 */
/* RDN by RDN, in order; types, and exact UTF-8 after transcoding, unquoting and folding spaces (spec challenge.md, phase 3). */
#include "challenge/subject.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include "challenge/shown.h"
#include "challenge/unquote.h"
#include "x509/name.h"

struct rdn {
    struct name_attribute attributes[LIMIT_RDNS]; /* a checked name has no more in all */
    size_t count;
};

static bool next_rdn(struct name_reader *reader, struct rdn *ret)
{
    struct name_reader ahead = *reader;
    struct name_attribute attribute;
    ret->count = 0;
    while (ret->count < LIMIT_RDNS && name_next(&ahead, &attribute) &&
           (ret->count == 0 || !attribute.starts_rdn)) {
        ret->attributes[ret->count++] = attribute;
        *reader = ahead;
    }
    return ret->count > 0;
}

static bool folded_equal(struct buf *text, struct bytes wanted)
{
    name_value_fold(text);
    return bytes_equal(buf_bytes(text), wanted);
}

/* Is the request's value a quoted or escaped form of the expected one? Never the other way round: what is expected stands for
   itself. */
static bool is_quoted_form(const struct name_attribute *expected, const struct name_attribute *got)
{
    AUTO_BUF wanted = { 0 }, text = { 0 }, windows = { 0 }, escaped = { 0 };
    if (!bytes_equal(expected->oid, got->oid) || !name_value_utf8(expected, &wanted) ||
        !name_value_utf8(got, &text))
        return false;
    name_value_fold(&wanted);
    name_value_fold(&text);
    return (unquote_windows(buf_bytes(&text), &windows) && folded_equal(&windows, buf_bytes(&wanted))) ||
           (unquote_rfc4514(buf_bytes(&text), &escaped) && folded_equal(&escaped, buf_bytes(&wanted)));
}

typedef bool attribute_match(const struct name_attribute *expected, const struct name_attribute *got);

/* Takes pairs that match out of both; how many were left is what remains. */
static void pair_off(struct rdn *expected, struct rdn *got, attribute_match *matches)
{
    for (size_t i = 0; i < expected->count;) {
        size_t j = 0;
        while (j < got->count && !matches(&expected->attributes[i], &got->attributes[j]))
            j++;
        if (j == got->count) {
            i++;
            continue;
        }
        expected->attributes[i] = expected->attributes[--expected->count];
        got->attributes[j] = got->attributes[--got->count];
    }
}

/* An RDN is a set. Values that are equal as they are go first, so that no other's quoted form takes their place. */
static bool rdn_matches(struct rdn expected, struct rdn got)
{
    if (expected.count != got.count)
        return false;
    pair_off(&expected, &got, name_attribute_equal);
    pair_off(&expected, &got, is_quoted_form);
    return expected.count == 0;
}

/* "CN=a+OU=b", or nothing for an RDN that is not there. */
static void append_text(struct buf *out, const struct rdn *rdn)
{
    AUTO_BUF name = { 0 };
    if (rdn->count == 0)
        return;
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = der_begin(&name, DER_SET);
    for (size_t i = 0; i < rdn->count; i++) {
        size_t pair = der_begin(&name, DER_SEQUENCE);
        der_put_oid(&name, rdn->attributes[i].oid);
        der_put(&name, rdn->attributes[i].tag, rdn->attributes[i].value);
        der_end(&name, pair);
    }
    der_end(&name, set);
    der_end(&name, sequence);
    name_append_text(out, buf_bytes(&name));
}

static enum err refuse(const struct rdn *expected, const struct rdn *got, size_t number, struct why *why)
{
    AUTO_BUF wanted = { 0 }, found = { 0 };
    append_text(&wanted, expected);
    append_text(&found, got);
    struct shown_pair shown = shown_pair_of(buf_bytes(&found), buf_bytes(&wanted));
    return fail(why, ERR_SUBJECT_MISMATCH,
                "Subject Name in CSR <%s> and challenge <%s> do not match (RDN %zu)", shown.csr.text,
                shown.challenge.text, number);
}

enum err subject_compare(struct bytes expected, struct bytes subject, struct why *why)
{
    if (FAULT(dynamic_subject) || bytes_equal(expected, subject))
        return OK;
    if (name_is_empty(subject)) {
        AUTO_BUF wanted = { 0 };
        name_append_text(&wanted, expected);
        struct shown_pair shown = shown_pair_of(BYTES_NONE, buf_bytes(&wanted));
        return fail(why, ERR_SUBJECT_MISSING, "Subject Name in CSR is missing, challenge <%s>",
                    shown.challenge.text);
    }
    struct name_reader in_expected = name_reader_over(expected), in_subject = name_reader_over(subject);
    for (size_t number = 1;; number++) {
        struct rdn wanted, found;
        bool has_wanted = next_rdn(&in_expected, &wanted), has_found = next_rdn(&in_subject, &found);
        if (!has_wanted && !has_found)
            return OK;
        if (!rdn_matches(wanted, found))
            return refuse(&wanted, &found, number, why);
    }
}
