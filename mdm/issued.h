/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates that ca has issued for a profile on a device. There may be several: renewed ones, and those of versions before. */
#pragma once
#include "mdm/deployment.h"

struct issued {
    char ca[65], serial[48], challenge[33];
    int64_t version, request;
    char thumbprint[65], key[65];                            /* SHA-256 of it and of its SubjectPublicKeyInfo, lower case */
    int64_t not_before, not_after;
    bool asked, revoked;                                     /* ca was asked to revoke it; it has */
};
struct issued_list { struct issued *list; size_t count; };
void issued_list_free(struct issued_list *issued);           /* held by value */
/* The newest first. */
NODISCARD enum err issued_load(struct store_tx *tx, const struct deployment *of, struct issued_list *ret, struct why *why);
/* One that is there already changes nothing. */
NODISCARD enum err issued_add(struct store_tx *tx, const struct deployment *of, const struct issued *issued, int64_t now,
                              struct why *why);
/* Has ca revoke all of them that are still good. *ret_any (may be NULL): there was one. */
NODISCARD enum err issued_end(struct store_tx *tx, const struct deployment *of, const char *reason, int64_t now, bool *ret_any,
                              struct why *why);
NODISCARD enum err issued_revoked(struct store_tx *tx, const char *ca, const char *serial, int64_t now, struct why *why);
