/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy file of Windows' certreq asks for: the subject, the key, its usages and names. */
#pragma once
#include "base/limits.h"
#include "cli/ini.h"
#include "x509/key.h"

struct policy {
    struct buf subject;                                      /* whole Name */
    struct key_spec key;
    uint16_t key_usage; bool has_key_usage;                  /* as x509/extension.h has the bits */
    struct buf purposes[LIMIT_POLICY_PURPOSES];              /* OID contents */
    size_t purpose_count;
    struct buf names;                                        /* concatenated GeneralName; empty: none */
    struct buf no_effect;                                    /* "MachineKeySet, SMIME": read, and of no effect here */
};
/* ERR_MALFORMED, ERR_CONFIG, ERR_WEAK_KEY or ERR_LIMIT name the line, the rule and the value. */
NODISCARD enum err policy_read(struct bytes file, struct policy *ret, struct why *why);
void policy_free(struct policy *policy);
/* The requested Extensions' content: keyUsage, extKeyUsage, subjectAltName, as far as they are asked for. */
void policy_put_extensions(const struct policy *policy, struct buf *out);
