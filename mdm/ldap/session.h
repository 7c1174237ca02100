/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a directory's server by libldap: verified TLS, signed in, pages, ranges, time limits. Referrals are not followed: they would
   lead to whoever the server names. */
#pragma once
#include "base/sandbox.h"
#include "mdm/ldap/reader.h"
#include <stdatomic.h>

/* Once, before there are threads: the host's ldap.conf and the environment have no say in what is verified. */
void session_library_prepare(void);
/* What it takes of the role's sandbox: ports and files of the settings. */
NODISCARD enum err session_reach(const struct ldap_settings *settings, struct sandbox_policy *policy, struct why *why);

struct session;
/* The first of the URLs that answers. stop: looked at while waiting; NULL: nobody stops it. Errors name the URL. */
NODISCARD enum err session_open(const struct ldap_settings *settings, const atomic_bool *stop, struct session **ret, struct why *why);
void session_free(struct session *session);
AUTO_DECLARE(session)
struct ldap_reader session_reader(struct session *session);
