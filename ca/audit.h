/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail: a numbered row per decision, written in the unit of work that decides. */
#pragma once
#include "ca/ca.h"

/* Every action that there is. */
#define AUDIT_ACTIONS                                                                                                     \
    "issue fail void approve deny resubmit revoke release crl_publish password_new ca_flags right_grant right_revoke "   \
    "right_deny authority_add authority_set authority_remove template_new template_set template_publish "                \
    "template_unpublish template_delete authority_signer notify tls_renew"
#define AUDIT_NO_CA ""                                       /* as issuer: of templates, which all CAs share */
struct audit_entry { const char *issuer, *actor, *action, *object, *detail; };   /* never a secret in any of them */
NODISCARD enum err audit_write(struct store_tx *tx, const struct ca *ca, const struct audit_entry *entry, struct why *why);
