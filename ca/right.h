/* SPDX-License-Identifier: Apache-2.0 */
/* Rights: what a principal may do with a CA, or with the certificates of one template. Pure: the rules' text and their
   meaning; ca/right_store.h has those in force.

   Principals are texts: cli (the administrator of this host), endpoint/NAME, role/scep, role/va, authority/NAME, admin/NAME,
   connector/NAME. A rule may be for one of them, for all of a kind ("endpoint/" and a star), or for all (*).

   Of the rules that say something about a right, the most specific one decides: the principal by name before its kind before
   everybody; among those of the same principal, the template before the CA. So a right on a CA is one on all its templates,
   unless a rule of a template says otherwise. What no rule says is denied. */
#pragma once
#include "base/bytes.h"

enum right {                                                 /* as stored */
    RIGHT_READ = 1 << 0,
    RIGHT_ENROLL = 1 << 1,                                   /* templates */
    RIGHT_ISSUE = 1 << 2,                                    /* Issue and Manage Certificates */
    RIGHT_MANAGE = 1 << 3,                                   /* Manage CA; of a template: change it and its rights */
    RIGHT_REQUEST = 1 << 4,                                  /* CAs: Request Certificates */
    RIGHT_AUDIT = 1 << 5,                                    /* CAs: read the audit trail */
};
#define RIGHTS_OF_CA       (RIGHT_READ | RIGHT_ISSUE | RIGHT_MANAGE | RIGHT_REQUEST | RIGHT_AUDIT)
#define RIGHTS_OF_TEMPLATE (RIGHT_READ | RIGHT_ENROLL | RIGHT_ISSUE | RIGHT_MANAGE)
const char *right_name(enum right right);                    /* "Request Certificates" */
/* "read,enroll": ERR_USAGE names the word that is none. The other way: words in this order. */
NODISCARD enum err rights_parse(const char *text, unsigned *ret, struct why *why);
void rights_append_text(struct buf *out, unsigned rights);

struct right_rule { char *issuer, *object, *principal; unsigned allowed, denied; };   /* object: "ca", "template/NAME" */
struct right_rules { struct right_rule *rules; size_t count; };
void right_rules_free(struct right_rules *rules);            /* held by value */
struct right_question { const char *principal, *issuer, *template_name; enum right right; };   /* template_name NULL: the CA */
bool rights_allow(const struct right_rules *rules, const struct right_question *question);
/* ERR_NOT_AUTHORISED naming principal, right and object. */
NODISCARD enum err right_refuse(const struct right_question *question, struct why *why);

/* As it may stand in a rule: ERR_USAGE otherwise. */
NODISCARD enum err principal_check(const char *text, struct why *why);
/* Of the peer of a socket: "cli", "role/scep", "authority/mdm"; caller frees. */
char *principal_of(const char *peer);
/* Of a peer that asks for itself, an authority, too: "role/mdm"; caller frees. */
char *role_principal_of(const char *peer);
bool principal_is_role(const char *principal);              /* "role/va": one of this service's own */
