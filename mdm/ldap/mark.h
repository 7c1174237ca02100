/* SPDX-License-Identifier: Apache-2.0 */
/* How far a directory has been read: what an incremental run asks for is what has changed since. Of Active Directory a number of one domain
   controller's own (uSNChanged), of OpenLDAP a time (modifyTimestamp). */
#pragma once
#include "mdm/ldap/settings.h"

struct mark { char *server; int64_t number; };               /* server: whose number it is; number 0: nothing has been read */
void mark_free(struct mark *mark);
char *mark_to_text(const struct mark *mark);                 /* as it is kept; the caller frees it */
void mark_from_text(const char *text, struct mark *ret);     /* what is none of ours is no mark */

/* Where a run begins. server NULL: it says nothing of itself. */
struct ldap_root { char *server, *naming_context; int64_t highest; };
void ldap_root_free(struct ldap_root *root);
/* Does what was read last say where to go on with this server? Another controller counts for itself, and one that was restored from a backup counts anew. */
bool mark_goes_on(const struct mark *last, const struct ldap_settings *settings, const struct ldap_root *root);
/* What has changed since: (&FILTER(uSNChanged>=N)). */
void mark_append_filter(struct buf *out, const struct mark *last, const struct ldap_settings *settings, const char *filter);

/* 20260501090000Z, maybe with a fraction (RFC 4517 3.3.13). */
NODISCARD bool generalized_time(struct bytes text, int64_t *ret_utc);
/* The mark that a run leaves. newest: of the entries that it saw; now: our clock, for an entry from the future would hide what comes after. */
void mark_make(const struct ldap_settings *settings, const struct ldap_root *root, const struct mark *last, int64_t newest, int64_t now,
               struct mark *ret);
