/* SPDX-License-Identifier: Apache-2.0 */
/* An entry as one of ours: its values judged as those of an import are, by the attributes' own rules. */
#pragma once
#include "mdm/ldap/settings.h"

struct mapped {                                              /* starts as { 0 } */
    char id[UUID_TEXT];                                      /* the directory's own: entryUUID or objectGUID; the same when it is renamed or moved */
    struct object given;                                     /* what the directory says; a value that it does not have is given as none */
    struct buf dn, uid;                                      /* keys by which groups may name it */
    char sid[SID_TEXT], primary[SID_TEXT];                   /* of Active Directory, for a user's primary group; "" elsewhere */
    char **members; size_t member_count;                     /* of a group: keys, in order, each once */
    size_t odd_members;                                      /* that are no name */
    int64_t changed_at;                                      /* modifyTimestamp; 0: unknown */
};
void mapped_free(struct mapped *mapped);
/* The attributes to ask the server for. Ends in NULL; the caller frees the list alone. */
char **mapping_attributes(const struct ldap_settings *settings, const struct object_class *class);
/* class: users or groups. ERR_NOT_FOUND: a user without a UPN, who is passed over. ERR_VALUE: the value and the rule. The id is there wherever
   it could be read. */
NODISCARD enum err mapping_take(const struct ldap_settings *settings, const struct object_class *class, const struct entry *entry,
                                struct mapped *ret, struct why *why);
/* The entry's own id alone. */
NODISCARD enum err mapping_id(const struct ldap_settings *settings, const struct entry *entry, char ret[static UUID_TEXT], struct why *why);
