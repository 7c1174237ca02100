/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names (RFC 5280 4.1.2.4, RFC 4514): always the whole DER of a Name. */
#pragma once
#include "x509/der.h"
#include "x509/oid.h"

struct name_attribute { struct bytes oid; uint8_t tag; struct bytes value; bool starts_rdn; };  /* views */
struct name_reader { struct der_reader rdns, inside; };

/* Structure, string types, lengths (LIMIT_RDNS, LIMIT_STRING_BYTES), no NUL or control characters. */
NODISCARD enum err name_check(struct bytes name, struct why *why);
/* Over a checked name. */
struct name_reader name_reader_over(struct bytes name);
bool name_next(struct name_reader *reader, struct name_attribute *ret);
bool name_is_empty(struct bytes name);
/* Transcodes PrintableString, IA5, T61 (as Latin-1), BMP, Universal to UTF-8. */
NODISCARD bool name_value_utf8(const struct name_attribute *attribute, struct buf *ret);
/* Leading and trailing spaces dropped, runs of inner spaces made one (RFC 5280 7.1, RFC 4518 2.6.1); case stays. */
void name_value_fold(struct buf *utf8);
/* One type, and the same text after transcoding and folding. */
bool name_attribute_equal(const struct name_attribute *a, const struct name_attribute *b);
/* "CN=…,OU=…" in encoding order with RFC 4514 escapes; unknown types dotted. For logs, lists and pattern rules. */
void name_append_text(struct buf *out, struct bytes name);
/* "CN=Issuing CA,O=Example" (order kept as written; escapes and quotes of RFC 4514 and CertStrToName) */
NODISCARD enum err name_from_text(const char *text, struct buf *ret_name, struct why *why);
/* What stands for a value, for whoever writes names with places to fill in. */
struct name_value { struct bytes type; struct bytes text;    /* the type's OID content; UTF-8, unquoted and unescaped */
                    bool alone; };                           /* no '+' beside it: an RDN by itself */
struct name_filled { struct buf text;                        /* one value, whatever characters it has: it is not read again */
                     struct buf name; };                     /* or, where alone: a whole Name whose RDNs stand for this one */
struct name_hook {
    enum err (*fill)(void *arg, const struct name_value *value, struct name_filled *ret, struct why *why);
    void *arg;
};
/* As name_from_text, and every value goes through the hook once it has been taken out of the text. */
NODISCARD enum err name_from_format(const char *text, const struct name_hook *hook, struct buf *ret_name, struct why *why);
/* Equal RDN by RDN, types and exact UTF-8 after transcoding and folding runs of spaces. */
bool name_equal(struct bytes a, struct bytes b);
/* The same name with every value in the string type of spec ca.md (UTF8String; PrintableString for C, serialNumber,
   dnQualifier; IA5String for E, DC); order and RDN grouping kept. */
NODISCARD enum err name_reencode(struct bytes name, struct buf *ret_name, struct why *why);
