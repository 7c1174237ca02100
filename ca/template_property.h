/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of a template that an administrator sets: one row each, for setting, showing, comparing and storing. */
#pragma once
#include "base/limits.h"
#include "ca/template.h"
#include "store/store.h"

/* TEXT: one line. LINES: a rule. LIST: words, between spaces or commas. WORD: one of `words`. USAGE: names of key usage bits.
   SPAN: "365d", "12h", "600s". BACKDATE: a span, or "ca". NUMBER: min to max. SWITCH: "yes" or "no". */
enum property_kind { PROPERTY_TEXT, PROPERTY_LINES, PROPERTY_LIST, PROPERTY_WORD, PROPERTY_USAGE, PROPERTY_SPAN,
                     PROPERTY_BACKDATE, PROPERTY_NUMBER, PROPERTY_SWITCH };

/*    name                   column                   kind      member                 min   max  words */
#define TEMPLATE_PROPERTIES(X)                                                                                   \
    X(display_name,          "display_name",          TEXT,     display_name,          1,    256, NULL)          \
    X(purpose,               "purpose",               WORD,     purpose,               0,    0,                  \
      "signature encryption signature-and-encryption")                                                           \
    X(eku,                   "eku",                   LIST,     eku_text,              0,    1024, NULL)         \
    X(key_usage,             "key_usage",             USAGE,    key_usage,             0,    0, NULL)            \
    X(validity,              "validity_s",            SPAN,     validity_s,            3600, 3153600000, NULL)   \
    X(renewal,               "renewal_s",             SPAN,     renewal_s,             0,    3153600000, NULL)   \
    X(min_rsa_bits,          "min_rsa_bits",          NUMBER,   min_rsa_bits,          1024, LIMIT_RSA_BITS_MAX, NULL) \
    X(key_algorithms,        "key_algorithms",        LIST,     key_algorithms,        1,    128, NULL)          \
    X(subject_rule,          "subject_rule",          LINES,    subject_rule,          0,    LIMIT_RULE_BYTES, NULL) \
    X(san_rule,              "san_rule",              LINES,    san_rule,              0,    LIMIT_RULE_BYTES, NULL) \
    X(hashes,                "hashes",                LIST,     hashes,                1,    128, NULL)          \
    X(subject_source,        "subject_source",        WORD,     subject_source,        0,    0,                  \
      "request directory")                                                                                       \
    X(manager_approval,      "manager_approval",      SWITCH,   manager_approval,      0,    0, NULL)            \
    X(authorised_signatures, "authorised_signatures", NUMBER,   authorised_signatures, 0,    1, NULL)            \
    X(template_information,  "template_information",  SWITCH,   template_information,  0,    0, NULL)            \
    X(oid,                   "oid",                   TEXT,     oid_text,              0,    128, NULL)          \
    X(superseded,            "superseded",            LIST,     superseded,            0,    1024, NULL)         \
    X(backdate,              "backdate_s",            BACKDATE, backdate_s,            0,    172800, NULL)       \
    X(publish_in_directory,  "publish_in_directory",  SWITCH,   publish_in_directory,  0,    0, NULL)            \
    X(export_private_key,    "export_private_key",    SWITCH,   export_private_key,    0,    0, NULL)

#define PROPERTY_ONE_(...) +1
enum { TEMPLATE_PROPERTY_COUNT = 0 TEMPLATE_PROPERTIES(PROPERTY_ONE_) };

struct property { const char *name; enum property_kind kind; size_t offset; int64_t min, max; const char *words; };
extern const struct property template_properties[TEMPLATE_PROPERTY_COUNT];
const struct property *template_property_find(struct bytes name);   /* NULL: there is none of that name */

void template_property_text(const struct template *template, const struct property *property, struct buf *out);
/* "365d", "12h" or "601s": what is typed for it. */
void template_span_text(int64_t span_s, struct buf *out);
/* ERR_TEMPLATE_PROPERTY names the property, the value and what is allowed. template_complete afterwards. */
NODISCARD enum err template_property_set(struct template *template, const struct property *property, struct bytes value,
                                         struct why *why);
/* As a column of the store. */
struct store_value template_property_value(const struct template *template, const struct property *property);
void template_property_read(struct template *template, const struct property *property, const struct store_rows *rows,
                            size_t row, size_t column);
/* What a new template has when nothing is said: client authentication by signature, not published. Caller owns; not yet
   complete. */
struct template *template_default(const char *name);
