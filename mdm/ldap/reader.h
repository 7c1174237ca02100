/* SPDX-License-Identifier: Apache-2.0 */
/* The seam to a server: what a run asks of it. session.c asks a real one; tests have one of their own. */
#pragma once
#include "mdm/ldap/mark.h"

struct ldap_search {
    const char *base, *filter;
    char *const *attributes;                                 /* ends in NULL */
    bool deleted;                                            /* Active Directory: those that are deleted, too */
};
/* Told of each entry, whole; what it does not return OK for ends the search. */
typedef enum err (*ldap_each)(struct entry *entry, void *arg, struct why *why);
struct ldap_reader {
    enum err (*root)(void *arg, struct ldap_root *ret, struct why *why);
    /* OK: every entry that there is was told. Anything else: maybe some. */
    enum err (*search)(void *arg, const struct ldap_search *search, ldap_each each, void *each_arg, struct why *why);
    void *arg;
};
/* One that could not be had: everything it is asked fails for that reason. why: outlives it. */
struct ldap_reader ldap_reader_failing(struct why *why);
