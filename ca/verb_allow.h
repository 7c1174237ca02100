/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where a verb's right is asked for, before the verb runs. */
#pragma once
#include "ca/right.h"
#include "ipc/server.h"

struct ca;

/* On what the right is needed. Where the body does not name what it should, or names what there is not, on every CA: the verb
   then says what is wrong, and to nobody who may do less. */
enum verb_object {
    ON_CA,                                                   /* of the field ca, or the only one */
    ON_SELF,                                                 /* every CA, and who asks is role/NAME: ca/own_tls.c judges the rest */
    ON_EVERY_CA,
    ON_TEMPLATE,                                             /* of the field name, at every CA: they share templates */
    ON_REQUEST,                                              /* of the field id: its template */
    ON_CERTIFICATE,                                          /* of the field serial: its template */
    ON_ENDPOINT,                                             /* of the field endpoint: its CA */
    ON_ENROLMENT,                                            /* a struct enroll_request: its endpoint's CA */
    ON_POLL,                                                 /* a struct enroll_poll: its endpoint's CA */
};
struct verb_rule { enum right right; enum verb_object on; };

/* Has the caller a right on a template, at every CA? For verbs that are about many templates. Does not wait. */
NODISCARD enum err template_allow(struct ca *ca, const struct ipc_caller *caller, const char *template_name, enum right right,
                                  struct why *why);
/* For struct ipc_server_config; the verb is one of ca_verbs. ERR_NOT_AUTHORISED names principal, right and object. Waits for
   the store only ON_REQUEST and ON_CERTIFICATE. */
NODISCARD enum err verb_allow(void *role, const struct ipc_verb *verb, const struct ipc_caller *caller, struct bytes body,
                              struct why *why);
