/* SPDX-License-Identifier: Apache-2.0 */
/* An RA key and its certificate, judged before they lie where the SCEP service finds them: by the rules of scep/ra.c, which
   would not start with what does not keep them. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"

struct config;
struct key;

struct ra_pair { const char *set, *use; const struct key *key; struct bytes pem; };   /* use: encryption, signature, combined */
NODISCARD enum err ra_pair_judge(const struct config *config, const struct ra_pair *pair, struct why *why);
