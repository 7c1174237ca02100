/* SPDX-License-Identifier: Apache-2.0 */
/* A session of somebody whom an OpenID provider vouches for. They are an administrator like others, made when they first come; name and roles are the
   provider's word, each time anew. Disabling them here keeps them out, whatever it says. */
#pragma once
#include "mdm/mdm.h"
#include "mdm/oidc.h"
#include "mdm/session.h"

struct oidc_entering { struct mdm *mdm; const struct oidc_person *person; const char *peer; int64_t now; };
/* ERR_SIGN_IN: disabled here, or the name is another's or none. */
NODISCARD enum err oidc_enter(const struct oidc_entering *asked, char ret_token[static BEARER_TEXT], struct why *why);
