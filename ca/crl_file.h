/* SPDX-License-Identifier: Apache-2.0 */
/* The published file of a CRL: always whole, and the store's last one or, after a crash, one before it until it is caught up. */
#pragma once
#include "base/file.h"
#include "ca/crl.h"

/* Most of a file, before its signature is there. Held by value: AUTO_VAL(crl_draft). */
struct crl_draft { struct file_draft file; struct { size_t at, len; } tbs; };   /* len 0: there is none */
#define CRL_DRAFT_NONE { .file = { .fd = -1 } }
void crl_draft_free(struct crl_draft *draft);
/* What goes wrong here goes wrong again without a draft, and is told then. *ret is none before. */
void crl_draft_make(const struct ca *ca, const struct crl_scope *scope, struct bytes tbs, struct crl_draft *ret);

/* Under the issuer's crl_lock. Takes what draft has, where it has something. Without crl_dir there are no files. */
NODISCARD enum err crl_file_put(const struct ca *ca, struct issuer *issuer, const struct crl_scope *scope, struct crl_draft *draft,
                                struct bytes der, struct why *why);
/* What a crash, or an error, kept out of its file: the last CRL of the store. */
NODISCARD enum err crl_file_catch_up(struct ca *ca, struct issuer *issuer, const struct crl_scope *scope, struct why *why);
