/* SPDX-License-Identifier: Apache-2.0 */
/* The CRL of the root. Its key is offline, so it is made by hand and lasts long: a root revokes next to nothing, but who checks CRLs for
   the whole chain (nginx does) wants one. */
#pragma once
#include "config/config.h"
#include "x509/cert.h"

#define ROOT_CRL_DAYS 400 /* a year, and a month to be late in */

/* Empty, from now on for ROOT_CRL_DAYS. Numbers are the time, so that they grow without anybody keeping them. */
NODISCARD enum err root_crl_make(const struct key *key, const struct cert *root, int64_t now, struct buf *ret_der,
                                 struct why *why);
/* Where va serves it from: state_dir/va/published/NAME. */
char *root_published_path(const struct config *config, const char *name);
/* Puts a file there, over the one before, for va to read. */
NODISCARD enum err root_publish(const struct config *config, const char *name, struct bytes der, struct why *why);
