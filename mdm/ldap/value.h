/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that values of LDAP and Active Directory have, and what goes into filters. Pure: no connection, no store. */
#pragma once
#include "mdm/ldap/entry.h"
#include "mdm/uuid.h"

#define SID_TEXT 192                                         /* S-1-, an authority of 15 digits, 15 parts of 10, and a NUL: 185 */
/* objectSid (MS-DTYP 2.4.2.2). false: it is none, or has octets behind it. */
NODISCARD bool sid_to_text(struct bytes binary, char ret[static SID_TEXT]);
/* The SID beside it in its domain: of the group that primaryGroupID names. */
NODISCARD bool sid_sibling(const char *sid, struct bytes rid, char ret[static SID_TEXT]);
/* objectGUID: its first three parts are little-endian (MS-DTYP 2.3.4.2). */
NODISCARD bool guid_to_text(struct bytes binary, char ret[static UUID_TEXT]);
/* A UUID as text, in lower case. */
NODISCARD bool uuid_to_text(struct bytes text, char ret[static UUID_TEXT]);
/* <GUID=…>;<SID=…>;CN=…: a name as LDAP_SERVER_EXTENDED_DN gives it (MS-ADTS 3.1.1.3.4.1.5). */
NODISCARD bool extended_dn_guid(struct bytes value, char ret[static UUID_TEXT]);
struct bytes extended_dn_name(struct bytes value);           /* without what is before the name */

/* What names an entry, so that the same name is the same octets however it is written. false: it is no DN. */
NODISCARD bool dn_key(struct bytes dn, struct buf *ret);

/* "member;range=0-1499": what is before it, and where to go on. *ret_next 0: this was the last of them. */
NODISCARD bool range_parse(const char *name, char **ret_base, size_t *ret_next);

/* What says that an account is disabled. */
struct disabled_rule { char *attribute; char *value; int64_t bits; };   /* attribute NULL: nothing says it */
void disabled_rule_parse(const char *text, struct disabled_rule *ret);
void disabled_rule_free(struct disabled_rule *rule);
bool disabled_by(const struct disabled_rule *rule, const struct entry *entry);

/* RFC 4515 section 3: text and octets as a filter's value. */
void filter_append_value(struct buf *filter, struct bytes value);
void filter_append_guid(struct buf *filter, const char *uuid);   /* as objectGUID has it */
