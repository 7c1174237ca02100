/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names (RFC 5280 4.2.1.6): always the whole DER of GeneralNames. */
#pragma once
#include "x509/der.h"
#include "x509/oid.h"

enum san_kind { SAN_OTHER = 0, SAN_EMAIL = 1, SAN_DNS = 2, SAN_X400 = 3, SAN_DIRECTORY = 4, SAN_EDI = 5, SAN_URI = 6,
                SAN_IP = 7, SAN_REGISTERED = 8 };            /* the context tag numbers */
struct san_name { enum san_kind kind; struct bytes value;    /* content octets; for SAN_OTHER the value's content */
                  struct bytes other_type; uint8_t other_tag; struct bytes whole; };

/* Shape, IA5 and LDH rules for dNSName, addr-spec for e-mail, absolute URI, 4 or 16 octets for IP; LIMIT_SAN_NAMES. */
NODISCARD enum err san_check(struct bytes names, struct why *why);
struct der_reader san_reader_over(struct bytes names);       /* over a checked GeneralNames */
bool san_next(struct der_reader *reader, struct san_name *ret);
/* The same octets, or directory names that are equal as names: the strings of the other kinds have one type each. */
bool san_name_equal(const struct san_name *a, const struct san_name *b);
const char *san_kind_name(enum san_kind kind);               /* "dns", "email", "upn" stands for SAN_OTHER of MS_UPN in text */
void san_append_text(struct buf *out, struct bytes names);   /* "dns:host.example, email:a@b, upn:…" */
/* Builders, to be wrapped by san_put_end. `out` holds a concatenation of GeneralName. */
void san_put(struct buf *out, enum san_kind kind, struct bytes value);   /* EMAIL, DNS, URI, IP; whole Name for DIRECTORY */
void san_put_end(struct buf *out, struct bytes names);       /* GeneralNames around such a concatenation */
void san_put_upn(struct buf *out, struct bytes utf8);
/* "dns:host", "email:…", "uri:…", "ip:192.0.2.1", "upn:…" */
NODISCARD enum err san_put_text(struct buf *out, const char *text, struct why *why);
