/* SPDX-License-Identifier: Apache-2.0 */
/* ASN.1 character strings turned into UTF-8, and escaped for one line of text: shared by names, SANs and requests. */
#pragma once
#include "x509/der.h"

/* Appends value, of string type tag, as UTF-8. PrintableString is read as ASCII (clients put '@', '*' and '_'
   into it), T61String as Latin-1, BMPString as UTF-16. false, with out unchanged, for another type
   or octets that the type cannot hold. NUL passes: callers that compare or show refuse it with text_is_clean. */
NODISCARD bool text_to_utf8(uint8_t tag, struct bytes value, struct buf *out);
/* Well-formed UTF-8 without NUL and control characters (C0, DEL, C1). */
bool text_is_clean(struct bytes utf8);
/* Characters of well-formed UTF-8. */
size_t text_length(struct bytes utf8);
bool text_is_printable_string(struct bytes text);            /* X.680 41.4: the PrintableString alphabet */
bool text_is_ia5(struct bytes text);
/* Copies utf8 with a backslash before each octet that occurs in specials; octets that could disturb a line as \XX. */
void text_append_escaped(struct buf *out, struct bytes utf8, const char *specials);
