/* SPDX-License-Identifier: Apache-2.0 */
/* May this template be kept? What each property says by itself is right already; here they are laid against each other and
   against what signer seals, so that no template is kept that could not issue. */
#pragma once
#include "ca/template.h"

/* A name as settings and commands write it: letters, digits, "-", "_" and "."; ERR_USAGE. */
NODISCARD enum err template_name_check(const char *name, struct why *why);
NODISCARD enum err template_check(const struct ca *ca, const struct template *template, struct why *why);
